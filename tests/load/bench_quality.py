"""How a voice sounds after a bad network, and after noise suppression, in PESQ-WB.

Run it with ``python -m tests.load.bench_quality [--json FILE]``. Opus at 64 kbit/s, complexity 10,
constant bit rate, frames of 10 ms, the encoder told the loss; the whole receive path, pulled every
5 ms. Averages over all voices and seeds; by voice under *voices*.

*pesq_loss*: independent losses, by per cent. *pesq_burst*: 10 % lost in bursts of 3 on average
(Gilbert-Elliott), drawn again until the share is within half a per cent. *ideal* is a receiver
that gets all packets in time and repairs as well as Opus can: what is missing to it the jitter
buffer has spoilt. *jitter_30ms*: nothing lost, every packet late by an exponential draw of its
own whose 95th percentile is 30 ms, so that packets overtake each other; *in_order* is the same,
but a packet waits for those before it, as in a queue. *drift*: an hour at 200 ppm either way.
"""

import argparse
import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, Samples
from tests.load.quality_drift import drifted
from tests.load.quality_network import (
    Lost,
    burst_loss,
    encoded,
    ideal,
    random_loss,
    received,
    repeated,
)
from tests.load.quality_score import pesq_wb
from tests.load.quality_speech import voices

_SEEDS = (1, 2, 3)
_LOSSES = (0, 5, 10, 20)
_BURST_SHARE, _BURST_MEAN = 0.1, 3.0
_SHARE_ERROR = 0.005
_P95_MS = 30.0
_DRIFT_PPM = 200.0
_SUPPRESSION = "tests.load.quality_suppression"

Rows = dict[str, Any]


def _punctual(packets: int) -> NDArray[np.float64]:
    return np.zeros(packets)


def _mean(scores: list[float]) -> float:
    return round(float(np.mean(scores)), 3)


def loss_rows(voice: Samples) -> Rows:
    """Score independent losses, by per cent, here and with the ideal receiver."""
    rows: Rows = {"ours": {}, "ideal": {}}
    for percent in _LOSSES:
        packets = encoded(voice, loss_percent=percent)
        seeds = _SEEDS if percent else _SEEDS[:1]
        patterns = [random_loss(len(packets), percent / 100, seed) for seed in seeds]
        late_ms = _punctual(len(packets))
        rows["ours"][str(percent)] = _mean(
            [pesq_wb(voice, received(packets, lost, late_ms).sound) for lost in patterns]
        )
        rows["ideal"][str(percent)] = _mean(
            [pesq_wb(voice, ideal(packets, lost)) for lost in patterns]
        )
    return rows


def _burst(packets: int, seed: int) -> Lost:
    attempt = 0
    while True:
        lost = burst_loss(packets, _BURST_SHARE, _BURST_MEAN, 1000 * seed + attempt)
        if abs(float(lost.mean()) - _BURST_SHARE) < _SHARE_ERROR:
            return lost
        attempt += 1


def burst_rows(voice: Samples) -> Rows:
    """Score losses in bursts, here and with two other receivers."""
    packets = encoded(voice, loss_percent=round(_BURST_SHARE * 100))
    patterns = [_burst(len(packets), seed) for seed in _SEEDS]
    late_ms = _punctual(len(packets))
    return {
        "ours": _mean([pesq_wb(voice, received(packets, p, late_ms).sound) for p in patterns]),
        "ideal": _mean([pesq_wb(voice, ideal(packets, p)) for p in patterns]),
        "repeat_last": _mean([pesq_wb(voice, repeated(packets, p)) for p in patterns]),
    }


def _late_ms(packets: int, seed: int, *, in_order: bool) -> NDArray[np.float64]:
    late_ms = np.random.default_rng(seed).exponential(1.0, packets)
    if in_order:
        sent_ms = np.arange(packets) * FRAME_MS / 10
        late_ms = np.maximum.accumulate(late_ms + sent_ms) - sent_ms
    return late_ms * _P95_MS / np.percentile(late_ms, 95)


def jitter_rows(voice: Samples, *, in_order: bool) -> Rows:
    """Measure what lateness costs: delay, invented speech, quality."""
    packets = encoded(voice)
    nothing = np.zeros(len(packets), bool)
    calls = [
        received(packets, nothing, _late_ms(len(packets), seed, in_order=in_order))
        for seed in _SEEDS
    ]
    return {
        "depth_ms": _mean([call.depth_ms for call in calls]),
        "concealed_ratio": round(float(np.mean([call.concealed_ratio for call in calls])), 5),
        "pesq": _mean([pesq_wb(voice, call.sound) for call in calls]),
        "target_ms": _mean([call.stats.target_ms for call in calls]),
    }


def rows_of(voice: Samples) -> Rows:
    """Measure one voice."""
    return {
        "pesq_loss": loss_rows(voice),
        "pesq_burst": burst_rows(voice),
        "jitter_30ms": jitter_rows(voice, in_order=False),
        "jitter_30ms_in_order": jitter_rows(voice, in_order=True),
    }


def _averaged(rows: list[Any]) -> Any:
    if isinstance(rows[0], dict):
        return {name: _averaged([row[name] for row in rows]) for name in rows[0]}
    return round(float(np.mean(rows)), 5)


def measure(drift_seconds: int) -> Rows:
    """Measure everything there is to measure here."""
    every: dict[str, Rows] = {}
    spoken = voices()
    for name, voice in spoken.items():
        every[name] = rows_of(voice)
        print(name, json.dumps(every[name]), flush=True)
    rows: Rows = _averaged(list(every.values()))
    figures: Rows = rows | {
        "pesq_loss": rows["pesq_loss"]["ours"],
        "pesq_loss_ideal": rows["pesq_loss"]["ideal"],
        "voices": every,
    }
    if drift_seconds > 0:
        packets = encoded(spoken["ben"])
        figures["drift"] = {
            f"{ppm:+.0f}": drifted(packets, ppm, drift_seconds)
            for ppm in (-_DRIFT_PPM, _DRIFT_PPM)
        }
    if importlib.util.find_spec(_SUPPRESSION) is not None:
        figures |= importlib.import_module(_SUPPRESSION).rows()
    return figures


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--drift-seconds", type=int, default=3600)
    arguments = parser.parse_args()
    figures = measure(arguments.drift_seconds)
    for name, value in figures.items():
        if name != "voices":
            print(name, json.dumps(value))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
