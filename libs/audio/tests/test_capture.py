"""The capturing thread's chain, without the thread: what is sent of what is said."""

import numpy as np
import pytest
from opuslib_next import api

from libs.audio.tests.voices import Voice, silence, tone
from sidetone.audio import HOP_NS, SAMPLE_RATE, Samples
from sidetone.audio.rings import SENT_SLOTS
from sidetone.audio.settings import Activation
from sidetone.e2ee.audio_frames import REFUSALS
from sidetone.e2ee.audio_keys import sweep_sealers

ALWAYS, PUSH_TO_TALK = int(Activation.ALWAYS), int(Activation.PUSH_TO_TALK)


def has_copy(opus: bytes) -> bool:
    """Ask libopus whether a packet holds a copy of the frame before it."""
    return bool(api.libopus.opus_packet_has_lbrr(opus, len(opus)))


def test_silence_sends_nothing() -> None:
    assert Voice().say(silence(200)) == []


def test_speech_brings_the_frame_before_it() -> None:
    voice = Voice()
    assert voice.say(silence(100)) == []
    said = voice.say(tone(4))
    begins = [(each.at_ns - 10**9) // HOP_NS for each in said]
    assert begins == [98, 100, 102]


def test_a_talkspurt_ends_once_after_the_hangover() -> None:
    voice = Voice()
    said = voice.say(tone(40)) + voice.say(silence(140))
    assert [each.header.end for each in said] == [False] * (len(said) - 1) + [True]
    assert 20 + 30 <= len(said) <= 20 + 33, "the filter may ring for a frame"


def test_no_frame_is_sent_twice(ada: Samples) -> None:
    said = Voice().say(ada[: ada.size // 480 * 480])
    times = [each.at_ns for each in said]
    assert times == sorted(set(times))
    assert len(times) > 0.85 * (ada.size // 480)


def test_mute_closes_the_spurt_and_then_nothing_leaves() -> None:
    voice = Voice()
    voice.say(tone(40))
    voice.processing.muted = 1
    muted = voice.say(tone(40))
    assert muted[-1].header.end
    assert len(muted) <= 2
    assert voice.processing.level_db > -30, "the meter still shows the microphone"
    voice.processing.muted = 0
    assert len(voice.say(tone(2))) == 1, "nothing spoken while muted is sent afterwards"


def test_loudness_is_one_to_seven_and_can_be_withheld() -> None:
    voice = Voice()
    voice.processing.gain_control, voice.processing.activation = 0, ALWAYS
    loud = [each.header.low for each in voice.say(tone(200, 0.5))]
    assert loud[0] < loud[-1] == 7
    soft = [each.header.low for each in voice.say(tone(150, 0.0004))]
    assert soft[0] == 7, "one frame changes nothing"
    assert 1 <= soft[-1] < 7
    assert np.max(np.abs(np.diff(loud + soft))[3:]) <= 1
    voice.control.withholds_loudness = 1
    assert {each.header.low for each in voice.say(tone(4))} == {0}


@pytest.mark.parametrize("bitrate", [32_000, 64_000, 96_000, 256_000])
@pytest.mark.parametrize("samples", [240, 480, 960])
def test_bitrate_and_frame_length_decide_the_size(bitrate: int, samples: int) -> None:
    voice = Voice()
    voice.control.bitrate, voice.control.frame_samples = bitrate, samples
    voice.processing.activation = ALWAYS
    voice.say(tone(8))
    said = voice.say(tone(40))
    assert {len(each.opus) for each in said} == {bitrate * samples // SAMPLE_RATE // 8}
    steps = np.diff([each.at_ns for each in said])
    assert set(steps.tolist()) == {samples // 240 * HOP_NS}


def test_a_frame_length_of_nonsense_is_ten_milliseconds() -> None:
    voice = Voice()
    voice.control.frame_samples = 7
    voice.processing.activation = ALWAYS
    assert len(voice.say(tone(40))) >= 19


def test_the_counter_counts_what_is_sent() -> None:
    voice = Voice()
    said = voice.say(tone(40)) + voice.say(silence(200)) + voice.say(tone(40))
    assert [each.header.counter for each in said] == list(range(len(said)))


def test_push_to_talk_sends_while_the_key_is_down_and_a_little_longer() -> None:
    voice = Voice()
    voice.processing.activation, voice.processing.release_ms = PUSH_TO_TALK, 100
    assert voice.say(tone(40)) == []
    voice.processing.pushed = 1
    assert len(voice.say(tone(40))) == 20, "nothing from before the key"
    voice.processing.pushed = 0
    after = voice.say(tone(40))
    assert 10 <= len(after) <= 11
    assert after[-1].header.end


def test_without_leave_to_send_speech_is_counted_and_kept_to_oneself() -> None:
    voice = Voice()
    voice.control.sends = 0
    assert voice.say(tone(40)) == []
    assert voice.control.frames_unsent == 20


def test_without_a_key_nothing_is_sent_and_it_is_said_why() -> None:
    voice = Voice()
    voice.memory.parts.key_words[:] = 0
    assert voice.say(tone(40)) == []
    assert voice.control.frames_unsealed >= 20
    assert REFUSALS[voice.control.refusal] == "no_epoch"
    sweep_sealers(
        voice.memory.parts.epochs, voice.memory.parts.sealers, voice.memory.parts.key_words
    )


def test_frames_that_nobody_takes_are_dropped_at_the_bound() -> None:
    voice = Voice()
    voice.processing.activation = ALWAYS
    voice.control.hop[:] = 0
    drain, voice.memory.sent.drain = voice.memory.sent.drain, list
    voice.say(tone(4 * SENT_SLOTS))
    assert len(drain()) == SENT_SLOTS
    assert voice.memory.sent.words[16] == SENT_SLOTS


def test_copies_for_the_lossy_are_made_when_loss_is_reported(ada: Samples) -> None:
    voice = Voice()
    plain = voice.say(ada[48_000:96_000])
    voice.control.loss_percent = 10
    repaired = voice.say(ada[96_000:144_000])
    assert sum(has_copy(each.opus) for each in plain) == 0
    assert sum(has_copy(each.opus) for each in repaired) > 0.5 * len(repaired)


def test_silence_that_opus_leaves_out_ends_the_talkspurt() -> None:
    voice = Voice()
    voice.processing.activation, voice.control.dtx, voice.control.loss_percent = ALWAYS, 1, 5
    voice.control.complexity_max = 10
    voice.say(tone(40))
    quiet = voice.say(silence(300))
    assert sum(each.header.end for each in quiet) >= 1
    assert len(quiet) < 100
    assert len(voice.say(tone(40))) >= 18


def test_a_clip_is_mixed_in_and_opens_the_gate() -> None:
    voice = Voice()
    clip = tone(20, 0.5, 800)
    voice.say(silence(40))
    voice.control.clip, voice.control.clip_samples = clip.ctypes.data, clip.size
    voice.control.clip_gain, voice.control.clip_serial = 1.0, 1
    said = voice.say(silence(40))
    assert 10 <= len(said) <= 12
    assert voice.control.clips_played == 1
    voice.processing.muted = 1
    voice.control.clip_serial = 2
    assert [each for each in voice.say(silence(40)) if not each.header.end] == []


def test_a_recording_gets_a_copy_of_every_packet() -> None:
    voice = Voice()
    voice.control.copies_packets = 1
    said = voice.say(tone(40))
    kept = voice.memory.packets.drain()
    assert [slot.opus[: slot.length].tobytes() for slot in kept] == [each.opus for each in said]
    assert [int(slot.at_ns) for slot in kept] == [each.at_ns for each in said]


def test_a_driver_s_nonsense_becomes_silence_and_is_counted() -> None:
    voice = Voice()
    voice.processing.activation = ALWAYS
    said = voice.say(np.full(480 * 4, np.nan, np.float32))
    assert len(said) == 4
    assert voice.processing.bad_hops == 8
    assert len(voice.say(tone(40))) == 20


def test_a_busy_machine_gets_a_simpler_encoder_and_an_idle_one_the_best() -> None:
    voice = Voice()
    voice.control.complexity_max = 10
    voice.processing.activation = ALWAYS
    voice.control.busy_ns = 3e6
    voice.say(tone(202))
    assert voice.control.complexity == 9
    voice.say(tone(200))
    assert voice.control.complexity == 8
    voice.control.busy_ns = 1e5
    voice.say(tone(200))
    assert voice.control.complexity == 9
