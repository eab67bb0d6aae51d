"""Sound in a call: one thread that captures, one that plays, and the words that control them.

The threads block on their devices and hand packets out by callback. They are plain Python: the
seams (chains, devices) are such that loops outside the interpreter lock can take their place.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from sidetone.audio import FRAME_SAMPLES, AudioError
from sidetone.audio.capture import CaptureChain, Packet
from sidetone.audio.devices import Microphone, NullMicrophone, NullSpeaker, Speaker
from sidetone.audio.jitter import JitterStats
from sidetone.audio.playback import PlaybackChain, Tap

ARRIVALS_MAX: Final = 4096
"""Packets between the network and the playback thread; the oldest are dropped beyond."""

_SWITCH_INTERVAL_SECONDS: Final = 0.0005
_NS_PER_MS: Final = 1e6
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What the two threads have done so far."""

    frames_captured: int
    packets_sent: int
    frames_played: int
    packets_dropped: int
    speakers: dict[int, JitterStats]


@dataclass(frozen=True, slots=True)
class _Arrival:
    sender: int
    epoch: int
    counter: int
    opus: bytes
    end: bool
    arrival_ms: float


def _now_ms() -> float:
    return time.monotonic_ns() / _NS_PER_MS


class Engine:
    """The sound of one call: microphone to *on_packet*, ``receive`` to speaker.

    *on_packet* and *on_failure* are called on the audio threads and must return at once. A device
    that fails is reported in one line, and the call goes on without it, silent on that side.
    """

    def __init__(  # noqa: PLR0913
        self,
        microphone: Microphone,
        speaker: Speaker,
        on_packet: Callable[[Packet], None],
        *,
        on_failure: Callable[[str], None] = _log.warning,
        tap: Tap | None = None,
        bitrate: int = 64_000,
        expected_loss_percent: int = 10,
    ) -> None:
        self._microphone = microphone
        self._speaker = speaker
        self._on_packet = on_packet
        self._on_failure = on_failure
        self._capture = CaptureChain(bitrate=bitrate, expected_loss_percent=expected_loss_percent)
        self._playback = PlaybackChain(tap)
        self._arrivals = deque[_Arrival](maxlen=ARRIVALS_MAX)
        self._leavers = deque[int](maxlen=ARRIVALS_MAX)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._frames_captured = self._packets_sent = 0
        self._frames_played = self._packets_dropped = 0

    def start(self) -> None:
        """Start both threads; an engine starts once.

        The interpreter of this process then changes threads every 0.5 ms instead of every 5:
        beside a saturated main thread that keeps a played frame within 4 ms instead of 40.
        """
        if self._threads:
            return
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_SECONDS))
        for name, loop in (("capture", self._run_capture), ("playback", self._run_playback)):
            self._threads.append(threading.Thread(target=loop, name=f"audio-{name}", daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Join the threads, then close the devices; blocks for a frame or two, once."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for device in (self._microphone, self._speaker):
            self._close(device)

    def receive(self, sender: int, epoch: int, counter: int, opus: bytes, end: bool) -> None:  # noqa: FBT001
        """Take a packet from the network, now; never blocks, from any thread."""
        if len(self._arrivals) == ARRIVALS_MAX:
            self._packets_dropped += 1
        self._arrivals.append(_Arrival(sender, epoch, counter, opus, end, _now_ms()))

    def forget(self, sender: int) -> None:
        """Free a speaker who has left; from any thread."""
        self._leavers.append(sender)

    @property
    def muted(self) -> bool:
        """Whether the microphone is off."""
        return self._capture.muted

    @property
    def deafened(self) -> bool:
        """Whether the loudspeaker is off."""
        return self._playback.deafened

    @property
    def level_db(self) -> float:
        """Level of the microphone in the last frame, dBFS, also while muted."""
        return self._capture.level_db

    def set_muted(self, muted: bool) -> None:  # noqa: FBT001
        """Switch the microphone off or on, from the next frame."""
        self._capture.muted = muted

    def set_deafened(self, deafened: bool) -> None:  # noqa: FBT001
        """Switch the loudspeaker off or on, from the next frame."""
        self._playback.deafened = deafened

    def set_volume(self, sender: int, percent: int) -> None:
        """Make one speaker louder or softer, 0 to 200 %."""
        self._playback.set_volume(sender, percent)

    def set_output_volume(self, percent: int) -> None:
        """Make everything louder or softer, 0 to 200 %."""
        self._playback.set_output_volume(percent)

    def stats(self) -> EngineStats:
        """Return a snapshot of all counters; from any thread."""
        return EngineStats(
            self._frames_captured,
            self._packets_sent,
            self._frames_played,
            self._packets_dropped,
            self._playback.stats(),
        )

    def _run_capture(self) -> None:
        frame = np.zeros(FRAME_SAMPLES, np.float32)
        while not self._stopping.is_set():
            try:
                captured_ns = self._microphone.read(frame)
                self._frames_captured += 1
                for packet in self._capture.process(frame, captured_ns):
                    self._packets_sent += 1
                    self._on_packet(packet)
            except AudioError as error:
                self._give_up(self._microphone, error)
                self._microphone = NullMicrophone()
            except Exception:
                _log.exception("a captured frame was lost")

    def _run_playback(self) -> None:
        while not self._stopping.is_set():
            try:
                self._take_arrivals()
                frame = self._playback.tick(_now_ms())
                self._speaker.write(frame)
                self._frames_played += 1
            except AudioError as error:
                self._give_up(self._speaker, error)
                self._speaker = NullSpeaker()
            except Exception:
                _log.exception("a played frame was lost")

    def _give_up(self, device: Microphone | Speaker, error: AudioError) -> None:
        self._on_failure(str(error))
        self._close(device)

    def _close(self, device: Microphone | Speaker) -> None:
        try:
            device.close()
        except AudioError as error:
            self._on_failure(str(error))

    def _take_arrivals(self) -> None:
        while self._arrivals:
            arrival = self._arrivals.popleft()
            self._playback.push(
                arrival.sender,
                arrival.epoch,
                arrival.counter,
                arrival.opus,
                end=arrival.end,
                arrival_ms=arrival.arrival_ms,
            )
        while self._leavers:
            self._playback.forget(self._leavers.popleft())
