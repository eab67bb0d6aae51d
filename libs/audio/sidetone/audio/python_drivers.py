"""Drivers that are written in Python: slower, for every call takes the interpreter lock.

They stand where a driver's own functions cannot be reached, and behind the same two kernels.
"""

import ctypes
import itertools
import logging
from typing import Final, Protocol

import numpy as np

from sidetone.audio import SAMPLE_RATE, Samples
from sidetone.audio.driver_streams import Driver
from sidetone.native.functions import thunk

FAILED: Final = -9999
"""What the loop is told when a driver has raised; the log says what."""

_LONG_MAX: Final = 0xFFFF_FFFF
_log = logging.getLogger(__name__)


class PythonDriver(Protocol):
    """A device with two methods; both may return a number below zero, or raise: it has failed."""

    def available(self) -> int:
        """Return how many frames can be moved without waiting."""
        ...

    def transfer(self, sound: Samples) -> int:
        """Fill *sound*, interleaved, or let it be heard; returns 0."""
        ...


class Registration:
    """Makes *device* callable from kernels until it is closed."""

    def __init__(
        self, device: PythonDriver, *, rate: int = SAMPLE_RATE, channels: int = 1
    ) -> None:
        self._handle = next(_numbers)
        _devices[self._handle] = (device, channels)
        self.driver = Driver(_TRANSFER, _AVAILABLE, self._handle, rate, channels)

    def close(self) -> None:
        """Let the device go; a kernel that still calls is told that it has failed."""
        _devices.pop(self._handle, None)


def _transfer(handle: int, address: int, frames: int) -> int:
    try:
        device, channels = _devices[handle]
        size = (frames & _LONG_MAX) * channels
        raw = (ctypes.c_float * size).from_address(address)
        return device.transfer(np.ctypeslib.as_array(raw))
    except Exception as error:
        return _failed(error)


def _available(handle: int) -> int:
    try:
        return _devices[handle][0].available()
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    _log.warning("a sound device has failed: %r", error)
    return FAILED


_devices: Final[dict[int, tuple[PythonDriver, int]]] = {}
_numbers: Final = itertools.count(1)
# One pair for all devices and for ever: what C may still call is never freed.
_TRANSFER: Final = thunk(_transfer, "i", "ppn")
_AVAILABLE: Final = thunk(_available, "l", "p")
