"""Our own screen as the others see it: captured, encoded elsewhere, sealed and sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from sidetone.client.screen_rate import PathUse, ScreenRate
from sidetone.video import Size, VideoError
from sidetone.video.capture import Subject
from sidetone.video.encoding import ScreenEncoder
from sidetone.video.quality import Quality

_log = logging.getLogger(__name__)

Show: TypeAlias = Callable[[bytes, bool], Awaitable[bool]]
"""Seals and sends (encoded, keyframe); False if it could not."""

# A process that dies sooner than this after the last death dies of what it is asked to do.
_RESTART_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class ShareStats:
    """What was sent since the beginning, and the bits a second that are aimed at now."""

    frames: int
    keyframes: int
    bytes: int
    bits_per_second: int


class ScreenShare:
    """A screen that we show to the call, until `stop`; made by ``Call.share_screen``."""

    def __init__(
        self,
        encoder: ScreenEncoder,
        subject: Subject,
        quality: Quality,
        show: Show,
        on_end: Callable[[str], None],
    ) -> None:
        self.subject = subject
        self.quality = quality
        self._encoder = encoder
        self._show = show
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._rate = ScreenRate(quality.bits_per_second_max)
        self._uplink = PathUse()
        self._gap = False
        self._frames = self._keyframes = self._bytes = 0
        self._restarted_at = -_RESTART_SECONDS
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._closing: asyncio.Task[None] | None = None
        self._work = asyncio.create_task(self._run())

    @property
    def size(self) -> Size:
        """The size of the pictures at present."""
        return self._encoder.size

    @property
    def encoder_pid(self) -> int:
        """The process that captures and encodes, to measure it."""
        return self._encoder.pid

    @property
    def is_shown(self) -> bool:
        """Whether it goes on."""
        return not self._ended.done()

    async def ended(self) -> str:
        """Return when the screen is not shown any more, and why: empty if we stopped it."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Show it no longer; a second time does nothing."""
        self.end("")
        if self._closing is not None:
            await asyncio.shield(self._closing)

    def stats(self) -> ShareStats:
        """Return a moment's figures."""
        return ShareStats(self._frames, self._keyframes, self._bytes, self._rate.bits_per_second)

    # --- what the call tells ---

    def end(self, reason: str) -> None:
        """Show it no longer, for *reason*."""
        if self.is_shown:
            self._ended.set_result(reason)
            self._closing = asyncio.create_task(self._close())
            self._on_end(reason)

    def keyframe_wanted(self) -> None:
        """Let one of the next frames be a keyframe."""
        self._encoder.request_keyframe()

    def room_entered(self) -> None:
        """Begin anew: nobody in the new room has seen what came before."""
        self._encoder.request_keyframe()

    def trouble(self, carried_bits_per_second: int) -> None:
        """Follow a viewer that does not get in time what is sent."""
        if self._rate.trouble(carried_bits_per_second, self._loop.time()):
            self._encoder.set_rate(self._rate.bits_per_second)

    def tick(self) -> None:
        """Do what time has made due."""
        now = self._loop.time()
        own = self._uplink.report(now)
        if own is not None:
            self.trouble(own[1])
        elif self._rate.grow(now):
            self._encoder.set_rate(self._rate.bits_per_second)

    # --- frames ---

    async def _run(self) -> None:
        try:
            self.end(await self._until_failure())
        except Exception:
            _log.exception("a screen share ended by a fault of this program")
            self.end("the screen is not shown any more because of a fault; see the log")

    async def _close(self) -> None:
        """End the process; not at the end of `_run`, which may be cancelled before it begins."""
        self._work.cancel()
        await asyncio.wait([self._work])
        await self._encoder.close()

    async def _until_failure(self) -> str:
        while True:
            try:
                await self._send_on()
            except VideoError as error:
                if self._loop.time() - self._restarted_at < _RESTART_SECONDS:
                    return str(error)
                self._restarted_at = self._loop.time()
                _log.warning("a screen is captured anew: %s", error)
                await self._encoder.close()
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                self._encoder = await ScreenEncoder.start(self.subject, self.quality)
            except VideoError as error:
                return str(error)
            self._encoder.set_rate(self._rate.bits_per_second)

    async def _send_on(self) -> None:
        """Send frames until they end; after one that was not sent, the next is a keyframe."""
        while True:
            encoded = await self._encoder.next()
            if self._gap and not encoded.keyframe:
                self._encoder.request_keyframe()
                continue
            began_at = self._loop.time()
            self._gap = not await self._show(encoded.data, encoded.keyframe)
            if self._gap:
                self._encoder.request_keyframe()
                continue
            self._uplink.add(len(encoded.data), began_at, self._loop.time())
            self._frames += 1
            self._keyframes += encoded.keyframe
            self._bytes += len(encoded.data)
