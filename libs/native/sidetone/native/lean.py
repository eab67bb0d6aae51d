"""Keeps numba from holding what no kernel here uses, or uses no more."""

import ctypes
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_PAGEOUT: Final = 21
_COMPILER: Final = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r.-p .*/libllvmlite\.so$", re.MULTILINE)


@contextmanager
def without_scipy() -> Generator[None]:
    """Let scipy look uninstalled inside the block, unless the program has loaded it already.

    numba asks for its linear algebra wherever it is installed: 15 MB and a quarter of a second.
    """
    if "scipy" in sys.modules:
        yield
        return
    sys.modules["scipy"] = None  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        del sys.modules["scipy"]


def release_compiler() -> None:
    """Hand the memory that holds the compiler's code back to the system: 60 MB.

    Where a kernel is compiled later all the same, the pages come back by themselves. Does nothing
    where the system is not Linux, or too old to know how.
    """
    if not sys.platform.startswith("linux"):
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for begin, end in _COMPILER.findall(_MAPS.read_text()):
        at = int(begin, 16)
        madvise(at, int(end, 16) - at, _PAGEOUT)
