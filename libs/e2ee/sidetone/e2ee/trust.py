"""Trust on first use: which user key belongs to whom, remembered from call to call.

A key that differs from the remembered one is never taken over silently: it stays *changed* until a
person confirms it. Saving the pins is the caller's business (`vault`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Shield(Enum):
    """What we know of a member's user key."""

    VERIFIED = "verified"
    KNOWN = "known"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Pin:
    """A user's remembered key; *verified* when two people compared their safety number."""

    user: bytes
    uik: bytes
    verified: bool = False


class Trust:
    """The pins of all users whom we have met."""

    def __init__(self, pins: Iterable[Pin] = ()) -> None:
        self._pins = {pin.user: pin for pin in pins}

    def pins(self) -> tuple[Pin, ...]:
        """List all pins, to be saved."""
        return tuple(self._pins.values())

    def meet(self, user: bytes, uik: bytes) -> bool:
        """Pin the key of a user whom we meet for the first time; tell whether that happened."""
        if user in self._pins:
            return False
        self._pins[user] = Pin(user, uik)
        return True

    def shield(self, user: bytes, uik: bytes) -> Shield:
        """Judge a key that a user shows; a user without a pin counts as known."""
        pin = self._pins.get(user)
        if pin is not None and pin.uik != uik:
            return Shield.CHANGED
        return Shield.VERIFIED if pin is not None and pin.verified else Shield.KNOWN

    def confirm(self, user: bytes, uik: bytes) -> None:
        """Accept *uik* as the user's key from now on, as known; a verification stays if equal."""
        pin = self._pins.get(user)
        if pin is None or pin.uik != uik:
            self._pins[user] = Pin(user, uik)

    def verify(self, user: bytes, uik: bytes) -> None:
        """Accept *uik* after the safety number was compared."""
        self._pins[user] = Pin(user, uik, verified=True)
