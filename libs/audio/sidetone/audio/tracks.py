"""Sound together with the clock it was spoken or heard at: what measurements are made of."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, Frame, Samples


class Track:
    """The latest frames of one stream, each with the time of its first sample.

    Bounded: beyond *seconds_max* the oldest frames fall out. One thread appends; another may read.
    """

    def __init__(self, seconds_max: float = 120.0) -> None:
        self._frames = deque[tuple[int, Samples]](
            maxlen=max(1, int(seconds_max * 1000) // FRAME_MS)
        )

    def append(self, frame: Frame, at_ns: int) -> None:
        """Keep a copy of *frame*, whose first sample sounded at *at_ns* of the monotonic clock."""
        self._frames.append((at_ns, frame.copy()))

    def __len__(self) -> int:
        return len(self._frames)

    def between(self, from_ns: int, to_ns: int) -> "Track":
        """Return the frames that began in this span, as a track of their own."""
        cut = Track(max(1.0, (to_ns - from_ns) / 1e9))
        for at_ns, frame in reversed(self._frames.copy()):
            if at_ns < from_ns:
                break
            if at_ns < to_ns:
                cut._frames.appendleft((at_ns, frame))
        return cut

    def samples(self) -> Samples:
        """Return everything kept as one array, without regard to gaps in time."""
        frames = [frame for _, frame in self._frames.copy()]
        return np.concatenate(frames) if frames else np.zeros(0, np.float32)

    def times_ns(self) -> NDArray[np.int64]:
        """Return the time of the first sample of every frame."""
        return np.array([at_ns for at_ns, _ in self._frames.copy()], np.int64)
