"""Ten speakers over a bad network into one listener's real threads, for as long as you like.

Each speaker's clock is off by up to 200 ppm; packets are lost, come late and twice. What is
counted as a glitch must be explained by what was lost; memory must not grow.
`./just soak-audio 1800`.
"""

import argparse
import heapq
import json
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sidetone.audio import HOP_SAMPLES
from sidetone.audio.capture import capture_hop
from sidetone.audio.devices import NullMicrophone, NullSpeaker
from sidetone.audio.engine import Engine
from sidetone.audio.settings import Suppression
from sidetone.audio.warm import warm_up
from sidetone.native import prepare
from sidetone.native.clock import now_ns, sleep
from tests.load import audio_stage as stage

SPEAKERS = 10
_HOP_NS = 5_000_000
_FRAME_HOPS = 2
_NETWORK_NS = 20_000_000
_WARM_SECONDS = 10.0


@dataclass(frozen=True)
class Weather:
    """How bad the network is: shares, and the mean of an exponential delay."""

    loss: float = 0.02
    twice: float = 0.005
    jitter_ms: float = 8.0
    drift_ppm: float = 200.0


@dataclass
class Speaker:
    """One who talks without a pause, by a clock of their own."""

    # Owns the encoder that the parts point to.
    memory: Any
    parts: Any
    ring: Any
    sound: Any
    next_ns: float
    step_ns: float
    hop: int = 0
    sent: int = 0
    lost: int = 0


@dataclass
class Soak:
    """Everything that runs; *due* are the packets on their way."""

    engine: Engine
    speakers: list[Speaker]
    weather: Weather
    dice: random.Random = field(default_factory=lambda: random.Random(4))
    due: list[tuple[int, int, bytes]] = field(default_factory=list[tuple[int, int, bytes]])
    number: int = 0

    def step(self) -> None:
        """Let everybody speak who is due, and let arrive what is."""
        now = now_ns()
        for speaker in self.speakers:
            while speaker.next_ns <= now:
                self._speak(speaker)
        while self.due and self.due[0][0] <= now:
            _, _, frame = heapq.heappop(self.due)
            self.engine.receive(frame, now_ns())

    def _speak(self, speaker: Speaker) -> None:
        for _ in range(_FRAME_HOPS):
            at = speaker.hop * HOP_SAMPLES % (speaker.sound.size - HOP_SAMPLES)
            speaker.parts.capture.hop[:] = speaker.sound[at : at + HOP_SAMPLES]
            capture_hop(speaker.parts, int(speaker.next_ns))
            speaker.hop += 1
        for slot in speaker.ring.drain():
            self._post(speaker, slot.frame[: slot.length].tobytes(), int(speaker.next_ns))
        speaker.next_ns += speaker.step_ns

    def _post(self, speaker: Speaker, frame: bytes, at_ns: int) -> None:
        speaker.sent += 1
        if self.dice.random() < self.weather.loss:
            speaker.lost += 1
            return
        for _ in range(1 + (self.dice.random() < self.weather.twice)):
            delay_ms = self.dice.expovariate(1 / self.weather.jitter_ms)
            self.number += 1
            at = at_ns + _NETWORK_NS + int(delay_ms * 1e6)
            heapq.heappush(self.due, (at, self.number, frame))


def start(weather: Weather) -> Soak:
    """Return a listener whose threads run, and the speakers."""
    # Nobody is to speak while the loops still compile.
    warm_up()
    prepare(capture_hop)
    engine = Engine(stage.keys(0, SPEAKERS), NullMicrophone(), NullSpeaker(), on_failure=print)
    sound = stage.speech()
    speakers: list[Speaker] = []
    for number in range(SPEAKERS):
        memory, parts, ring = stage.speaker(
            number + 1, SPEAKERS, suppression=Suppression.OFF, frames=64
        )
        memory.control.complexity_max, memory.control.loss_percent = 1, 3
        drift = weather.drift_ppm * (2 * number / (SPEAKERS - 1) - 1) / 1e6
        step_ns = _HOP_NS * _FRAME_HOPS * (1 + drift)
        begin_ns = now_ns() + number * 1_000_000
        rolled = np.ascontiguousarray(np.roll(sound, number * 50_000))
        speakers.append(Speaker(memory, parts, ring, rolled, begin_ns, step_ns))
    engine.start()
    return Soak(engine, speakers, weather)


def run(seconds: float, weather: Weather) -> dict[str, Any]:
    """Let it rain for so long; the first ten seconds do not count."""
    with suppress(PermissionError):
        # The weather is to be as drawn, and not what else this machine has to do.
        os.nice(-10)
    soak = start(weather)
    warm_until = time.monotonic() + min(_WARM_SECONDS, seconds / 2)
    until = time.monotonic() + seconds
    before: dict[str, Any] | None = None
    while time.monotonic() < until:
        soak.step()
        sleep(1_000_000)
        if before is None and time.monotonic() > warm_until:
            before = _figures(soak)
    after = _figures(soak)
    soak.engine.stop()
    assert before is not None
    counted = {key: after[key] - before[key] for key in after if key != "rss_mib"}
    lost_for_good = counted["lost"] - counted["fec_recovered"]
    return {
        "seconds": seconds,
        **counted,
        "rss_mib": [before["rss_mib"], after["rss_mib"]],
        "concealed_beyond_loss": max(0, counted["concealed"] - lost_for_good),
        "depth_ms": round(
            float(np.mean([s.depth_ms for s in soak.engine.stats().speakers.values()])), 1
        )
        if soak.engine.stats().speakers
        else None,
    }


def _figures(soak: Soak) -> dict[str, Any]:
    stats = soak.engine.stats()
    speakers = stats.speakers.values()
    return {
        "sent": sum(speaker.sent for speaker in soak.speakers),
        "lost_on_the_way": sum(speaker.lost for speaker in soak.speakers),
        "received": sum(each.received for each in speakers),
        "lost": sum(each.lost for each in speakers),
        "fec_recovered": sum(each.fec_recovered for each in speakers),
        "concealed": sum(each.concealed for each in speakers),
        "late": sum(each.late for each in speakers),
        "duplicates": sum(each.duplicates for each in speakers),
        "stretched": sum(each.stretched for each in speakers),
        "resyncs": sum(each.resyncs for each in speakers),
        "refused": sum(stats.refused.values()),
        "dropped": stats.packets_dropped,
        "missed_hops": stats.missed_output,
        "rss_mib": _resident_mib(),
    }


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 2**20, 2)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = run(options.seconds, Weather())
    print(json.dumps(report, indent=2))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
