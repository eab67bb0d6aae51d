"""Draws the parts of a long page one after another, each in a call of its own.

Nothing else moves while Flet compares and sends what a component draws: sixty lines with a few
buttons each take a quarter of a second at once, and none of it when they come in turns.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, TypeVar

# Between two of them all else has its turn.
_PAUSE_SECONDS: Final = 0.004
T = TypeVar("T")


class Turns:
    """The parts that wait; *start* runs a task of the window."""

    def __init__(self, start: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._start = start
        self._waiting: deque[Callable[[], None]] = deque()
        self._running = False

    def take(self, draw: Callable[[], None]) -> Callable[[], None]:
        """Call *draw* when it is its turn; returns what gives the turn back."""
        self._waiting.append(draw)
        if not self._running:
            self._running = True
            self._start(self._run())
        return lambda: self._waiting.remove(draw) if draw in self._waiting else None

    async def _run(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(_PAUSE_SECONDS)
                if self._waiting:
                    self._waiting.popleft()()
        finally:
            self._running = False


def slices(parts: Sequence[T], length: int) -> Iterator[tuple[T, ...]]:
    """Cut *parts* into as many as can be drawn in one turn.

    >>> list(slices("abcde", 2))
    [('a', 'b'), ('c', 'd'), ('e',)]
    """
    for start in range(0, len(parts), length):
        yield tuple(parts[start : start + length])
