"""A screen as VP8 frames, captured and encoded in a process of its own.

The process makes a frame only when one is wanted, from what is to be seen at that moment: who
takes them slowly gets fewer, never old ones.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE, Process
from typing import Final, Self

import msgspec

from sidetone.video import Size, VideoError, wire
from sidetone.video.capture import Subject
from sidetone.video.encoded import Encoded
from sidetone.video.quality import Quality

_BEGIN_SECONDS_MAX = 15.0
_GOODBYE_SECONDS = 1.0


# What a frozen program is called with to be the process that captures: it has no other Python.
CHILD: Final = "--capture-screen"


def child_command(executable: str, *, frozen: bool) -> list[str]:
    """Return what starts the process that captures.

    >>> child_command("/opt/sidetone-client", frozen=True)
    ['/opt/sidetone-client', '--capture-screen']
    """
    return [executable, CHILD] if frozen else [executable, "-m", "sidetone.video.child"]


class ScreenEncoder:
    """The frames of one subject; made by `start`, and to be closed."""

    def __init__(self, process: Process, size: Size) -> None:
        self._process = process
        self._failure: VideoError | None = None
        # Of the message whose head was read: who waited for the rest may have been cancelled.
        self._length: int | None = None
        self.size = size

    @classmethod
    async def start(cls, subject: Subject, quality: Quality) -> Self:
        """Begin to capture. Raises ``VideoError`` if *subject* cannot be seen."""
        process = await asyncio.create_subprocess_exec(
            *child_command(sys.executable, frozen=hasattr(sys, "frozen")), stdin=PIPE, stdout=PIPE
        )
        encoder = cls(process, Size(0, 0))
        try:
            encoder._order(wire.Begin(subject, quality))
            async with asyncio.timeout(_BEGIN_SECONDS_MAX):
                encoder.size = await encoder._began()
            encoder._order(wire.Next())
        except TimeoutError:
            await encoder.close()
            raise VideoError("the screen could not be captured in time; try again") from None
        except BaseException:
            await encoder.close()
            raise
        return encoder

    async def next(self) -> Encoded:
        """Return the next frame; a screen where nothing moves has none for as long.

        Raises ``VideoError`` when the subject has gone, or the process has died.
        """
        report = await self._report()
        if not isinstance(report, Encoded):
            raise self._died()
        self.size = report.size
        self._order(wire.Next())
        return report

    def request_keyframe(self) -> None:
        """Have one of the next two frames be a keyframe."""
        self._order(wire.Keyframe())

    def set_rate(self, bits_per_second: int) -> None:
        """Use so many bits a second from now on, at most what the quality allows."""
        self._order(wire.Rate(bits_per_second))

    @property
    def pid(self) -> int:
        """The process, to measure it."""
        return self._process.pid

    async def close(self) -> None:
        """End the process; a second time does nothing."""
        stdin = self._process.stdin
        if stdin is not None:
            stdin.close()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._drained()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._drained()

    async def _drained(self) -> None:
        """Wait for the end; what is still in the pipe is thrown away, or it would never come."""
        stdout = self._process.stdout
        while stdout is not None and await stdout.read(wire.MESSAGE_BYTES_MAX):
            pass
        await self._process.wait()

    def _order(self, order: wire.Order) -> None:
        stdin = self._process.stdin
        # Who has died is noticed where a frame is waited for.
        if stdin is not None and not stdin.is_closing():
            with contextlib.suppress(ConnectionError):
                stdin.write(wire.pack(order))

    async def _began(self) -> Size:
        report = await self._report()
        if isinstance(report, wire.Began):
            return report.size
        raise self._died()

    async def _report(self) -> wire.Report:
        stdout = self._process.stdout
        if stdout is None:
            raise self._died()
        try:
            if self._length is None:
                head = await stdout.readexactly(wire.LENGTH_BYTES)
                self._length = int.from_bytes(head, "big")
            report = wire.report(await stdout.readexactly(self._length))
            self._length = None
        except (asyncio.IncompleteReadError, msgspec.DecodeError):
            raise self._died() from None
        if isinstance(report, wire.Failed):
            self._failure = VideoError(report.detail)
        return report

    def _died(self) -> VideoError:
        return self._failure or VideoError(
            "the process that captures the screen has ended by itself; share it again"
        )
