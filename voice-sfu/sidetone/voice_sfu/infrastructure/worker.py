"""One voice node as a child process, and the words between it and who started it.

A child is started before it is needed: it loads everything, says so on its standard output, and
waits on its standard input for its place, so that one that dies is replaced in a moment. Each word
is a line of JSON. A child reaches the bus by a local socket and ends by itself when that closes;
before it has a place it ends with its standard input. So nothing is left behind when its parent is
killed.
"""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import TypeAlias

import msgspec

from sidetone.protocol.ids import NodeId
from sidetone.runtime.start import StartError

STANDBY = "--standby"
# The first start on a machine may have to compile.
START_SECONDS_MAX = 120.0
STOP_SECONDS_MAX = 12.0


class Place(msgspec.Struct, frozen=True):
    """Where a worker listens: port 0 is any free one, metrics port 0 is none."""

    port: int = 0
    metrics_port: int = 0


class StandingBy(msgspec.Struct, frozen=True, tag_field="event", tag="voice_node_standing_by"):
    """The worker has loaded everything."""


class Listening(msgspec.Struct, frozen=True, tag_field="event", tag="voice_node_listening"):
    """The worker lets members in."""

    port: int
    node: NodeId


class NotStarted(msgspec.Struct, frozen=True, tag_field="event", tag="voice_node_not_started"):
    """What kept the worker from starting, for people."""

    detail: str


Saying: TypeAlias = StandingBy | Listening | NotStarted


class Worker:
    """A child that waits for its place, or works there: ``listening`` is what it said of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.pid = process.pid
        self.listening: Listening | None = None
        self._process = process

    @classmethod
    async def spawn(cls, environment: Mapping[str, str]) -> "Worker":
        """Start a child with *environment*. Raises ``StartError``."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sidetone.voice_sfu", STANDBY),
                env=environment,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # A Ctrl-C in the terminal is for our parent, which then stops us in order.
                start_new_session=True,
            )
        except OSError as error:
            raise StartError(f"no process can be started: {error}; free memory") from error
        return cls(process)

    @property
    def lives(self) -> bool:
        """Whether the process runs."""
        return self._process.returncode is None

    async def stand_by(self) -> None:
        """Wait until it has loaded everything. Raises ``StartError``; it is then to be stopped."""
        if not isinstance(await self._said(), StandingBy):
            raise _confused()

    async def begin(self, place: Place) -> Listening:
        """Let one that stands by listen at *place*. Raises ``StartError``, as above."""
        stdin = self._process.stdin
        if stdin is None:
            raise _confused()
        stdin.write(msgspec.json.encode(place) + b"\n")
        with suppress(OSError):
            await stdin.drain()
        said = await self._said()
        if not isinstance(said, Listening):
            raise _confused()
        self.listening = said
        return said

    async def ended(self) -> int:
        """Return the status, once it has ended."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Let it move its members elsewhere, then end it."""
        if not self.lives:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS_MAX)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _said(self) -> Saying:
        stdout = self._process.stdout
        if stdout is None:
            raise _confused()
        try:
            line = await asyncio.wait_for(stdout.readline(), START_SECONDS_MAX)
        except TimeoutError:
            raise StartError(f"it did not start within {START_SECONDS_MAX:g} seconds") from None
        if not line:
            raise StartError("it ended while it started; its own reason stands above")
        try:
            said = msgspec.json.decode(line, type=Saying)
        except msgspec.MsgspecError:
            raise _confused() from None
        if isinstance(said, NotStarted):
            raise StartError(said.detail)
        return said


def _confused() -> StartError:
    return StartError("it does not say what a voice node says; see the log")
