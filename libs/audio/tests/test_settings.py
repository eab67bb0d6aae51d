"""What people may choose, and what the encoder does about loss."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import AudioError
from sidetone.audio.adaptation import (
    UNKNOWN_LOSS_PERCENT,
    Adaptation,
    Protection,
)
from sidetone.audio.settings import Preset, VoiceSettings


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_is_possible(preset: Preset) -> None:
    assert VoiceSettings(bitrate=preset).bitrate == preset


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ({"bitrate": 31_999}, "a bitrate of 31999 bit/s is not possible; choose 32000 to 256000"),
        ({"frame_ms": 15}, "frames of 15 ms are not possible; choose 5, 10 or 20"),
        ({"complexity": 11}, "a complexity of 11 is not possible; choose 0 to 10"),
        ({"target_db": 0.0}, "a target level of 0.0 dB is not possible; choose -40 to -6"),
        ({"input_volume_percent": 201}, "an input volume of 201 % is not possible"),
        ({"release_ms": -1}, "a release delay of -1 ms is not possible; choose 0 to 2000"),
        ({"target_db": float("nan")}, "a target level of nan dB is not possible"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wish: dict[str, float], line: str) -> None:
    with pytest.raises(AudioError, match=line.replace("(", r"\(")):
        VoiceSettings(**wish)  # pyright: ignore[reportArgumentType]


def test_before_any_report_copies_are_made_and_the_length_is_as_wished() -> None:
    assert Adaptation(10, adapts=True).protection == Protection(480, UNKNOWN_LOSS_PERCENT)


def test_where_nothing_is_lost_no_copies_are_made() -> None:
    adaptation = Adaptation(5, adapts=True)
    adaptation.report(0.0)
    assert adaptation.protection == Protection(240, 0)


def test_short_frames_grow_where_copies_are_needed() -> None:
    adaptation = Adaptation(5, adapts=True)
    adaptation.report(2.0)
    assert adaptation.protection == Protection(480, 2)


def test_much_loss_makes_long_frames_and_only_little_loss_short_ones_again() -> None:
    adaptation = Adaptation(10, adapts=True)
    adaptation.report(8.0)
    assert adaptation.protection == Protection(960, 8)
    adaptation.report(2.0)
    assert adaptation.protection == Protection(960, 2), "between the two marks nothing changes"
    adaptation.report(None)
    assert adaptation.protection == Protection(480, UNKNOWN_LOSS_PERCENT)
    adaptation.report(0.0)
    assert adaptation.protection == Protection(480, 0)


def test_who_does_not_want_it_keeps_what_was_chosen() -> None:
    adaptation = Adaptation(20, adapts=False)
    adaptation.report(20.0)
    assert adaptation.protection == Protection(960, UNKNOWN_LOSS_PERCENT)


@given(st.lists(st.floats(0, 100)))
def test_whatever_is_reported_the_encoder_can_do_it(reports: list[float]) -> None:
    adaptation = Adaptation(10, adapts=True)
    for loss in reports:
        adaptation.report(loss)
        protection = adaptation.protection
        assert protection.frame_samples in {480, 960}
        assert 0 <= protection.loss_percent <= 30
