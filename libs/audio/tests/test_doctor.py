import json
from dataclasses import replace

import pytest

from sidetone.audio.doctor import Diagnosis, Kernels, describe, examine
from sidetone.audio.self_test import DeviceReport, Report, VoiceReport, made_up_voice
from sidetone.audio.sound_card import DeviceInfo

GOOD_VOICE = VoiceReport(5.0, 24.6, 0.5, 500, 500, 0.0, 0.0, 240.0, 60.0)


def diagnosis(**changes: object) -> Diagnosis:
    """Return what is found where all is well, but for *changes*."""
    card = DeviceInfo(0, "Headset", "ALSA", "input", 1, 48_000, 8.7, 34.8, is_default=True)
    report = Report(
        devices=[card],
        no_devices="",
        priority="SCHED_FIFO 20",
        microphone=DeviceReport("Headset", direct=True, level_db=-20.0),
        loudspeaker=DeviceReport("Headset", direct=True),
        voice=GOOD_VOICE,
        failures=[],
    )
    return Diagnosis(Kernels(187, 0, 0.7), replace(report, **changes))


@pytest.mark.alone
def test_the_voice_arrives_whatever_devices_there_are() -> None:
    told: list[tuple[str, float]] = []
    found = examine(lambda what, share: told.append((what, share)), seconds=2.0)
    assert not found.impossible
    assert found.test is not None
    assert found.test.voice.packets_received > 150
    assert found.test.voice.delay_ms is not None
    assert found.kernels is not None
    assert found.kernels.count > 5
    assert told[-1][1] == 1.0
    assert json.loads(json.dumps(found.as_dict()))["test"]["voice"]["seconds"] == 2.0


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    assert describe(diagnosis()) == [
        "Compiled functions: 187, loaded in 0.7 s.",
        "Input: Headset [ALSA], 1 channels, 48000 Hz, latency 9 ms (default)",
        "Your microphone “Headset” works (loudest -20 dB).",
        "Your loudspeaker “Headset” works.",
        "Test voice: heard 25 ms after it was spoken, 0 of 5000 ms made up.",
        "Work: 10 ms of sound take 0.24 ms to say and 0.06 ms to hear.",
        "Priority: SCHED_FIFO 20.",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"microphone": DeviceReport("H", direct=True, level_db=-120.0)},
            "see whether it is mute",
        ),
        (
            {"microphone": DeviceReport(problem="no microphone: plug one in")},
            "No microphone: plug",
        ),
        (
            {"loudspeaker": DeviceReport("H", direct=True, xruns=9)},
            "stuttered 9 times: close what",
        ),
        ({"loudspeaker": DeviceReport("H")}, "works; it is reached by a detour"),
        ({"no_devices": "needs PyAudio"}, "No devices: needs PyAudio."),
        ({"failures": ["the microphone is gone"]}, "During the test: the microphone is gone."),
        ({"voice": replace(GOOD_VOICE, lateness_ms=30.0)}, "was up to 30 ms late: close what"),
        ({"voice": replace(GOOD_VOICE, cpu_capture_us=6_000.0)}, "switch noise suppression off"),
        ({"voice": replace(GOOD_VOICE, packets_received=400)}, "only 400 arrived"),
        ({"voice": replace(GOOD_VOICE, delay_ms=None)}, "arrived, but not clearly"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(changes: dict[str, object], line: str) -> None:
    assert any(line in each for each in describe(diagnosis(**changes)))


def test_a_first_run_says_that_the_next_is_faster() -> None:
    found = diagnosis()
    found.kernels = Kernels(187, 187, 40.0)
    assert describe(found)[0] == (
        "Compiled functions: 187, 187 of them compiled just now, in 40.0 s; "
        "the next start is faster."
    )


def test_where_there_can_be_no_sound_that_is_all_there_is_to_say() -> None:
    found = replace(diagnosis(), impossible="the Opus codec cannot be loaded: install it")
    assert describe(found) == [
        "Sound is not possible: the Opus codec cannot be loaded: install it."
    ]


def test_no_second_of_the_made_up_voice_sounds_like_another() -> None:
    voice = made_up_voice(5.0)
    assert 0.1 < abs(voice).max() < 0.9
    pieces = voice[: 5 * 48_000].reshape(5, -1)
    for at, piece in enumerate(pieces):
        for other in pieces[at + 1 :]:
            assert abs(piece @ other) < 0.5 * (piece @ piece)
