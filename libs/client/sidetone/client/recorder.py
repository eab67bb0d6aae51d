"""Recording a call with everybody's consent: asks, answers, and writes what may be written.

Runs on the event loop; the disk is written to on a thread beside it. Everything here can fail
without the call noticing.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from sidetone.audio import AudioError
from sidetone.audio.copies import OWN
from sidetone.audio.timeline import Spoken
from sidetone.client import events
from sidetone.client.call_recording import CallRecording, Voice
from sidetone.client.consent import Consents, Verdict
from sidetone.e2ee.data import RecordingState
from sidetone.protocol.refusals import Conflict, Invalid

WAITING_MAX: Final = 8192
_DRAIN_SECONDS: Final = 0.1
_WAIT_NS: Final = 2_000_000_000
_log = logging.getLogger(__name__)


class PacketSource(Protocol):
    """An engine: leaves copies of all packets, of others and our own, while it is asked to."""

    def copy_packets(self, wanted: bool) -> None:  # noqa: FBT001
        """Begin or end to leave copies."""
        ...

    def take_copies(self) -> list[tuple[int, Spoken]]:
        """Take the copies that were left, each with the place of its sender, or `OWN`."""
        ...


class Company(Protocol):
    """Who is who in the room."""

    def voices(self) -> dict[int, Voice]:
        """Return who has which place now, `OWN` included."""
        ...

    def publish(self, changes: Sequence[events.Event]) -> None:
        """Tell the owner of the call."""
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    voice: Voice
    packet: Spoken
    own: bool


class Recorder:
    """At most one recording at a time of one call. *now_ms* is the clock of *consents*."""

    def __init__(
        self,
        source: PacketSource,
        consents: Consents,
        company: Company,
        now_ms: Callable[[], int],
    ) -> None:
        self._source = source
        self._consents = consents
        self._company = company
        self._now_ms = now_ms
        self._recording: CallRecording | None = None
        self._work: asyncio.Task[None] | None = None
        self._voices: dict[int, Voice] = {}
        self._waiting = deque[_Waiting](maxlen=WAITING_MAX)
        self._log: list[events.Event] = []

    @property
    def running(self) -> bool:
        """Whether there is a recording, paused or not."""
        return self._recording is not None

    async def start(self, folder: Path) -> None:
        """Record into *folder*, whenever all agree.

        Raises ``Conflict`` where a recording runs, was not asked for, or is not agreed to by all;
        ``Invalid`` for a folder that cannot be used.
        """
        self._require_agreement()
        begun_ns, begun_utc_ms = time.monotonic_ns(), time.time_ns() // 1_000_000
        try:
            made = await asyncio.to_thread(CallRecording, folder, begun_ns, begun_utc_ms)
        except AudioError as error:
            raise Invalid("folder_unusable", str(error)) from error
        self._require_agreement()
        self._recording = made
        self._company.publish(self._consents.start(self._now_ms()))
        self._source.copy_packets(True)  # noqa: FBT003
        self._work = asyncio.create_task(self._run(made))

    async def stop(self) -> None:
        """Write what was said until now and complete the files; nothing happens without any.

        Raises ``Invalid`` where the disk did not take the end.
        """
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.wait([work])
        recording, self._recording = self._recording, None
        if recording is None:
            return
        batch = self._allowed()
        self._source.copy_packets(False)  # noqa: FBT003
        self._company.publish(self._consents.stop("stopped", self._now_ms()))
        try:
            await asyncio.to_thread(self._complete, recording, batch)
        except AudioError as error:
            raise Invalid("recording_incomplete", str(error)) from error

    def note(self, changes: Iterable[events.Event]) -> None:
        """Put down in the recording what the owner of the call is told."""
        if self._recording is not None:
            self._log += changes

    def enter_room(self) -> None:
        """Forget the places of the room before."""
        self._voices.clear()

    def _require_agreement(self) -> None:
        if self._recording is not None:
            raise Conflict("recording_already", "this call is being recorded; stop that first")
        if self._consents.own is RecordingState.OFF:
            raise Conflict("recording_unasked", "ask to record first")
        missing = self._consents.missing
        if missing:
            raise Conflict("consent_missing", f"{len(missing)} in the call have not agreed yet")

    async def _run(self, recording: CallRecording) -> None:
        try:
            while True:
                await asyncio.sleep(_DRAIN_SECONDS)
                await self._write(recording, self._allowed())
        except AudioError as error:
            await self._fail(recording, error)

    async def _write(self, recording: CallRecording, batch: list[tuple[Voice, Spoken]]) -> None:
        """Write on a thread, and wait for it even if cancelled: files have one user."""
        noted, self._log = self._log, []

        def write() -> None:
            now_ns = time.monotonic_ns()
            for event in noted:
                recording.note(event, now_ns)
            recording.take(batch, now_ns)

        work = asyncio.ensure_future(asyncio.to_thread(write))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            work.result()
            raise

    def _complete(self, recording: CallRecording, batch: list[tuple[Voice, Spoken]]) -> None:
        now_ns = time.monotonic_ns()
        try:
            for event in self._log:
                recording.note(event, now_ns)
            recording.take(batch, now_ns)
        finally:
            self._log = []
            recording.close(now_ns)

    async def _fail(self, recording: CallRecording, error: AudioError) -> None:
        """End the recording and say so; the call goes on."""
        self._recording = None
        self._source.copy_packets(False)  # noqa: FBT003
        self._company.publish(
            [*self._consents.stop("failed", self._now_ms()), events.AudioFailed(str(error))]
        )
        try:
            await asyncio.to_thread(recording.close, time.monotonic_ns())
        except AudioError as again:
            _log.info("a recording could not be completed: %s", again)

    def _allowed(self) -> list[tuple[Voice, Spoken]]:
        """Return what may be written of all that was said since the last time, and before."""
        self._voices |= self._company.voices()
        for sender, packet in self._source.take_copies():
            voice = self._voices.get(sender)
            if voice is not None:
                self._waiting.append(_Waiting(voice, packet, sender == OWN))
        now_ms, oldest_ns = self._now_ms(), time.monotonic_ns() - _WAIT_NS
        allowed: list[tuple[Voice, Spoken]] = []
        undecided: list[_Waiting] = []
        for each in self._waiting:
            verdict = self._consents.verdict(None if each.own else each.packet.epoch, now_ms)
            if verdict is Verdict.RECORD:
                allowed.append((each.voice, each.packet))
            elif verdict is Verdict.WAIT and each.packet.at_ns > oldest_ns:
                undecided.append(each)
        self._waiting.clear()
        self._waiting.extend(undecided)
        return allowed
