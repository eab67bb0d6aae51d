"""Both threads for real, on devices that need no hardware."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from libs.audio.tests.voices import keys
from sidetone.audio import AudioError, Samples
from sidetone.audio.devices import (
    FileMicrophone,
    FileSpeaker,
    Microphone,
    NullMicrophone,
    NullSpeaker,
    Speaker,
    read_wav,
    virtual_pair,
)
from sidetone.audio.engine import Engine
from sidetone.audio.quality import delays_ms
from sidetone.audio.rings import ARRIVED_SLOTS
from sidetone.audio.settings import Activation, VoiceSettings
from sidetone.audio.streams import end
from sidetone.audio.tracks import Track
from sidetone.audio.warm import warm_up
from sidetone.native.clock import now_ns


def wait_until(holds: Callable[[], bool]) -> None:
    """Look every 5 ms, for at most half a minute."""
    pause = threading.Event()
    for _ in range(6000):
        if holds():
            return
        pause.wait(0.005)
    raise AssertionError("it never came true")


class Failures(list[str]):
    """What the user was told."""


@contextmanager
def running(
    own: int, microphone: Microphone | None = None, speaker: Speaker | None = None
) -> Generator[tuple[Engine, Failures]]:
    failures = Failures()
    engine = Engine(
        keys(own),
        microphone or NullMicrophone(),
        speaker or NullSpeaker(),
        on_failure=failures.append,
    )
    engine.start()
    try:
        yield engine, failures
    finally:
        engine.stop()


@contextmanager
def wire(source: Engine, target: Engine) -> Generator[None]:
    """Carry the frames of one engine to another, as the network thread would."""
    stopping = threading.Event()

    def carry() -> None:
        while not stopping.wait(0.001):
            for frame in source.take_sent():
                target.receive(frame, now_ns())

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def test_a_voice_goes_from_file_to_file(speech: Path, tmp_path: Path) -> None:
    spoken, heard = Track(), Track()
    ear = FileSpeaker(tmp_path / "heard.wav", track=heard)
    microphone = FileMicrophone(speech / "ada.wav", track=spoken)
    with running(1, microphone) as (talks, _), running(0, None, ear) as (hears, failures):
        talks.set_sending(True)
        with wire(talks, hears):
            wait_until(lambda: hears.stats().frames_played > 500)
        stats = hears.stats()
        sent = talks.stats()
    delays = delays_ms(spoken, heard)
    assert delays
    assert 10 < min(delays) < 500, "at least one frame and the look-ahead of Opus"
    assert np.max(np.abs(read_wav(tmp_path / "heard.wav"))) > 0.1
    assert stats.speakers[1].received >= sent.packets_sent - 5, "the last may be on their way"
    assert stats.packets_sent == stats.packets_dropped == 0
    assert sent.frames_captured >= 450
    assert failures == []


def test_an_engine_stops_twice_and_without_a_start() -> None:
    engine = Engine(keys(1), NullMicrophone(), NullSpeaker(), on_failure=print)
    engine.stop()
    engine.stop()


@pytest.mark.parametrize("side", ["microphone", "loudspeaker"])
def test_a_device_that_goes_is_told_once_and_the_call_goes_on(side: str) -> None:
    microphone, speaker = NullMicrophone(), NullSpeaker()
    with running(1, microphone, speaker) as (engine, failures):

        def frames() -> int:
            stats = engine.stats()
            return stats.frames_captured if side == "microphone" else stats.frames_played

        wait_until(lambda: frames() > 3)
        end((microphone if side == "microphone" else speaker).stream)
        wait_until(lambda: bool(failures))
        before = frames()
        wait_until(lambda: frames() > before + 5)
    assert len(failures) == 1
    assert "is used instead" in failures[0]
    assert "\n" not in failures[0]


def test_where_no_other_device_can_be_had_there_is_silence() -> None:
    def none() -> Microphone:
        raise AudioError("no microphone: plug one in")

    microphone, failures = NullMicrophone(), Failures()
    engine = Engine(
        keys(1), microphone, NullSpeaker(), on_failure=failures.append, replace_microphone=none
    )
    engine.start()
    end(microphone.stream)
    wait_until(lambda: bool(failures))
    before = engine.stats().frames_captured
    wait_until(lambda: engine.stats().frames_captured > before + 5)
    engine.stop()
    assert failures[0].endswith("; until then it is silent")


def test_another_device_is_taken_in_the_middle_of_a_call(speech: Path) -> None:
    with running(1) as (engine, failures):
        engine.set_sending(True)
        wait_until(lambda: engine.stats().frames_captured > 5)
        engine.use_microphone(FileMicrophone(speech / "ben.wav", loop=True))
        wait_until(lambda: engine.stats().packets_sent > 5)
        assert "ben" in engine.stats().microphone
        microphone, speaker = virtual_pair()
        engine.use_microphone(microphone)
        engine.use_speaker(speaker)
        wait_until(lambda: engine.stats().speaker == speaker.name)
    assert failures == []


def test_control_words_reach_the_threads(speech: Path) -> None:
    with running(1, FileMicrophone(speech / "ben.wav", loop=True)) as (engine, _):
        assert (engine.muted, engine.deafened) == (False, False)
        engine.set_sending(True)
        engine.set_deafened(True)
        engine.set_output_volume(50)
        engine.set_voice(VoiceSettings(bitrate=96_000, frame_ms=20, activation=Activation.ALWAYS))
        engine.report_loss(0)
        wait_until(lambda: engine.stats().frame_ms == 20)
        wait_until(lambda: any(len(frame) == 24 + 240 for frame in engine.take_sent()))
        assert engine.level_db > -100
        engine.report_loss(7)
        assert engine.stats().loss_percent == 7
        engine.set_muted(True)
        assert (engine.muted, engine.deafened) == (True, True)


def test_who_waits_for_frames_is_woken(speech: Path) -> None:
    import select

    with running(1, FileMicrophone(speech / "ben.wav", loop=True)) as (engine, _):
        engine.set_sending(True)
        assert select.select([engine.wake_fd], [], [], 20)[0]
        assert engine.take_sent()


def test_a_clip_is_said_to_its_end() -> None:
    clip: Samples = (0.3 * np.sin(np.arange(9600) / 20)).astype(np.float32)
    with running(1) as (engine, _):
        engine.set_sending(True)
        number = engine.play_clip(clip)
        wait_until(lambda: engine.clips_played == number)
        assert engine.stats().packets_sent >= 19
        with pytest.raises(AudioError, match="shorten it"):
            engine.play_clip(np.zeros(61 * 48_000, np.float32))


def test_a_flood_between_two_hops_is_bounded_and_counted() -> None:
    engine = Engine(keys(0), NullMicrophone(), NullSpeaker(), on_failure=print)
    for _ in range(ARRIVED_SLOTS + 10):
        engine.receive(b"x" * 30, 0)
    assert engine.stats().packets_dropped == 10
    engine.stop()


def test_a_speaker_who_leaves_is_freed(speech: Path) -> None:
    with (
        running(1, FileMicrophone(speech / "ben.wav", loop=True)) as (talks, _),
        running(0) as (hears, _),
    ):
        talks.set_sending(True)
        with wire(talks, hears):
            wait_until(lambda: 1 in hears.heard())
        hears.forget(1)
        wait_until(lambda: not hears.heard())


def test_warming_up_twice_is_quick_the_second_time() -> None:
    first, second = warm_up(), warm_up()
    assert 0 < second <= first + 1
