"""Keys that work while another window has the keyboard: chords, what they do, how one is chosen.

Pure: presses and releases go in by name, what they cause comes out. How long one is still heard
after the key to talk was released is the audio core's business (`release_ms`), which counts in
samples. Nobody may log what passes here: it is everything that is typed.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from sidetone.desktop.domain.preferences import Action, Keys
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid

# The names of keys that are held together: `{"ctrl", "m"}`, `{"mouse4"}`.
Chord: TypeAlias = frozenset[str]
Bindings: TypeAlias = Mapping[Action, Chord]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
CHORD_KEYS_MAX: Final = 4
# More than hands can hold: some of these were released unseen, behind a locked screen.
_HELD_MAX: Final = 16
_MODIFIERS: Final = ("ctrl", "alt", "alt_gr", "shift", "cmd")
# Everybody presses these all the time.
_NEVER: Final = frozenset({"mouse1", "mouse2"})
_CANCEL: Final = frozenset({"esc"})


class Talk(msgspec.Struct, frozen=True):
    """The key to talk is held, or is no longer."""

    pushed: bool


class Toggle(msgspec.Struct, frozen=True):
    """A key was pressed that turns something on or off."""

    action: Literal["mute", "deafen"]


class Captured(msgspec.Struct, frozen=True):
    """A new chord was pressed; None if the wish was given up."""

    chord: Chord | None


Effect: TypeAlias = Talk | Toggle | Captured


class Hotkeys:
    """Which keys are held, and what that means now."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._held: dict[str, None] = {}
        self._talks = False
        self._capturing = False
        self._captured: set[str] = set()

    def bind(self, bindings: Bindings) -> list[Effect]:
        """Go by *bindings* from now on: they were changed, or another server is open."""
        self._bindings = bindings
        return self._stop_talking(unless_held=True)

    def capture(self) -> list[Effect]:
        """Take the next chord as an answer instead of doing what it means."""
        self._capturing = True
        self._captured = set()
        return self._stop_talking()

    def cancel(self) -> list[Effect]:
        """Wait for no chord any more."""
        return self._answer(None) if self._capturing else []

    def forget(self) -> list[Effect]:
        """Know of no key that is held: nobody listens to keys any more."""
        self._held.clear()
        return [*self._stop_talking(), *self.cancel()]

    def pressed(self, key: str) -> list[Effect]:
        """Return what the press of *key* causes; keys that repeat while held cause nothing."""
        if key in self._held:
            return []
        self._held[key] = None
        if len(self._held) > _HELD_MAX:
            del self._held[next(iter(self._held))]
        if self._capturing:
            self._captured.add(key)
            return []
        return self._meant_by(key)

    def released(self, key: str) -> list[Effect]:
        """Return what the release of *key* causes."""
        self._held.pop(key, None)
        if self._capturing and key in self._captured:
            chord = frozenset(self._captured)
            self._captured = set()
            if chord == _CANCEL:
                return self._answer(None)
            # A click is how people use the dialog itself, not an answer to it.
            return self._answer(chord) if bindable(chord) else []
        return self._stop_talking(unless_held=True)

    def _meant_by(self, key: str) -> list[Effect]:
        """Of all chords that *key* completes, those of most keys are meant."""
        complete: list[tuple[Action, Chord]] = [
            (action, chord)
            for action, chord in self._bindings.items()
            if key in chord and chord <= self._held.keys()
        ]
        size = max((len(chord) for _, chord in complete), default=0)
        effects: list[Effect] = []
        for action, chord in complete:
            if len(chord) < size:
                continue
            if action != "push_to_talk":
                effects.append(Toggle(action))
            elif not self._talks:
                self._talks = True
                effects.append(Talk(pushed=True))
        return effects

    def _stop_talking(self, *, unless_held: bool = False) -> list[Effect]:
        chord = self._bindings.get("push_to_talk")
        held = unless_held and chord is not None and chord <= self._held.keys()
        if not self._talks or held:
            return []
        self._talks = False
        return [Talk(pushed=False)]

    def _answer(self, chord: Chord | None) -> list[Effect]:
        self._capturing = False
        return [Captured(chord)]


def bindable(chord: Chord) -> bool:
    """Tell whether *chord* can mean something: a few keys, and not just a click."""
    return 0 < len(chord) <= CHORD_KEYS_MAX and chord.isdisjoint(_NEVER)


def chord_of(text: str) -> Chord:
    """Read a chord as it is kept. Raises ``Invalid`` for what can be none.

    >>> sorted(chord_of("shift+ctrl+m"))
    ['ctrl', 'm', 'shift']
    """
    chord = frozenset(text.split("+"))
    if "" in chord or not bindable(chord):
        raise Invalid("chord_invalid", tr("{keys} cannot be used as keys.", keys=text))
    return chord


def text_of(chord: Chord) -> str:
    """Return how *chord* is kept: modifiers first, one spelling for one chord.

    >>> text_of(frozenset({"m", "shift", "ctrl"}))
    'ctrl+shift+m'
    """
    return "+".join(_sorted(chord))


def label_of(chord: Chord) -> str:
    """Return how *chord* is shown.

    >>> label_of(frozenset({"m", "page_up", "ctrl"})), label_of(frozenset({"mouse4"}))
    ('Ctrl + M + Page up', 'Mouse 4')
    """
    return " + ".join(_label(key) for key in _sorted(chord))


def action_name(action: Action) -> str:
    """Return what *action* is called."""
    match action:
        case "push_to_talk":
            return tr("Push to talk")
        case "mute":
            return tr("Mute or unmute")
        case "deafen":
            return tr("Deafen or undeafen")


def bindings_in(keys: Keys, server: ServerId | None) -> dict[Action, Chord]:
    """Return what keys mean while *server* is open: its own bindings before those for all.

    What cannot be read as a chord means nothing.
    """
    texts: dict[Action, str] = dict(keys.bindings)
    if server is not None:
        texts.update(keys.servers.get(server, {}))
    bindings: dict[Action, Chord] = {}
    for action, text in texts.items():
        try:
            bindings[action] = chord_of(text)
        except Invalid:
            continue
    return bindings


def taken(bindings: Bindings, action: Action, chord: Chord) -> str:
    """Return a line that names what else *chord* does already, empty if nothing.

    >>> taken({"mute": frozenset({"ctrl", "m"})}, "deafen", frozenset({"ctrl", "m"}))
    'Ctrl + M is already used: Mute or unmute.'
    """
    for other, used in bindings.items():
        if other != action and used == chord:
            return tr(
                "{keys} is already used: {action}.",
                keys=label_of(chord),
                action=action_name(other),
            )
    return ""


def _sorted(chord: Chord) -> list[str]:
    return [
        *(key for key in _MODIFIERS if key in chord),
        *sorted(key for key in chord if key not in _MODIFIERS),
    ]


def _label(key: str) -> str:
    match key:
        case "plus":
            return "+"
        case "cmd":
            return tr("Command key")
        case _ if key.startswith("mouse"):
            return tr("Mouse {button}", button=key.removeprefix("mouse"))
        case _ if len(key) == 1:
            return key.upper()
        case _:
            return key.replace("_", " ").capitalize()
