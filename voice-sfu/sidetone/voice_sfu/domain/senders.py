"""Sender indices: unique in a room, and not given again for ten minutes.

A frame names its sender by two bytes. An index that came back at once would let a late frame of
the last holder be taken for one of the next.
"""

from collections.abc import Container

from sidetone.protocol.ids import Sender

REUSE_AFTER_MS = 10 * 60_000
_SENDERS = 1 << 16


class Senders:
    """Hands out indices in rising order, so that who is longer in the room has the lower one."""

    def __init__(self) -> None:
        self._next = 0
        self._free_at_ms: dict[int, int] = {}

    def take(self, taken: Container[int], now_ms: int) -> Sender | None:
        """Return an index that is neither *taken* nor resting; None when there is none."""
        self._forget(now_ms)
        for step in range(_SENDERS):
            sender = (self._next + step) % _SENDERS
            if sender not in self._free_at_ms and sender not in taken:
                self._next = (sender + 1) % _SENDERS
                return Sender(sender)
        return None

    def retire(self, sender: Sender, now_ms: int) -> None:
        """Let *sender* rest from now on."""
        self._free_at_ms[sender] = now_ms + REUSE_AFTER_MS

    def resting(self, now_ms: int) -> bool:
        """Tell whether an index still rests, so that the room must be remembered."""
        self._forget(now_ms)
        return bool(self._free_at_ms)

    def _forget(self, now_ms: int) -> None:
        # Retired in order of time, so those that are free again stand in front.
        rested: list[int] = []
        for sender, free_at_ms in self._free_at_ms.items():
            if free_at_ms > now_ms:
                break
            rested.append(sender)
        for sender in rested:
            del self._free_at_ms[sender]
