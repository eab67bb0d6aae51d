"""Make sound ready before it is needed, so that a first call does not wait for a compiler."""

import importlib
import time
from collections.abc import Callable
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[str, float], None]
"""Hears what is made ready now, and which share of all is done, 0 to 1."""

# Kernels compile where their modules are imported. The shares are of a first run's time.
_STAGES: Final = (
    ("encryption", "sidetone.e2ee.audio_keys", 0.20),
    ("devices", "sidetone.audio.devices", 0.15),
    ("microphone", "sidetone.audio.processing", 0.20),
    ("listening", "sidetone.audio.jitter", 0.20),
    ("speaking", "sidetone.audio.capture", 0.10),
    ("mixing", "sidetone.audio.engine", 0.15),
)


def warm_up(progress: Progress | None = None) -> float:
    """Load the codec, compile or load every kernel; return the seconds it took.

    The first run on a machine compiles for some seconds; later ones read a cache. Call it before
    importing the chains where a progress display is wanted: importing them does the same work.
    """
    begun = time.perf_counter()
    done = 0.0
    for what, module, share in _STAGES:
        if progress is not None:
            progress(what, done)
        importlib.import_module(module)
        done += share
    if progress is not None:
        progress("ready", 1.0)
    return time.perf_counter() - begun
