"""Make sound ready before it is needed, so that a first call does not wait for a compiler."""

import functools
import gc
import importlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from sidetone.native import prepare
from sidetone.native.lean import release_compiler

Progress: TypeAlias = Callable[[str, float], None]
"""Hears what is made ready now, and which share of all is done, 0 to 1."""

_log = logging.getLogger(__name__)

# The shares are of the time of a first run.
_STAGES: Final = (
    ("encryption", "sidetone.e2ee.audio_keys", None, 0.2),
    ("microphone", "sidetone.audio.capture", "run_capture", 0.4),
    ("loudspeaker", "sidetone.audio.playback", "run_playback", 0.3),
)


def warm_up(progress: Progress | None = None) -> float:
    """Load the codec, compile or load all kernels of a call; return the seconds it took.

    The first run on a machine compiles for up to a minute; later ones read a cache. Call it before
    importing the engine where a progress display is wanted, and from any thread.
    """
    begun = time.perf_counter()
    done = 0.0
    for what, module, loop, share in _STAGES:
        if progress is not None:
            progress(what, done)
        loaded = importlib.import_module(module)
        if loop is not None:
            prepare(getattr(loaded, loop))
        done += share
    if progress is not None:
        progress("controls", done)
    _exercise()
    release_compiler()
    _keep()
    if progress is not None:
        progress("ready", 1.0)
    return time.perf_counter() - begun


@functools.cache
def _keep() -> None:
    """Spare the garbage collector what is loaded by now, once for all.

    A full round over it stops the interpreter for 0.1 to 0.2 s, and the network thread with it.
    """
    gc.freeze()


def _exercise() -> None:
    """Run a call without devices for a moment: whatever Python calls is then ready as well."""
    engines: Any = importlib.import_module("sidetone.audio.engine")
    devices: Any = importlib.import_module("sidetone.audio.devices")
    audio_keys: Any = importlib.import_module("sidetone.e2ee.audio_keys")
    keys = audio_keys.AudioKeys(int)
    engine = engines.Engine(
        keys, devices.NullMicrophone(), devices.NullSpeaker(), on_failure=_log.debug
    )
    keys.begin(0, 0, {0: bytes(32), 1: bytes(32)}, pads=False, seals_ms=range(1))
    engine.start()
    engine.receive(bytes(30), 0)
    while engine.stats().frames_played == 0 or engine.stats().frames_captured == 0:
        time.sleep(0.002)
    engine.take_sent()
    engine.take_tapped()
    keys.retire(0)
    engine.stop()
