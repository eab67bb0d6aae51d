"""Line up the frame counters of all epochs in one stream of indices.

A counter starts at 0 with each epoch of the key schedule, while the sound goes on: counter 0 of a
new epoch follows the last frame of the epoch before it.
"""

from typing import Final

_EPOCHS_MAX: Final = 8
_JUMP_FRAMES: Final = 24


class Epochs:
    """The index at which each of the latest epochs starts; at most eight are remembered."""

    def __init__(self) -> None:
        self.highest = -1
        self._starts: dict[int, int] = {}

    def begins(self, epoch: int) -> bool:
        """Say whether *epoch* is newer than all that were seen."""
        return epoch > max(self._starts, default=-1)

    def begin(self, epoch: int, counter: int, missing: int) -> None:
        """Start a new epoch of which *counter* came first, after *missing* frames that did not.

        A counter far from 0 is not a reordered first packet: the listener came in the middle, and
        what it hears first is made to follow what it heard last.
        """
        heard = bool(self._starts)
        start = self.highest + 1 + (missing if heard else 0)
        if counter > _JUMP_FRAMES:
            start -= counter
        self._starts[epoch] = start
        if len(self._starts) > _EPOCHS_MAX:
            del self._starts[min(self._starts)]

    def index(self, epoch: int, counter: int) -> int | None:
        """Place a frame in the stream; None for an epoch that was never or long ago begun."""
        start = self._starts.get(epoch)
        return None if start is None else start + counter

    def start_after(self, epoch: int) -> int | None:
        """Return where the next known epoch starts, if there is one."""
        return min((at for known, at in self._starts.items() if known > epoch), default=None)

    def shift_after(self, epoch: int, frames: int) -> None:
        """Move all later epochs back: the end of *epoch* was longer than it had seemed."""
        for known in self._starts:
            if known > epoch:
                self._starts[known] += frames
        self.highest += frames
