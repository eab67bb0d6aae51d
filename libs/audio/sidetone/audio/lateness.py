"""How late packets come: the statistics that decide how long a listener waits. Pure; times in ms.

The transit of a packet is its arrival time less its place in the stream (index times 10 ms). Only
differences of transits mean anything, so the clocks of speaker and listener need not agree.
"""

from typing import Final

import numpy as np

TARGET_MIN_MS: Final = 10.0
TARGET_MAX_MS: Final = 80.0

_QUANTILE: Final = 0.95
_FORGET: Final = 0.995
_BUCKETS: Final = 100
_WINDOW_PACKETS: Final = 200
_MARGIN_MS: Final = 5.0
_REPAIR_MS: Final = 20.0
_LOSS_SHARE: Final = 0.002
_LOSSY_FROM: Final = 0.01
_LOSSY_UNTIL: Final = 0.002


class Lateness:
    """The earliest transit lately seen, and the late tail above it.

    The earliest is a minimum over the last 2 to 4 s: it follows a drifting clock up and down. The
    tail is the 95th percentile of a histogram with buckets of 1 ms that forgets over 2 s of
    speech; it survives pauses, the earliest transit does not.
    """

    def __init__(self) -> None:
        self.base_ms = 0.0
        self.tail_ms = 0.0
        self._window_ms = (0.0, 0.0)
        self._window_packets = 0
        self._histogram = np.zeros(_BUCKETS, np.float64)
        self._histogram[0] = 1.0
        self._loss = 0.0
        self._lossy = False

    @property
    def target_ms(self) -> float:
        """How long after its earliest possible arrival a frame is to be played: 10 to 80 ms.

        On a link that loses packets two frames more, from 1 % of loss on, until it has stayed
        under 0.2 %: one so that the copy in the next packet is there when it is needed, one so
        that after two losses in a row the packet behind them is, and no frame is invented in
        between that would have to be squeezed out again (PESQ-WB at 10 % of loss: 3.0 with one
        frame, 3.5 with two).
        """
        repair_ms = _REPAIR_MS if self._lossy else 0.0
        return min(max(self.tail_ms + _MARGIN_MS + repair_ms, TARGET_MIN_MS), TARGET_MAX_MS)

    def restart(self, transit_ms: float) -> None:
        """Begin a talkspurt: the silence before it has moved every transit by the same amount."""
        self.base_ms = transit_ms
        self._window_ms = (transit_ms, transit_ms)
        self._window_packets = 0

    def observe(self, transit_ms: float) -> None:
        """Take the transit of one more packet into account."""
        before_ms, now_ms = self._window_ms
        now_ms = min(now_ms, transit_ms)
        self.base_ms = min(before_ms, now_ms)
        self._window_packets += 1
        if self._window_packets >= _WINDOW_PACKETS:
            self._window_packets = 0
            before_ms, now_ms = now_ms, transit_ms
        self._window_ms = (before_ms, now_ms)
        late_ms = transit_ms - self.base_ms
        self._histogram *= _FORGET
        self._histogram[min(int(late_ms), _BUCKETS - 1)] += 1 - _FORGET
        self.tail_ms = float(np.searchsorted(np.cumsum(self._histogram), _QUANTILE))

    def played(self, *, lost: bool) -> None:
        """Count a frame that was due, and whether its packet never came."""
        self._loss += (float(lost) - self._loss) * _LOSS_SHARE
        self._lossy = self._loss > (_LOSSY_UNTIL if self._lossy else _LOSSY_FROM)
