"""The generic cell rate algorithm (ITU-T I.371), which every key-value store applies alike.

One number per key: the theoretical arrival time. No clock: the time comes in, in milliseconds.
"""

# A shorter wait is none; it also is what rounding leaves of nothing.
WAIT_MS_MIN = 1.0


def attempt(arrival_ms: float, now_ms: float, count: int, period_ms: int) -> tuple[float, float]:
    """Return the arrival time after one more attempt, and how long to wait, in milliseconds.

    *count* attempts fit in a burst, refilled evenly over *period_ms*. An attempt that has to wait
    is refused and not counted: who waits as told gets in. An arrival time of zero is that of a key
    which was never seen.

    >>> attempt(0, 1_000, count=2, period_ms=60_000)
    (31000.0, 0.0)
    >>> attempt(61_000, 1_000, count=2, period_ms=60_000)
    (61000.0, 30000.0)
    """
    interval_ms = period_ms / count
    # No attempt can have set a later time than this: then the clock has stepped back.
    arrival_ms = min(max(arrival_ms, now_ms), now_ms + period_ms)
    wait_ms = arrival_ms - now_ms + interval_ms - period_ms
    if wait_ms >= WAIT_MS_MIN:
        return float(arrival_ms), float(wait_ms)
    return arrival_ms + interval_ms, 0.0
