"""What sound costs, how punctual it is and how soon it is heard: `./just bench audio`.

Costs are CPU time of one thread, as ratios within one run where a ratio is asked for. The other
benches of the machine should be quiet.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_SAMPLES, Samples
from sidetone.audio.codec import (
    SET_BITRATE,
    SET_COMPLEXITY,
    SET_SIGNAL,
    SET_VBR,
    SIGNAL_VOICE,
    configure,
    encode,
    new_encoder,
)
from sidetone.audio.devices import NullMicrophone, NullSpeaker
from sidetone.audio.engine import Engine
from sidetone.audio.settings import Suppression
from sidetone.native import kernel
from tests.load import allocations, mouth_to_ear, talking_client
from tests.load import audio_stage as stage

ROUNDS = 7
SPEAKERS = 10
_ARRIVES_NS = 12_000_000
_SATURATED_SECONDS = 15.0


@kernel("void(uintp, float32[::1], uint8[::1])")
def encode_all(encoder: int, sound: Samples, packet: NDArray[np.uint8]) -> None:
    """Encode *sound* in frames of 10 ms, and do nothing else."""
    for frame in range(sound.size // FRAME_SAMPLES):
        at = sound.ctypes.data + frame * FRAME_SAMPLES * 4
        encode(encoder, at, FRAME_SAMPLES, packet.ctypes.data, packet.size)


def cpu_us(work: Callable[[], Any], frames: int) -> float:
    """Return the CPU time of *work* for each of *frames*."""
    begun = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - begun) / frames / 1000


def capture_cost() -> dict[str, Any]:
    """Time the capture path against libopus' own encode call, in turn, on the same speech."""
    sound = stage.speech()
    frames = sound.size // FRAME_SAMPLES
    encoder = new_encoder()
    for setting, value in (
        (SET_BITRATE, 64_000),
        (SET_VBR, 0),
        (SET_SIGNAL, SIGNAL_VOICE),
        (SET_COMPLEXITY, 10),
    ):
        configure(encoder, setting, value)
    packet = np.zeros(1275, np.uint8)
    chains = {
        level.name.lower(): stage.speaker(1, 1, suppression=level, frames=1)
        for level in (Suppression.OFF, Suppression.LOW, Suppression.HIGH)
    }
    alone: list[float] = []
    whole: dict[str, list[float]] = {name: [] for name in chains}
    for _ in range(ROUNDS):
        alone.append(cpu_us(lambda: encode_all(encoder.ctypes.data, sound, packet), frames))
        for name, (_, parts, _) in chains.items():
            run = cpu_us(lambda parts=parts: stage.say(parts, sound, stage.BEGIN_NS), frames)
            whole[name].append(run)
    ratios = {
        name: statistics.median(a / b for a, b in zip(runs, alone, strict=True))
        for name, runs in whole.items()
    }
    return {
        "capture_ratio": round(ratios["high"], 3),
        "capture_ratios": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "capture_us": round(statistics.median(whole["high"]), 1),
        "encode_us": round(statistics.median(alone), 1),
    }


def stocked(speakers: int, hops: int) -> Any:
    """Return the sealed frames of so many speakers, each at another place of the speech."""
    sound = stage.speech()[: hops * 240]
    stock = []
    for sender in range(1, speakers + 1):
        frames = sound.size // FRAME_SAMPLES
        _, parts, ring = stage.speaker(
            sender, speakers, suppression=Suppression.OFF, frames=frames
        )
        stage.say(parts, np.roll(sound, sender * 48_000), stage.BEGIN_NS)
        stock.append(ring.slots)
    return np.concatenate(stock).view(np.recarray)


def playback_cost() -> dict[str, Any]:
    """Time the playing thread's whole hop with ten who speak at once."""
    hops = 4000
    stock = stocked(SPEAKERS, hops)
    costs: list[float] = []
    for _ in range(ROUNDS):
        memory = stage.listener(SPEAKERS)
        places = np.zeros(SPEAKERS, np.int64)
        costs.append(
            cpu_us(
                lambda memory=memory, places=places: stage.listen(
                    memory.parts, stock, places, stage.BEGIN_NS, hops, _ARRIVES_NS
                ),
                hops // 2,
            )
        )
        assert memory.control.opened > 0.95 * stock.size
    return {"playback_10_us": round(statistics.median(costs), 1)}


def tick_lateness() -> dict[str, Any]:
    """Let both threads run for a while beside an event loop that has no time for anything."""
    engine = Engine(stage.keys(0, 1), NullMicrophone(), NullSpeaker(), on_failure=print)
    engine.start()
    try:
        asyncio.run(saturate(_SATURATED_SECONDS))
        stats = engine.stats()
        priority = engine.priority
    finally:
        engine.stop()
    return {
        "tick_lateness_p99_ms": stats.lateness_ms,
        "tick_missed": stats.missed_input + stats.missed_output,
        "priority": priority,
    }


async def saturate(seconds: float) -> None:
    """Keep the event loop, and with it the interpreter lock, busy with what a client does."""
    until = time.monotonic() + seconds

    async def encode_json() -> None:
        while time.monotonic() < until:
            table = {str(n): [n, n * 2.5] for n in range(1500)}
            json.loads(json.dumps(table))
            await asyncio.sleep(0)

    async def redraw() -> None:
        while time.monotonic() < until:
            await asyncio.sleep(0.016)
            [str(n) for n in range(20_000)]

    await asyncio.gather(encode_json(), encode_json(), redraw())


def warm_start() -> dict[str, Any]:
    """Start a program anew, several times, until both loops of an engine run."""
    program = "from sidetone.audio.warm import warm_up; warm_up(); print('ready', flush=True)"
    took: list[float] = []
    for _ in range(5):
        begun = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            took.append(time.perf_counter() - begun)
    return {"warm_start_s": round(statistics.median(took), 2)}


def main() -> None:
    """Run what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--only", nargs="*", help="these rows alone")
    options = parser.parse_args()
    rows: dict[str, Callable[[], dict[str, Any]]] = {
        "capture": capture_cost,
        "playback": playback_cost,
        "allocations": allocations.measure,
        "lateness": tick_lateness,
        "warm_start": warm_start,
        "mouth_to_ear": mouth_to_ear.measure,
        "memory": talking_client.measure,
    }
    figures: dict[str, Any] = {}
    for name, row in rows.items():
        if options.only and name not in options.only:
            continue
        figures |= row()
    for key, value in figures.items():
        print(f"{key:28} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
