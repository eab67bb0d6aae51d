from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.desktop.domain.hotkeys import (
    Bindings,
    Captured,
    Effect,
    Hotkeys,
    Talk,
    Toggle,
    bindable,
    bindings_in,
    chord_of,
    label_of,
    taken,
    text_of,
)
from sidetone.desktop.domain.preferences import Keys
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid

BINDINGS: Final[Bindings] = {
    "push_to_talk": chord_of("v"),
    "mute": chord_of("ctrl+m"),
    "deafen": chord_of("ctrl+shift+m"),
}


def played(hotkeys: Hotkeys, keys: str) -> list[Effect]:
    """Press what stands there, release what stands behind a minus."""
    effects: list[Effect] = []
    for key in keys.split():
        effects += hotkeys.released(key[1:]) if key.startswith("-") else hotkeys.pressed(key)
    return effects


ON, OFF = Talk(pushed=True), Talk(pushed=False)
MUTE, DEAFEN = Toggle("mute"), Toggle("deafen")


@pytest.mark.parametrize(
    ("keys", "effects"),
    [
        ("v -v", [ON, OFF]),
        ("v v v v -v -v", [ON, OFF]),  # the system repeats a held key
        ("shift v w -w -shift -v", [ON, OFF]),  # one runs while talking
        ("ctrl m m m -m m -ctrl -m", [MUTE, MUTE]),
        ("m ctrl", [MUTE]),
        ("ctrl shift m", [DEAFEN]),  # the longest chord is meant
        ("a b -a -b -v", []),
    ],
)
def test_keys_do_what_they_are_bound_to(keys: str, effects: list[Effect]) -> None:
    assert played(Hotkeys(BINDINGS), keys) == effects


def test_a_mouse_button_lets_one_talk() -> None:
    hotkeys = Hotkeys({"push_to_talk": chord_of("mouse4")})
    assert played(hotkeys, "mouse4 a -a -mouse4") == [ON, OFF]


def test_the_key_to_talk_may_be_a_chord_that_ends_with_its_first_key() -> None:
    hotkeys = Hotkeys({"push_to_talk": chord_of("ctrl+alt")})
    assert played(hotkeys, "ctrl alt -ctrl ctrl -alt -ctrl") == [ON, OFF, ON, OFF]


def test_a_change_of_server_ends_talk_by_a_key_that_means_nothing_there() -> None:
    hotkeys = Hotkeys(BINDINGS)
    played(hotkeys, "v")
    assert hotkeys.bind(BINDINGS) == []
    assert hotkeys.bind({"push_to_talk": chord_of("b")}) == [OFF]
    assert played(hotkeys, "-v b") == [ON]


def test_who_stops_listening_stops_talking() -> None:
    hotkeys = Hotkeys(BINDINGS)
    played(hotkeys, "v")
    assert hotkeys.forget() == [OFF]
    assert played(hotkeys, "-v v") == [ON]


@pytest.mark.parametrize(
    ("keys", "chord"),
    [
        ("ctrl m -m", "ctrl+m"),
        ("ctrl -ctrl", "ctrl"),
        ("mouse5 -mouse5", "mouse5"),
        ("esc -esc", None),
        ("ctrl esc -esc", "ctrl+esc"),
        ("mouse1 -mouse1 ctrl mouse1 -mouse1 -ctrl x -x", "x"),
        ("a b c d e -a -b -c -d -e x -x", "x"),
    ],
)
def test_a_new_chord_is_what_is_held_until_the_first_release(keys: str, chord: str | None) -> None:
    hotkeys = Hotkeys(BINDINGS)
    assert hotkeys.capture() == []
    assert played(hotkeys, keys) == [Captured(chord_of(chord) if chord else None)]


def test_while_a_chord_is_chosen_no_key_does_anything_else() -> None:
    hotkeys = Hotkeys(BINDINGS)
    played(hotkeys, "v")
    assert hotkeys.capture() == [OFF]
    assert played(hotkeys, "-v ctrl m -m") == [Captured(chord_of("ctrl+m"))]
    assert played(hotkeys, "m") == [MUTE]
    hotkeys.capture()
    assert hotkeys.cancel() == [Captured(None)]
    assert hotkeys.cancel() == []


def test_a_key_that_was_released_unseen_is_forgotten() -> None:
    hotkeys = Hotkeys(BINDINGS)
    played(hotkeys, "ctrl " + " ".join(f"f{n}" for n in range(20)))
    assert played(hotkeys, "m") == []


KEYS = st.sampled_from(["ctrl", "shift", "m", "v", "x", "mouse1", "mouse4", "esc", "plus"])
STEPS = st.lists(st.tuples(st.sampled_from(["pressed", "released"]), KEYS) | st.just(()))


@given(STEPS)
def test_talk_alternates_and_only_runs_while_its_key_is_held(
    steps: list[tuple[str, str] | tuple[()]],
) -> None:
    hotkeys, talks, held = Hotkeys(BINDINGS), False, set[str]()
    for step in steps:
        if step:
            what, key = step
            held = held | {key} if what == "pressed" else held - {key}
            effects = getattr(hotkeys, what)(key)
        else:
            effects = hotkeys.capture()
        for effect in effects:
            if isinstance(effect, Talk):
                assert effect.pushed != talks
                talks = effect.pushed
            elif isinstance(effect, Toggle):
                assert "m" in held
            else:
                assert effect.chord is None or bindable(effect.chord)
        assert not talks or "v" in held


@given(st.frozensets(KEYS, min_size=1))
def test_a_chord_has_one_spelling(chord: frozenset[str]) -> None:
    if bindable(chord):
        assert chord_of(text_of(chord)) == chord
        assert label_of(chord)
    else:
        with pytest.raises(Invalid):
            chord_of(text_of(chord))


@pytest.mark.parametrize("text", ["", "ctrl+", "+m", "a+b+c+d+e", "mouse1", "ctrl+mouse2"])
def test_what_is_no_chord_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        chord_of(text)


def test_a_server_has_bindings_of_its_own() -> None:
    home, other = ServerId(UUID(int=1)), ServerId(UUID(int=2))
    keys = Keys({"mute": "ctrl+m", "push_to_talk": "v"}, {home: {"push_to_talk": "mouse4"}})
    assert bindings_in(keys, None) == {"mute": chord_of("ctrl+m"), "push_to_talk": chord_of("v")}
    assert bindings_in(keys, other) == bindings_in(keys, None)
    assert bindings_in(keys, home) == {
        "mute": chord_of("ctrl+m"),
        "push_to_talk": chord_of("mouse4"),
    }
    damaged: dict[Any, str] = {"mute": "+++"}
    assert bindings_in(Keys(damaged), None) == {}


def test_a_conflict_is_named() -> None:
    assert "Mute" in taken(BINDINGS, "deafen", chord_of("m+ctrl"))
    assert taken(BINDINGS, "mute", chord_of("m+ctrl")) == ""
    assert taken(BINDINGS, "mute", chord_of("x")) == ""
