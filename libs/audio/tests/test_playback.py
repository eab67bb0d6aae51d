"""The playing thread's chain, without the thread: what is heard of what arrives."""

import numpy as np
import pytest

from libs.audio.tests.voices import Ear, Said, Voice, begin, silence, tone
from sidetone.audio import HOP_SAMPLES, Samples
from sidetone.audio.playback import HELD_MAX, SPEAKERS_MAX
from sidetone.e2ee.aead import PlainFrameKey
from sidetone.e2ee.frames import Header
from sidetone.e2ee.media import Chain
from sidetone.e2ee.schedule import MediaKind

HOP_NS = 5_000_000


@pytest.fixture(scope="module")
def said(ada: Samples) -> list[Said]:
    return Voice(1).say(ada[48_000:144_000])


def frame(sender: int, counter: int, epoch: int = 0, opus: bytes = b"\x78\0\0") -> bytes:
    key = PlainFrameKey(Chain(bytes((sender,)) * 32).frame_key(0))
    return key.seal(Header(MediaKind.AUDIO, False, 0, epoch, sender, counter).pack(), opus)


def test_speech_is_heard(said: list[Said]) -> None:
    heard = Ear().hear([said])
    assert np.sqrt(np.mean(heard**2)) > 0.02


def test_gains_scale_one_speaker_and_the_output_everything(said: list[Said]) -> None:
    whole, half, quarter = Ear(), Ear(), Ear()
    for ear in (half, quarter):
        ear.memory.gains[2:4] = 0.5
    quarter.control.output_volume = quarter.control.output_before = 0.5
    reference = whole.hear([said])
    assert np.allclose(half.hear([said]), reference / 2, atol=1e-6)
    assert np.allclose(quarter.hear([said]), reference / 4, atol=1e-6)


def test_each_side_has_its_own_gain(said: list[Said]) -> None:
    ear = Ear()
    ear.memory.gains[2:4] = 0, 1
    for each in said[:100]:
        ear.take(each.wire)
        for _ in range(2):
            left, right = ear.hop()
    assert not left.any()
    assert right.any()


def test_a_changed_gain_glides_for_one_hop_and_stays(said: list[Said]) -> None:
    ear = Ear()
    ear.hear([said[:150]])
    ear.memory.gains[2:4] = 0
    after = ear.hear([said[150:]]).reshape(-1, HOP_SAMPLES)
    assert after[0].any()
    assert not after[1:].any()


def test_many_loud_speakers_never_exceed_full_scale(ada: Samples) -> None:
    ear = Ear()
    ear.memory.gains[:] = 2.0
    voices = [Voice(sender).say(ada[48_000:96_000]) for sender in range(1, 11)]
    heard = np.abs(ear.hear(voices))
    assert 0.9 < np.max(heard) <= 1


def test_a_deafened_listener_hears_nothing_and_the_streams_go_on(said: list[Said]) -> None:
    ear = Ear()
    ear.control.deafened, ear.control.output_before = 1, 0.0
    assert not ear.hear([said]).any()
    assert ear.control.opened == len(said)
    assert ear.memory.jitters[0].received == len(said)


def test_taps_see_each_speaker_alone_before_the_gain(said: list[Said]) -> None:
    ear = Ear()
    ear.control.taps = 1
    ear.memory.gains[2:4] = 0
    ear.hear([said[:100], Voice(2).say(tone(200))])
    tapped = ear.memory.tapped.drain()
    first = [hop.samples for hop in tapped if hop.sender == 1]
    assert len(first) > 150
    assert np.max(np.abs(np.concatenate(first))) > 0.05
    assert {int(hop.sender) for hop in tapped} == {1, 2}


def test_a_silent_speaker_is_freed_after_two_seconds(said: list[Said]) -> None:
    ear = Ear()
    ear.hear([said[:10]])
    for _ in range(390):
        ear.hop()
    assert ear.active() == [1]
    for _ in range(20):
        ear.hop()
    assert ear.active() == []


def test_who_leaves_is_freed_at_once_and_can_come_back(said: list[Said]) -> None:
    ear = Ear()
    ear.hear([said[:50]])
    ear.memory.forgets[1] = 1
    ear.hop()
    assert ear.active() == []
    assert ear.hear([said[50:]]).any()
    assert ear.active() == [1]


def test_speakers_are_bounded_and_those_beyond_are_counted() -> None:
    ear = Ear()
    for sender in range(1, SPEAKERS_MAX + 11):
        ear.take(frame(sender, 0))
    ear.hop()
    assert len(ear.active()) == SPEAKERS_MAX
    assert ear.control.crowded_out == 10


def test_what_does_not_open_is_counted_by_why_and_makes_no_speaker() -> None:
    ear = Ear()
    good = frame(1, 0)
    for wire in (good[:-1] + bytes((good[-1] ^ 1,)), frame(99, 0)[:20], frame(0, 0)):
        ear.take(wire)
    ear.hop()
    assert ear.active() == []
    # Header, unknown (our own, thrown back at us), forged: see audio_frames.REFUSALS.
    assert ear.control.refused[:6].tolist() == [0, 1, 1, 0, 0, 1]


def test_frames_that_overtake_their_commit_are_held_for_it() -> None:
    ear = Ear()
    for counter in range(HELD_MAX + 3):
        ear.take(frame(1, counter, epoch=1))
    ear.hop()
    assert ear.control.opened == 0
    assert ear.control.held_lost == 3
    begin(ear.keys, 0, 1)
    ear.hop()
    assert ear.control.opened == HELD_MAX


def test_a_frame_waits_half_a_second_for_its_commit() -> None:
    ear = Ear()
    ear.take(frame(1, 0, epoch=1))
    for _ in range(102):
        ear.hop()
    begin(ear.keys, 0, 1)
    ear.hop()
    assert ear.control.opened == 0
    assert ear.control.held_lost == 1


def test_the_first_frame_of_a_connection_is_noted() -> None:
    ear = Ear()
    ear.hop()
    assert ear.control.first_opened_ns == 0
    ear.take(frame(1, 0))
    ear.hop()
    assert ear.control.first_opened_ns > 0


def test_sidetone_is_our_own_voice_and_fades_in() -> None:
    voice = Voice(1)
    ear = Ear()
    ear.memory.parts = ear.memory.parts._replace(
        own=voice.memory.parts.own, own_words=voice.memory.parts.own_words
    )
    ear.control.own_volume = 0.5
    heard: list[Samples] = []
    for hop in tone(40).reshape(-1, HOP_SAMPLES):
        voice.say(hop)
        heard.append(ear.hop()[0])
    assert np.max(np.abs(np.concatenate(heard[5:]))) > 0.05
    ear.control.own_volume = 0
    ear.hop()
    voice.say(tone(1))
    assert not ear.hop()[0].any()


def test_a_recording_gets_every_opened_packet(said: list[Said]) -> None:
    ear = Ear()
    ear.control.copies_packets = 1
    ear.hear([said])
    kept = ear.memory.packets.drain()
    assert [slot.opus[: slot.length].tobytes() for slot in kept] == [each.opus for each in said]
    assert {(int(slot.sender), int(slot.samples)) for slot in kept} == {(1, 480)}
    assert [int(slot.counter) for slot in kept] == [each.header.counter for each in said]


def test_the_far_end_is_what_the_loudspeaker_plays(said: list[Said]) -> None:
    ear = Ear()
    for each in said[:60]:
        ear.take(each.wire)
        ear.hop()
        left, right = ear.hop()
    far = [slot.samples for slot in ear.memory.parts.far[-1:]]
    assert far[0].any()
    assert silence(1).size == left.size == right.size
