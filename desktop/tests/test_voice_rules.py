"""What calls look like in words, who records, what keys of the page are called: pure rules."""

import asyncio
import os
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.client.events import (
    ConsentAsked,
    ConsentChanged,
    RecordingStarted,
    RecordingStopped,
    SpeakerStarted,
)
from sidetone.desktop.application.clips import add_clip, list_clips, remove_clip, rename_clip
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.application.volumes import Volumes
from sidetone.desktop.domain.page_keys import key_name
from sidetone.desktop.domain.place import place_at
from sidetone.desktop.domain.preferences import Preferences
from sidetone.desktop.domain.recording import Recording
from sidetone.desktop.domain.topics import Topics
from sidetone.desktop.domain.voice import (
    Counts,
    Figures,
    grouped,
    level_share,
    lost_percent,
    quality,
    quality_words,
    with_volume,
)
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid

_SPEECH = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"
_NOVA, _BOLT, _CINDER = (UserId(UUID(int=n)) for n in range(1, 4))
_COUNTS = st.builds(Counts, received=st.integers(0, 10**6), lost=st.integers(0, 10**6))
_PEOPLE = st.dictionaries(st.sampled_from([_NOVA, _BOLT, _CINDER]), _COUNTS)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        (None, "Measuring …"),
        (Figures(), "Measuring …"),
        (Figures(rtt_ms=20), "Excellent"),
        (Figures(rtt_ms=20, jitter_ms=45), "Good"),
        (Figures(rtt_ms=120, lost_percent=2), "Good"),
        (Figures(rtt_ms=320), "Delayed: 320 ms there and back"),
        (Figures(rtt_ms=20, lost_percent=8.4), "Choppy: 8 % lost"),
        (Figures(rtt_ms=20, others_lose_percent=12), "Choppy: 12 % lost"),
        (Figures(rtt_ms=500, jitter_ms=200), "Choppy: up to 200 ms late"),
    ],
)
def test_numbers_become_words(figures: Figures | None, words: str) -> None:
    assert quality_words(figures) == words


@given(st.floats(0, 1000), st.floats(0, 100), st.floats(0, 500), st.sampled_from(["rtt", "lost"]))
def test_a_worse_figure_never_makes_a_call_sound_better(
    rtt: float, lost: float, jitter: float, worse: str
) -> None:
    order = ["excellent", "good", "delayed", "choppy"]
    before = Figures(rtt_ms=rtt, lost_percent=lost, jitter_ms=jitter)
    field = {"rtt": {"rtt_ms": rtt + 100}, "lost": {"lost_percent": lost + 10}}[worse]
    after = msgspec.structs.replace(before, **field)
    assert order.index(quality(after)) >= order.index(quality(before))


@given(_PEOPLE, _PEOPLE)
def test_losses_are_a_share_whatever_was_counted_before(
    before: dict[UserId, Counts], now: dict[UserId, Counts]
) -> None:
    assert 0.0 <= lost_percent(before, now) <= 100.0
    assert lost_percent(now, now) == 0.0


def test_who_speaks_anew_is_counted_from_zero() -> None:
    assert lost_percent({_NOVA: Counts(500, 400)}, {_NOVA: Counts(10, 0)}) == 0.0


@given(st.floats(-200, 50))
def test_a_meter_is_never_more_than_full(level: float) -> None:
    assert 0.0 <= level_share(level) <= 1.0


@given(st.text("0123456789 ", max_size=80))
def test_digits_are_all_shown_in_their_order(digits: str) -> None:
    rows = grouped(digits)
    assert "".join("".join(rows).split()) == "".join(digits.split())
    assert all(len(row) <= 17 for row in rows)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Control Right", "ctrl"),
        ("Shift Left", "shift"),
        ("Meta Left", "cmd"),
        ("Escape", "esc"),
        ("F9", "f9"),
        (" ", "space"),
        ("+", "plus"),
        ("Arrow Up", "up"),
        ("Caps Lock", "caps_lock"),
    ],
)
def test_keys_of_the_page_have_the_names_of_all_keys(label: str, name: str) -> None:
    assert key_name(label) == name


def test_a_window_begins_where_its_address_says() -> None:
    assert place_at("/overlay", _NOVA).screen == "overlay"
    assert place_at(f"/watch/{_BOLT}", _NOVA).watching == _BOLT
    assert place_at("/", _NOVA).screen == "friends"


# --- recording ---


def test_who_is_asked_must_answer_once() -> None:
    recording = Recording(_NOVA)
    recording.apply(ConsentAsked(_BOLT))
    assert recording.must_answer == _BOLT
    assert recording.missing({_BOLT, _CINDER}) == {_CINDER}
    recording.apply(ConsentChanged(_NOVA, agrees=False))
    assert recording.must_answer is None


def test_a_recording_pauses_goes_on_and_ends_with_its_consents() -> None:
    recording = Recording(_NOVA)
    recording.apply(ConsentAsked(_BOLT))
    recording.apply(ConsentChanged(_NOVA, agrees=True))
    recording.apply(RecordingStarted(_BOLT))
    recording.apply(RecordingStopped(_BOLT, "paused"))
    assert (recording.running, recording.paused) == (set[UserId](), {_BOLT})
    recording.apply(RecordingStarted(_BOLT))
    assert (recording.running, recording.paused) == ({_BOLT}, set[UserId]())
    recording.apply(RecordingStopped(_BOLT, "stopped"))
    assert not recording.running
    recording.apply(ConsentAsked(_CINDER))
    assert recording.must_answer == _CINDER, "the next one is asked for anew"


def test_our_own_question_is_none_to_us_and_ends_without_an_event() -> None:
    recording = Recording(_NOVA)
    recording.apply(ConsentAsked(_NOVA))
    assert recording.asks
    assert recording.must_answer is None
    recording.stopped_asking()
    assert not recording.asks


def test_who_leaves_asks_no_more_and_what_is_no_recording_is_left_alone() -> None:
    recording = Recording(_NOVA)
    recording.apply(ConsentAsked(_BOLT))
    recording.left(_BOLT)
    assert recording.must_answer is None
    assert not recording.apply(SpeakerStarted(_BOLT))


# --- volumes ---


class _Store:
    def load(self) -> tuple[Preferences, str]:
        return Preferences(), ""

    def save(self, preferences: Preferences) -> None:
        self.saved = preferences


def _unheard(_: Topics) -> None:
    pass


async def test_who_was_silenced_comes_back_as_loud_as_before() -> None:
    store = _Store()
    preferences = KeepPreferences(store, Preferences(), _unheard)
    heard: list[tuple[UserId, int]] = []
    volumes = Volumes(preferences, lambda user, percent: heard.append((user, percent)))
    volumes.set(_BOLT, 140)
    volumes.silence(_BOLT, silent=True)
    assert volumes.of(_BOLT) == 0
    volumes.silence(_BOLT, silent=False)
    assert heard == [(_BOLT, 140), (_BOLT, 0), (_BOLT, 140)]
    await preferences.close()
    assert store.saved.voice.volumes == {_BOLT: 140}


@given(st.integers(0, 200))
def test_who_is_as_loud_as_all_takes_no_room(percent: int) -> None:
    louder = with_volume(Preferences(), _BOLT, percent)
    assert (_BOLT in louder.voice.volumes) == (percent != 100)
    assert with_volume(louder, _BOLT, 100) == Preferences()


# --- clips ---


async def test_clips_are_files_that_can_be_added_renamed_and_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    assert await list_clips(folder) == []
    clip = await add_clip(folder, "../../air horn?.wav", (_SPEECH / "ada.wav").read_bytes())
    assert clip.parent == folder
    assert [each.stem for each in await list_clips(folder)] == ["air horn"]
    await rename_clip(clip, "horn")
    (renamed,) = await list_clips(folder)
    with pytest.raises(Invalid):
        await rename_clip(renamed, "horn")
    await remove_clip(renamed)
    assert await list_clips(folder) == []


async def test_what_is_no_sound_becomes_no_clip(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"nonsense\.wav"):
        await add_clip(tmp_path, "nonsense.wav", b"RIFF of nothing")
    assert await asyncio.to_thread(os.listdir, tmp_path) == []
