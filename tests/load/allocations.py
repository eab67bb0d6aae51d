"""How often each audio thread's kernel allocates: counted by a library loaded before libc.

Run as a program it counts, and prints JSON; `measure` builds the library with the C compiler and
runs it so. The long run must not allocate more than the short one.
"""

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).with_name("count_allocations.c")
SHORT_HOPS = 200
LONG_HOPS = 4000


def measure() -> dict[str, Any]:
    """Return allocations per frame of 10 ms in each thread, or why that cannot be counted."""
    if not sys.platform.startswith("linux") or shutil.which("cc") is None:
        return {"allocations_per_frame": None, "allocations_why": "needs Linux and a C compiler"}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "count.so"
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True
        )
        done = subprocess.run(
            [sys.executable, "-m", "tests.load.allocations"],
            env={**os.environ, "LD_PRELOAD": str(library)},
            stdout=subprocess.PIPE,
            check=True,
        )
    return json.loads(done.stdout)


def main() -> None:
    """Count in this process, which must have been started with the library."""
    from sidetone.audio.settings import Suppression
    from tests.load import audio_stage as stage
    from tests.load.bench_audio import SPEAKERS, stocked

    counter = ctypes.CDLL(None).allocation_count
    counter.restype = ctypes.c_long
    _, speaker, _ = stage.speaker(1, 1, suppression=Suppression.HIGH, frames=64)
    sound = np.resize(stage.speech(), LONG_HOPS * 240)
    stock = stocked(SPEAKERS, SHORT_HOPS + LONG_HOPS)
    ear, places = stage.listener(SPEAKERS), np.zeros(SPEAKERS, np.int64)
    begin_ns = stage.BEGIN_NS

    def say(hops: int) -> int:
        before = counter()
        stage.say(speaker, sound[: hops * 240], begin_ns)
        return counter() - before

    def listen(hops: int, from_ns: int) -> int:
        before = counter()
        stage.listen(ear.parts, stock, places, from_ns, hops, 12_000_000)
        return counter() - before

    # The first call of each makes what later calls have.
    say(SHORT_HOPS)
    listen(0, begin_ns)
    capture = (say(SHORT_HOPS), say(LONG_HOPS))
    playback = (listen(SHORT_HOPS, begin_ns), listen(LONG_HOPS, begin_ns + SHORT_HOPS * 5_000_000))
    frames = (LONG_HOPS - SHORT_HOPS) / 2
    print(
        json.dumps(
            {
                "allocations_per_frame": {
                    "capture": max(capture[1] - capture[0], 0) / frames,
                    "playback": max(playback[1] - playback[0], 0) / frames,
                },
                "allocations_counted": {"capture": capture, "playback": playback},
            }
        )
    )


if __name__ == "__main__":
    main()
