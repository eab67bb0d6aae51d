"""One suite for every device, and what a driver may do to the loops."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import HOP_NS, HOP_SAMPLES, SAMPLE_RATE, Samples, devices, sound_card
from sidetone.audio.driver_streams import DriverStream
from sidetone.audio.python_drivers import FAILED, Registration
from sidetone.audio.stream_layout import STALLED, WITHDRAWN
from sidetone.audio.streams import end, read_hop, write_hop
from sidetone.audio.tracks import Track
from sidetone.native import Record
from sidetone.native.clock import now_ns
from tests.sound_server import sound_server

OVERFLOWED, UNDERFLOWED, UNPLUGGED = -9981, -9980, -9999


class Card:
    """A driver in Python with a ring of its own, at the pace of the clock or of the test."""

    def __init__(self, rate: int = SAMPLE_RATE, channels: int = 1, *, paced: bool = True) -> None:
        self.rate, self.channels, self.paced = rate, channels, paced
        self.begun_ns = time.monotonic_ns()
        self.moved = 0
        self.there = 0
        self.codes: list[int] = []
        self.heard: list[Samples] = []
        self.source: Callable[[int], Samples] = lambda frames: np.zeros(frames, np.float32)
        self.capacity = rate // 50
        self.is_output = False

    def passed(self) -> int:
        """Return how many frames the card has made so far."""
        return (time.monotonic_ns() - self.begun_ns) * self.rate // 1_000_000_000

    def number_frames(self) -> None:
        """Let every frame carry its number, see `number_of`."""
        self.source = lambda size: ((self.moved + np.arange(size)) / 2**18).astype(np.float32)

    def available(self) -> int:
        if self.codes and self.codes[0] < 0:
            return self.codes.pop(0)
        if not self.paced:
            return self.there
        passed = self.passed()
        if not self.is_output:
            return passed - self.moved
        self.moved = max(self.moved, passed)
        return self.capacity - (self.moved - passed)

    def transfer(self, sound: Samples) -> int:
        frames = sound.size // self.channels
        if self.is_output:
            self.heard.append(sound.copy())
        else:
            sound[:] = self.source(sound.size)
        self.moved += frames
        self.there -= frames
        return 0


def number_of(sound: Samples) -> int:
    return round(float(sound[0]) * 2**18)


class CardDevice:
    def __init__(self, card: Card, *, output: bool, track: Track | None = None) -> None:
        card.is_output = output
        self.name = "a card in Python"
        self.registration = Registration(card, rate=card.rate, channels=card.channels)
        self._opened = DriverStream(self.registration.driver, output=output, track=track)
        self.stream: Record = self._opened.record

    def close(self) -> None:
        self.registration.close()


MICROPHONES = ["file", "null", "virtual", "python", "python 8 kHz", "python stereo", "PulseAudio"]
SPEAKERS = ["file", "null", "virtual", "python", "python 44.1 kHz", "python stereo", "PulseAudio"]


@pytest.fixture
def stack() -> Generator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=MICROPHONES)
def microphone(request: pytest.FixtureRequest, speech: Path, stack: ExitStack) -> Record:
    device = new_microphone(request.param, speech, stack)
    stack.callback(device.close)
    return device.stream


def new_microphone(kind: str, speech: Path, stack: ExitStack) -> devices.Microphone | CardDevice:
    match kind:
        case "file":
            return devices.FileMicrophone(speech / "ada.wav", loop=True)
        case "null":
            return devices.NullMicrophone()
        case "virtual":
            return devices.virtual_pair()[0]
        case "PulseAudio":
            stack.enter_context(sound_server().chosen())
            return sound_card.open_microphone()
        case _:
            rate = 8_000 if "8 kHz" in kind else SAMPLE_RATE
            return CardDevice(Card(rate, 2 if "stereo" in kind else 1), output=False)


@pytest.fixture(params=SPEAKERS)
def speaker(request: pytest.FixtureRequest, tmp_path: Path, stack: ExitStack) -> Record:
    device = new_speaker(request.param, tmp_path, stack)
    stack.callback(device.close)
    return device.stream


def new_speaker(kind: str, folder: Path, stack: ExitStack) -> devices.Speaker | CardDevice:
    match kind:
        case "file":
            return devices.FileSpeaker(folder / "heard.wav")
        case "null":
            return devices.NullSpeaker()
        case "virtual":
            return devices.virtual_pair()[1]
        case "PulseAudio":
            stack.enter_context(sound_server().chosen())
            return sound_card.open_speaker()
        case _:
            rate = 44_100 if "44.1" in kind else SAMPLE_RATE
            return CardDevice(Card(rate, 2 if "stereo" in kind else 1), output=True)


def hop() -> Samples:
    return np.zeros(HOP_SAMPLES, np.float32)


def test_a_microphone_gives_hops_at_the_pace_of_the_clock(microphone: Record) -> None:
    out = hop()
    read_hop(microphone, out)
    begun = now_ns()
    times = [read_hop(microphone, out) for _ in range(60)]
    passed_ns = now_ns() - begun
    assert min(times) > 0
    # A device hands over in steps of its own, up to 20 ms at once.
    assert passed_ns >= 60 * HOP_NS - 30_000_000
    assert microphone.hops + microphone.missed + microphone.discarded >= 61
    assert 0 < np.median(np.diff(times)) < 2 * HOP_NS


def test_what_was_spoken_was_spoken_before_it_is_read(microphone: Record) -> None:
    out = hop()
    for _ in range(20):
        spoken_ns = read_hop(microphone, out)
        assert now_ns() - 2_000_000_000 < spoken_ns
        assert spoken_ns <= now_ns() - HOP_NS + 1_000_000


def test_a_reader_who_was_away_finds_no_backlog(microphone: Record) -> None:
    out = hop()
    for _ in range(5):
        read_hop(microphone, out)
    time.sleep(0.5)
    before = microphone.hops
    while microphone.discarded + microphone.missed == 0:
        assert read_hop(microphone, out) > 0
        assert microphone.hops - before < 10, "the backlog is read hop by hop"
    assert np.all(np.isfinite(out))


def test_a_speaker_takes_hops_at_the_pace_of_the_clock(speaker: Record) -> None:
    for _ in range(10):
        assert write_hop(speaker, hop(), hop()) > 0
    begun = now_ns()
    times = [write_hop(speaker, hop(), hop()) for _ in range(60)]
    assert now_ns() - begun >= 60 * HOP_NS - 30_000_000
    assert np.median(np.diff(times)) < 2 * HOP_NS
    assert speaker.hops == 70


def test_an_ended_stream_says_so(microphone: Record, speaker: Record) -> None:
    end(microphone)
    end(speaker)
    assert read_hop(microphone, hop()) == WITHDRAWN
    assert write_hop(speaker, hop(), hop()) == WITHDRAWN


def test_sound_comes_through_a_driver_unchanged() -> None:
    card = Card()
    card.source = lambda size: np.arange(size, dtype=np.float32) / 512
    device, out = CardDevice(card, output=False), hop()
    read_hop(device.stream, out)
    assert np.array_equal(out, np.arange(HOP_SAMPLES) / np.float32(512))
    speaker_card = Card()
    speaker = CardDevice(speaker_card, output=True)
    write_hop(speaker.stream, out, out)
    assert np.array_equal(speaker_card.heard[0], out)


def test_stereo_is_averaged_on_its_way_in_and_kept_on_its_way_out() -> None:
    card = Card(channels=2)
    card.source = lambda size: np.tile(np.array([0.5, -0.25], np.float32), size // 2)
    device, out = CardDevice(card, output=False), hop()
    read_hop(device.stream, out)
    assert np.all(out == 0.125)
    left, right = np.full(240, 0.5, np.float32), np.full(240, 0.25, np.float32)
    wide, narrow = Card(channels=2), Card()
    for card in (wide, narrow):
        write_hop(CardDevice(card, output=True).stream, left, right)
    assert np.array_equal(wide.heard[0][:4], [0.5, 0.25, 0.5, 0.25])
    assert np.all(narrow.heard[0] == 0.375)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000, 192_000])
def test_a_tone_keeps_its_pitch_at_every_rate(rate: int) -> None:
    at, card = 0, Card(rate, channels=2)

    def tone(size: int) -> Samples:
        nonlocal at
        times = (at + np.arange(size // 2)) / rate
        at += size // 2
        return np.repeat(np.sin(2 * np.pi * 1000 * times), 2).astype(np.float32)

    card.source = tone
    device, out, heard = CardDevice(card, output=False), hop(), []
    other = Card(rate, channels=2)
    speaker = CardDevice(other, output=True)
    for _ in range(60):
        assert read_hop(device.stream, out) > 0
        heard.append(out.copy())
        assert write_hop(speaker.stream, out, -out) > 0
    said = np.concatenate(heard)[2400:]
    played = np.concatenate(other.heard).reshape(-1, 2)[rate // 20 :]
    for sound, its_rate in ((said, SAMPLE_RATE), (played[:, 0], rate)):
        peak = np.argmax(np.abs(np.fft.rfft(sound * np.hanning(sound.size), its_rate)))
        assert peak == 1000
        assert abs(np.std(sound) - np.sqrt(0.5)) < 0.01
    assert np.array_equal(played[:, 0], -played[:, 1])


def test_what_waited_before_the_first_hop_is_thrown_away() -> None:
    card = Card()
    card.number_frames()
    card.begun_ns -= 1_900_000_000
    device, out = CardDevice(card, output=False), hop()
    begun, spoken_ns = card.passed(), read_hop(device.stream, out)
    assert number_of(out) >= begun - HOP_SAMPLES
    assert device.stream.discarded * HOP_SAMPLES == number_of(out)
    assert spoken_ns >= card.begun_ns + 1_900_000_000 - HOP_NS


def test_backlog_is_thrown_away_even_where_the_driver_hides_it() -> None:
    card = Card()
    card.number_frames()
    shown = card.available
    card.available = lambda: min(shown(), 3 * HOP_SAMPLES)  # type: ignore[method-assign]
    device, out = CardDevice(card, output=False), hop()
    for _ in range(5):
        read_hop(device.stream, out)
    time.sleep(0.5)
    begun = card.passed()
    read_hop(device.stream, out)
    assert number_of(out) >= begun - 2 * HOP_SAMPLES
    assert device.stream.discarded >= 90


def test_backlog_that_comes_late_is_thrown_away_too() -> None:
    card = Card()
    card.number_frames()
    device, out = CardDevice(card, output=False), hop()
    for _ in range(5):
        read_hop(device.stream, out)
    card.begun_ns -= 1_900_000_000
    begun = card.passed()
    for _ in range(20):
        spoken_ns = read_hop(device.stream, out)
        assert spoken_ns <= now_ns() - HOP_NS, "nothing is heard before it was spoken"
    assert number_of(out) >= begun
    assert device.stream.discarded >= 365


def test_what_a_driver_hands_over_in_steps_is_not_backlog() -> None:
    card = Card()
    steps = card.available
    step = 4 * HOP_SAMPLES

    def available() -> int:
        passed = steps() + card.moved
        return passed // step * step - card.moved

    card.available = available  # type: ignore[method-assign]
    device, out = CardDevice(card, output=False), hop()
    times = [read_hop(device.stream, out) for _ in range(80)]
    assert device.stream.discarded < 8
    assert np.median(np.diff(times)) == HOP_NS


def test_a_driver_that_never_waits_has_failed() -> None:
    card = Card()
    card.available = lambda: 10_000  # type: ignore[method-assign]
    assert read_hop(CardDevice(card, output=False).stream, hop()) == STALLED


def test_xruns_are_counted_and_do_no_harm() -> None:
    card = Card()
    card.codes = [OVERFLOWED, OVERFLOWED]
    device = CardDevice(card, output=False)
    assert read_hop(device.stream, hop()) > 0
    assert device.stream.xruns == 2
    other = Card()
    speaker = CardDevice(other, output=True)
    write_hop(speaker.stream, hop(), hop())
    queued = speaker.stream.queued_max
    other.codes = [UNDERFLOWED]
    assert write_hop(speaker.stream, hop(), hop()) > 0
    assert speaker.stream.xruns == 1
    assert speaker.stream.queued_max > queued, "a speaker that ran dry gets more in advance"


def test_a_speaker_holds_no_more_than_a_hop_when_the_next_is_due() -> None:
    card = Card()
    device = CardDevice(card, output=True)
    for _ in range(30):
        assert write_hop(device.stream, hop(), hop()) > 0
        assert card.moved - card.passed() <= HOP_SAMPLES


@pytest.mark.parametrize("output", [False, True])
def test_a_gone_device_is_a_number_at_once(output: bool) -> None:
    card = Card()
    card.codes = [UNPLUGGED]
    stream = CardDevice(card, output=output).stream
    assert (write_hop(stream, hop(), hop()) if output else read_hop(stream, hop())) == UNPLUGGED


@pytest.mark.parametrize("output", [False, True])
def test_a_device_that_does_nothing_is_given_up_after_two_seconds(output: bool) -> None:
    stream = CardDevice(Card(paced=False), output=output).stream
    begun = now_ns()
    assert (write_hop(stream, hop(), hop()) if output else read_hop(stream, hop())) == STALLED
    assert 2_000_000_000 <= now_ns() - begun < 4_000_000_000


@pytest.mark.parametrize("output", [False, True])
def test_a_driver_that_raises_has_failed(output: bool, caplog: pytest.LogCaptureFixture) -> None:
    card = Card()

    def broken(_sound: Samples) -> int:
        raise OSError(5, "Input/output error")

    card.transfer = broken  # type: ignore[method-assign]
    stream = CardDevice(card, output=output).stream
    assert (write_hop(stream, hop(), hop()) if output else read_hop(stream, hop())) == FAILED
    assert "Input/output error" in caplog.text


def test_a_driver_that_was_closed_has_failed() -> None:
    device = CardDevice(Card(), output=False)
    device.close()
    assert read_hop(device.stream, hop()) == FAILED


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf, 1e30, -9.0])
def test_garbage_from_a_driver_is_silence_and_counted(garbage: float) -> None:
    card = Card(channels=2)

    def source(size: int) -> Samples:
        sound = np.full(size, 0.25, np.float32)
        sound[10] = garbage
        return sound

    card.source = source
    device, out = CardDevice(card, output=False), hop()
    read_hop(device.stream, out)
    assert device.stream.invalid == 1
    assert out[5] == 0.125
    assert np.all(np.delete(out, 5) == 0.25)


def test_what_passes_is_kept_in_a_track() -> None:
    card, track = Card(), Track()
    card.source = lambda size: np.full(size, 0.5, np.float32)
    device = CardDevice(card, output=False, track=track)
    times = [read_hop(device.stream, hop()) for _ in range(4)]
    assert list(track.times_ns()) == times[::2]
    assert np.all(track.samples() == 0.5)
    heard = Track()
    speaker = CardDevice(Card(), output=True, track=heard)
    for _ in range(2):
        write_hop(speaker.stream, np.full(240, 0.5, np.float32), hop())
    assert np.all(heard.samples() == 0.25)
