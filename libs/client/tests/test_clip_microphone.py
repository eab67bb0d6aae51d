import threading
from collections.abc import Generator

import numpy as np
import pytest

from sidetone.audio import HOP_SAMPLES
from sidetone.audio.streams import read_hop
from sidetone.client.clip_microphone import ClipMicrophone

TAIL_HOPS = 30


@pytest.fixture
def microphone() -> Generator[ClipMicrophone]:
    microphone = ClipMicrophone()
    yield microphone
    microphone.close()


def hear(microphone: ClipMicrophone, until: threading.Event) -> np.ndarray:
    """Read until *until*, and return what was heard, from its first sound on."""
    heard: list[np.ndarray] = []
    while not until.is_set():
        hop = np.zeros(HOP_SAMPLES, np.float32)
        assert read_hop(microphone.stream, hop) > 0
        heard.append(hop)
        assert len(heard) < 2_000
    return np.trim_zeros(np.concatenate(heard), "f")


def test_clips_are_said_whole_and_one_after_another(microphone: ClipMicrophone) -> None:
    first, second = np.full(60_000, 0.5), np.full(1_000, 0.25)
    said: list[str] = []
    both = threading.Event()
    assert microphone.say(first, lambda: said.append("first"))
    assert microphone.say(second, lambda: (said.append("second"), both.set()))
    heard = hear(microphone, both)
    assert said == ["first", "second"]
    assert np.array_equal(heard[:60_000], first)
    rest = np.trim_zeros(heard[60_000:], "f")
    assert heard.size - 60_000 - rest.size >= TAIL_HOPS * HOP_SAMPLES
    assert np.array_equal(rest[:1_000], second)
    assert rest.size >= 1_000 + (TAIL_HOPS - 1) * HOP_SAMPLES, "silence follows before it is said"
    assert not np.any(rest[1_000:])


def test_a_clip_after_a_pause_is_said_too(microphone: ClipMicrophone) -> None:
    for _ in range(2):
        said = threading.Event()
        assert microphone.say(np.full(480, 0.5), said.set)
        assert np.sum(hear(microphone, said)) == 240


def test_stereo_and_other_types_are_said_as_they_lie(microphone: ClipMicrophone) -> None:
    said = threading.Event()
    microphone.say(np.ones((2, 240), np.int16), said.set)
    assert np.sum(hear(microphone, said)) == 480


def test_very_many_clips_are_refused_and_nothing_is_said_after_the_end(
    microphone: ClipMicrophone,
) -> None:
    said = threading.Event()
    taken = [microphone.say(np.ones(10), said.set) for _ in range(66)]
    assert taken == [True] * 64 + [False] * 2
    microphone.close()
    assert not said.is_set()
