"""An hour of talk between two clocks that differ, in virtual time: what is heard of the drift."""

import numpy as np

from sidetone.audio import FRAME_NS, HOP_NS, HOP_SAMPLES, codec, jitter
from sidetone.audio.jitter import JITTER
from sidetone.native import records
from tests.load.quality_network import Packets

_TRANSIT_NS = 20_000_000
_PHASE_NS = 3_700_000


def drifted(packets: Packets, drift_ppm: float, seconds: int) -> dict[str, float]:
    """Play *packets* over and over for *seconds*, spoken by a clock *drift_ppm* slower than ours.

    *glitches* are frames lost, late or invented, and jumps.
    """
    buffer, memory, out = records(JITTER, 1)[0], codec.new_decoders(1), np.zeros(HOP_SAMPLES, "f4")
    jitter.reset(buffer, memory[0].ctypes.data)
    frame_ns, sent, delays_ms = FRAME_NS * (1 + drift_ppm / 1e6), 0, []
    for hop in range(seconds * 1_000_000_000 // HOP_NS):
        now_ns = hop * HOP_NS + _PHASE_NS
        while (arrival_ns := int((sent + 1) * frame_ns) + _TRANSIT_NS) <= now_ns:
            jitter.push(buffer, packets[sent % len(packets)], 0, sent, False, arrival_ns)
            sent += 1
        jitter.pull(buffer, out, now_ns)
        delays_ms.append(buffer.depth_ms)
    stats = jitter.snapshot(buffer)
    return {
        "glitches": stats.lost + stats.late + stats.concealed + stats.resyncs,
        "stretched": stats.stretched,
        "stretched_ms": round(stats.stretched_ms, 1),
        "depth_ms": round(float(np.mean(delays_ms)), 2),
        "depth_max_ms": round(float(np.max(delays_ms)), 2),
    }
