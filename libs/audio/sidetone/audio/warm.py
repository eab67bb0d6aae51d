"""Make sound ready before it is needed, so that a first call does not wait for a compiler."""

import importlib
import time

import numpy as np

from sidetone.audio import FRAME_SAMPLES


def warm_up() -> float:
    """Load the codec, compile or load every kernel, run each once; return the seconds it took.

    The first run on a machine compiles for some seconds; later ones read a cache. Call it before
    importing the chains where a progress display is wanted: importing them does the same work.
    """
    begun = time.perf_counter()
    capture = importlib.import_module("sidetone.audio.capture")
    playback = importlib.import_module("sidetone.audio.playback")
    rng = np.random.default_rng(0)
    speaks = capture.CaptureChain()
    hears = playback.PlaybackChain()
    for n in range(8):
        frame = rng.uniform(-0.5, 0.5, FRAME_SAMPLES).astype(np.float32)
        for packet in speaks.process(frame):
            hears.push(0, 0, n, packet.opus, end=packet.end, arrival_ms=10.0 * n)
        hears.tick(10.0 * n)
    return time.perf_counter() - begun
