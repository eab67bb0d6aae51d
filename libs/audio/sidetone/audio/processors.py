"""Processors that others have made, each behind a hook of `processing`; loaded when asked for."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sidetone.native import Record, records


@dataclass(frozen=True, slots=True)
class Processor:
    """A hook's C function and its handle; both work until `close`.

    Close it only when no thread can be inside *function* any more: a hop after it was unhooked.
    """

    function: int
    handle: int
    close: Callable[[], None]
    state: Record


def noise_suppressor() -> Processor:
    """Make RNNoise ready. Raises ``AudioError`` where it is not installed."""
    rnnoise: Any = importlib.import_module("sidetone.audio.rnnoise")
    made = records(rnnoise.RNNOISE, 1)
    network = rnnoise.create()
    made[0].network = network
    return Processor(rnnoise.suppress, made.ctypes.data, lambda: rnnoise.destroy(network), made)


def echo_canceller() -> Processor:
    """Make WebRTC's echo canceller ready. Raises ``AudioError`` where it is not installed."""
    echo: Any = importlib.import_module("sidetone.audio.echo")
    made = records(echo.ECHO, 1)
    canceller = echo.create(made[0])
    return Processor(echo.cancel, made.ctypes.data, lambda: echo.destroy(canceller), made)
