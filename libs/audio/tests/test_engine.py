import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import AudioError, Frame
from sidetone.audio.capture import Packet
from sidetone.audio.devices import (
    FileMicrophone,
    FileSpeaker,
    Microphone,
    NullMicrophone,
    NullSpeaker,
    Speaker,
    read_wav,
)
from sidetone.audio.engine import ARRIVALS_MAX, Engine
from sidetone.audio.quality import delays_ms
from sidetone.audio.tracks import Track
from sidetone.audio.warm import warm_up


class Until:
    """A condition that callbacks on audio threads bring about."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._done = threading.Event()

    def __call__(self, *_seen: object) -> None:
        self._left -= 1
        if self._left <= 0:
            self._done.set()

    def wait(self) -> None:
        assert self._done.wait(30)


class Wire:
    """Carries the packets of one engine to another, as the network would."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self._counter = 0

    def __call__(self, packet: Packet) -> None:
        if self.engine is not None:
            self.engine.receive(1, 0, self._counter, packet.opus, packet.end)
        self._counter += 1


def test_a_voice_goes_from_file_to_file(speech: Path, tmp_path: Path) -> None:
    spoken, heard, enough, wire = Track(), Track(), Until(300), Wire()

    def tap(_sender: int, frame: Frame, now_ms: float) -> None:
        heard.append(frame, int(now_ms * 1e6))
        enough()

    talks = Engine(FileMicrophone(speech / "ada.wav", track=spoken), NullSpeaker(), wire)
    hears = Engine(NullMicrophone(), FileSpeaker(tmp_path / "heard.wav"), Until(1), tap=tap)
    wire.engine = hears
    hears.start()
    talks.start()
    talks.start()
    enough.wait()
    talks.stop()
    hears.stop()
    hears.stop()

    delays = delays_ms(spoken, heard)
    assert delays
    assert 15 < min(delays) < 500, "at least one frame and the look-ahead of Opus"
    recorded = read_wav(tmp_path / "heard.wav")
    assert recorded.size / 480 >= hears.stats().frames_played >= 300
    assert np.max(np.abs(recorded)) > 0.1
    stats = hears.stats().speakers[1]
    assert stats.received >= talks.stats().packets_sent - 2, "the last may be on their way"
    assert hears.stats().packets_sent == 0
    assert hears.stats().packets_dropped == 0
    assert talks.stats().frames_captured >= 300
    assert sys.getswitchinterval() <= 0.001


class Failing:
    """A device that is unplugged after some frames, and does not even close well."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._silent = NullMicrophone()
        self.closed = 0

    def _step(self, frame: Frame) -> int:
        self._frames -= 1
        if self._frames < 0:
            raise AudioError("the device was unplugged: choose another one")
        return self._silent.read(np.zeros_like(frame))

    read = write = _step

    def close(self) -> None:
        self.closed += 1
        raise AudioError("the device does not close")


def fails_and_goes_on(
    microphone: Microphone, speaker: Speaker, after: Callable[[Engine], int]
) -> None:
    lines: list[str] = []
    told = Until(2)

    def on_failure(line: str) -> None:
        lines.append(line)
        told()

    engine = Engine(microphone, speaker, Until(1), on_failure=on_failure)
    engine.start()
    told.wait()
    frames = after(engine)
    while after(engine) < frames + 3:
        threading.Event().wait(0.005)
    engine.stop()
    assert lines == [
        "the device was unplugged: choose another one",
        "the device does not close",
    ]


def test_a_microphone_that_fails_is_reported_and_the_call_goes_on() -> None:
    microphone = Failing(3)
    fails_and_goes_on(microphone, NullSpeaker(), lambda engine: engine.stats().frames_captured)
    assert microphone.closed == 1


def test_a_speaker_that_fails_is_reported_and_the_call_goes_on() -> None:
    speaker = Failing(3)
    fails_and_goes_on(NullMicrophone(), speaker, lambda engine: engine.stats().frames_played)
    assert speaker.closed == 1


def test_a_callback_that_raises_does_not_end_the_call(
    speech: Path, caplog: pytest.LogCaptureFixture
) -> None:
    enough = Until(5)

    def refuse(_packet: Packet) -> None:
        enough()
        raise RuntimeError("the network is gone")

    engine = Engine(FileMicrophone(speech / "ada.wav", offset_ms=500), NullSpeaker(), refuse)
    engine.start()
    enough.wait()
    engine.stop()
    assert "a captured frame was lost" in caplog.text


def test_control_words_reach_the_chains(speech: Path) -> None:
    sent, wire = Until(10), Wire()
    engine = Engine(FileMicrophone(speech / "ben.wav", loop=True), NullSpeaker(), sent)
    wire.engine = engine
    assert (engine.muted, engine.deafened) == (False, False)
    engine.set_deafened(True)
    engine.set_volume(1, 150)
    engine.set_output_volume(50)
    engine.start()
    sent.wait()
    assert engine.level_db > -100
    engine.set_muted(True)
    assert (engine.muted, engine.deafened) == (True, True)
    engine.stop()


def test_a_flood_between_two_ticks_is_bounded_and_counted() -> None:
    engine = Engine(NullMicrophone(), NullSpeaker(), Until(1))
    for n in range(ARRIVALS_MAX + 10):
        engine.receive(1, 0, n, b"x", False)
    assert engine.stats().packets_dropped == 10


def test_a_speaker_who_leaves_is_freed() -> None:
    played = Until(20)
    engine = Engine(NullMicrophone(), NullSpeaker(), Until(1), tap=lambda *_seen: played())
    engine.receive(5, 0, 0, b"\x70\x00", False)
    engine.start()
    played.wait()
    assert 5 in engine.stats().speakers
    engine.forget(5)
    while engine.stats().speakers:
        threading.Event().wait(0.005)
    engine.stop()


def test_warming_up_twice_is_quick_the_second_time() -> None:
    first, second = warm_up(), warm_up()
    assert 0 < second <= first + 1
