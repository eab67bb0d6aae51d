"""One timer for thousands of deadlines that are seldom met.

A deadline that moves is not moved here: when its slot comes up, whoever owns it says when to look
again. So a heartbeat costs nothing but a number.
"""

from typing import Generic, TypeVar

SLOT_MS = 250
T = TypeVar("T")


class Wheel(Generic[T]):
    """Items by the slot of time in which to look at them."""

    def __init__(self, now_ms: int) -> None:
        self._next = now_ms // SLOT_MS
        self._slots: dict[int, list[T]] = {}

    def put(self, item: T, due_ms: int) -> None:
        """Give *item* back at *due_ms*, or up to a slot later."""
        slot = max(due_ms // SLOT_MS + 1, self._next)
        self._slots.setdefault(slot, []).append(item)

    def turn(self, now_ms: int) -> list[T]:
        """Return what is due, and forget it."""
        now = now_ms // SLOT_MS
        if now - self._next > len(self._slots):
            due = sorted(slot for slot in self._slots if slot <= now)
        else:
            due = range(self._next, now + 1)
        self._next = max(self._next, now + 1)
        return [item for slot in due for item in self._slots.pop(slot, ())]
