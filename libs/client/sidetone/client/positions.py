"""Where everybody is in the game's world, and so how they are heard. No I/O, no clock.

Positions travel inside the encrypted payload, so no server learns them. Each speaker sends theirs
when it has changed, 20 times a second at most, and once a second otherwise, for those who missed
it; who falls silent about it is heard without a place again. Off until switched on.
"""

from dataclasses import dataclass
from typing import Final

from sidetone.audio.space import COORDINATE_MAX, Falloff, Listener, Vector, ears, is_somewhere
from sidetone.e2ee.data import pack_position, parse_position
from sidetone.e2ee.rejected import Rejected

INTERVAL_MS: Final = 50
REPEAT_MS: Final = 1_000
FORGET_MS: Final = 5_000
_BURST: Final = 4

_BOTH_EARS: Final = (1.0, 1.0)


@dataclass(slots=True)
class _Place:
    at: Vector
    counter: tuple[int, int]
    heard_ms: int
    # What the sender may still send at once; refilled with time.
    allowance: float = _BURST


class Positions:
    """Our own place, the listener's ears, and the places of the others."""

    def __init__(self) -> None:
        self.falloff = Falloff()
        self.listener = Listener()
        self.on = False
        self._own: Vector | None = None
        self._sent: Vector | None = None
        self._sent_ms = -REPEAT_MS
        self._places: dict[int, _Place] = {}

    def set_own(self, place: Vector | None) -> None:
        """Be at *place* from now on, or nowhere; ``ValueError`` for what is no place."""
        if place is not None and not is_somewhere(place):
            raise ValueError(f"a position is three numbers up to {COORDINATE_MAX:g}, not {place}")
        self._own = place

    def outgoing(self, now_ms: int) -> bytes | None:
        """Return our position if it is to be sent now."""
        due_ms = REPEAT_MS if self._own == self._sent else INTERVAL_MS
        if not self.on or self._own is None or now_ms - self._sent_ms < due_ms:
            return None
        self._sent, self._sent_ms = self._own, now_ms
        return pack_position(*self._own)

    def received(self, sender: int, counter: tuple[int, int], payload: bytes, now_ms: int) -> bool:
        """Take where *sender* is; return whether that changed anything.

        *counter* orders packets (epoch, counter): an older one that comes late is left out, as is
        one too many. Raises ``Rejected`` with `data_malformed`, also for numbers that are none.
        """
        at = parse_position(payload)
        if not is_somewhere(at):
            raise Rejected("data_malformed", "A position is not three numbers.")
        place = self._places.get(sender)
        if place is None:
            self._places[sender] = _Place(at, counter, now_ms)
            return True
        refilled = (now_ms - place.heard_ms) / INTERVAL_MS
        allowance = min(place.allowance + refilled, _BURST)
        if counter <= place.counter or allowance < 1:
            return False
        self._places[sender] = _Place(at, counter, now_ms, allowance - 1)
        return at != place.at

    def forget_silent(self, now_ms: int) -> list[int]:
        """Forget the places of those who no longer tell them; returns who that is."""
        silent = [
            sender
            for sender, place in self._places.items()
            if now_ms - place.heard_ms >= FORGET_MS
        ]
        for sender in silent:
            del self._places[sender]
        return silent

    def enter_room(self) -> None:
        """Forget all places: those in a new room have other indices."""
        self._places.clear()

    def forget(self, sender: int) -> None:
        """Forget the place of one who has left."""
        self._places.pop(sender, None)

    def ears(self, sender: int) -> tuple[float, float]:
        """Return how loud *sender* is at the left and the right ear; both 1 without a place."""
        place = self._places.get(sender)
        if place is None or not self.on:
            return _BOTH_EARS
        return ears(self.listener, place.at, self.falloff)
