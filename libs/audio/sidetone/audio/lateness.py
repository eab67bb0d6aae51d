"""How late packets come: the statistics that decide how long a listener waits. Times in ms.

The transit of a packet is its arrival time less its place in the stream (frames times their
duration). Only differences of transits mean anything, so the clocks of speaker and listener need
not agree. Kernels over one record of `LATENESS`.
"""

from typing import Final

import numpy as np

from sidetone.native import Record, kernel, layout, signature

TARGET_MIN_MS: Final = 10.0
TARGET_MAX_MS: Final = 80.0

_QUANTILE: Final = 0.95
_WEIGHT_MIN: Final = 0.005
_PACKETS_BELIEVED: Final = 20
_BUCKETS: Final = 200
_BUCKET_MS: Final = 0.5
_WINDOW_PACKETS: Final = 200
_MARGIN_MS: Final = 1.3
_MARGIN_TAILS: Final = 1.4
_LOSS_SHARE: Final = 0.002
_FRAMES_BELIEVED: Final = 50
_LOSSY_FROM: Final = 0.01
_LOSSY_UNTIL: Final = 0.002
_COPY_FROM_MS: Final = 10.0

LATENESS: Final = layout(
    base_ms=np.float64,
    tail_ms=np.float64,
    peak_ms=np.float64,
    window_before_ms=np.float64,
    window_now_ms=np.float64,
    window_packets=np.int64,
    packets=np.int64,
    frames=np.int64,
    loss=np.float64,
    lossy=np.bool_,
    histogram=(np.float64, (_BUCKETS,)),
)
"""The earliest transit lately seen, how late packets come after it, and the share of frames lost.

The earliest (*base_ms*) is a minimum over the last 2 to 4 s: it follows a drifting clock up and
down. The tail is the 95th percentile of a histogram with buckets of 0.5 ms that forgets over 2 s
of speech, and learns faster from the first packets; it survives pauses, the earliest transit does
not. The peak is the latest of the last packets, forgotten by 1 ms with every packet.
"""


@kernel(signature("void", LATENESS))
def reset(late: Record) -> None:
    """Believe in a perfect link."""
    late.base_ms = late.window_before_ms = late.window_now_ms = late.peak_ms = 0.0
    late.window_packets = late.packets = late.frames = 0
    late.loss = 0.0
    late.lossy = False
    for bucket in range(_BUCKETS):
        late.histogram[bucket] = 0.0
    late.histogram[0] = 1.0
    late.tail_ms = _BUCKET_MS


@kernel(signature("void", LATENESS, "float64"))
def restart(late: Record, transit_ms: float) -> None:
    """Begin a talkspurt: the silence before it has moved every transit by the same amount."""
    late.base_ms = late.window_before_ms = late.window_now_ms = transit_ms
    late.window_packets = 0
    late.peak_ms = 0.0


@kernel(signature("void", LATENESS, "float64"))
def observe(late: Record, transit_ms: float) -> None:
    """Take the transit of one more packet into account."""
    late.window_now_ms = min(late.window_now_ms, transit_ms)
    late.base_ms = min(late.window_before_ms, late.window_now_ms)
    late.window_packets += 1
    if late.window_packets >= _WINDOW_PACKETS:
        late.window_packets = 0
        late.window_before_ms = late.window_now_ms
        late.window_now_ms = transit_ms
    late_ms = transit_ms - late.base_ms
    late.peak_ms = max(late_ms, late.peak_ms - 1.0)
    bucket = int(min(late_ms / _BUCKET_MS, _BUCKETS - 1.0))
    late.packets += 1
    weight = max(_WEIGHT_MIN, 1.0 / (_PACKETS_BELIEVED + late.packets))
    for each in range(_BUCKETS):
        late.histogram[each] *= 1.0 - weight
    late.histogram[bucket] += weight
    share = 0.0
    tail = 0
    while tail < _BUCKETS and share < _QUANTILE:
        share += late.histogram[tail]
        tail += 1
    late.tail_ms = tail * _BUCKET_MS


@kernel(signature("void", LATENESS, "boolean"))
def played(late: Record, lost: bool) -> None:  # noqa: FBT001
    """Count a frame that was due, and whether its packet was not there."""
    late.frames += 1
    weight = max(_LOSS_SHARE, 1.0 / (_FRAMES_BELIEVED + late.frames))
    late.loss += ((1.0 if lost else 0.0) - late.loss) * weight
    late.lossy = late.loss > (_LOSSY_UNTIL if late.lossy else _LOSSY_FROM)


@kernel(signature("void", LATENESS))
def found(late: Record) -> None:
    """Take back one loss: the packet has come after all, too late."""
    late.loss = max(late.loss - _LOSS_SHARE, 0.0)


@kernel(signature("float64", LATENESS, "float64"))
def wait_ms(late: Record, frame_ms: float) -> float:
    """Say how long after its earliest possible arrival a frame is to be played.

    1.4 times the tail, which is nearly the 99th percentile where lateness is exponential. On a
    link that loses packets one frame more, from 1 % of loss on, until it has stayed under 0.2 %,
    so that the copy in the next packet is there when it is needed; frames under 10 ms carry no
    copies (RFC 6716: the SILK layer begins at 10 ms). With the frame itself the delay lies
    between 10 and 80 ms.
    """
    wait = _MARGIN_MS + _MARGIN_TAILS * late.tail_ms
    if late.lossy and frame_ms >= _COPY_FROM_MS:
        wait += frame_ms
    return min(max(wait, TARGET_MIN_MS - frame_ms), TARGET_MAX_MS - frame_ms)
