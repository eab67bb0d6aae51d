"""Where one is in a long history, so that it stays in its place whatever happens around it.

Only some chunks are drawn; the others are empty space as high as they were. Heights count from
the newest message up, because that is where a list of messages begins. What lies below the eye
and changes its height would push all that is seen: by so much the list must be moved.
Pure: pixels in, pixels out.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from sidetone.desktop.domain.rows import Chunk, alive, likely_height

# Within so many pixels of the end one is at the end.
END_PIXELS: Final = 40.0


class Drawn(msgspec.Struct, frozen=True):
    """What a list is made of: empty space *below*, *chunks* newest first, empty space *above*."""

    below: float
    chunks: Sequence[Chunk]
    above: float


class Scrolling:
    """The place of one window in one channel.

    *offset* is how many pixels lie below what is seen, *viewport* how many are seen.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self.viewport = 0.0
        # Before the first look at something nothing must stay where it is.
        self.settled = False
        self._order: Sequence[Chunk] = ()
        self._alive = range(0)
        self._center: int | None = None
        self._heights: dict[int, float] = {}
        self._shown: dict[int, float] = {}

    @property
    def at_end(self) -> bool:
        """Whether the newest of what is drawn is seen."""
        return self.offset < END_PIXELS

    def forget(self) -> None:
        """Begin anew: something else is shown."""
        self.__init__()

    def look_at(self, chunk: int | None) -> None:
        """Have *chunk* drawn and what is around it; None: the newest."""
        self._center = chunk

    def draw(self, chunks: Sequence[Chunk]) -> Drawn:
        """Return what to draw of *chunks*, which are oldest first."""
        order = self._order = tuple(reversed(chunks))
        if not order:
            self._alive = range(0)
            return Drawn(0, (), 0)
        center = next((i for i, each in enumerate(order) if each.key == self._center), 0)
        living = self._alive = alive([len(each.rows) for each in order], center)
        heights = [self._height(each) for each in order]
        shown = {order[i].key: heights[i] for i in range(len(order)) if i not in living}
        self._shown = {each.key: self._shown.get(each.key, 0) for each in order} | shown
        self._heights = {key: h for key, h in self._heights.items() if key in self._shown}
        below = sum(heights[: living.start])
        return Drawn(below, order[living.start : living.stop], sum(heights[living.stop :]))

    def moved(self, offset: float, viewport: float) -> bool:
        """Note where one is now, and return whether other chunks must be drawn for it."""
        self.offset, self.viewport = offset, viewport
        first = self._index_at(offset)
        last = self._index_at(offset + viewport)
        wanted = range(max(0, first - 1), min(len(self._order), last + 2))
        if not wanted or (wanted.start >= self._alive.start and wanted.stop <= self._alive.stop):
            return False
        self._center = self._order[self._index_at(offset + viewport / 2)].key
        return True

    def measured(self, chunk: int, height: float, *, at_end: bool) -> float:
        """Note how high *chunk* is, and return by how much to move so that nothing seems to move.

        *at_end*: the end is looked at, and what is new there shall be seen.
        """
        if chunk not in self._shown:
            return 0
        edge = 0.0
        for each in self._order:
            if each.key == chunk:
                break
            edge += self._shown[each.key]
        before, self._shown[chunk] = self._shown[chunk], height
        self._heights[chunk] = height
        hidden = edge + before <= self.offset + 1
        if at_end or not self.settled or not hidden:
            return 0
        self.offset += height - before
        return height - before

    def is_measured(self, chunk: int) -> bool:
        """Return whether *chunk* is drawn and its height known."""
        return self._shown.get(chunk, 0) > 0 and any(
            self._order[index].key == chunk for index in self._alive
        )

    def _height(self, chunk: Chunk) -> float:
        return self._heights.get(chunk.key, likely_height(chunk))

    def _index_at(self, pixels: float) -> int:
        """Return which chunk is at so many pixels above the end."""
        edge = 0.0
        for index, chunk in enumerate(self._order):
            edge += self._height(chunk)
            if edge > pixels:
                return index
        return max(0, len(self._order) - 1)
