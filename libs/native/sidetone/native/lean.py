"""Keeps numba from holding, and from doing, what no kernel here uses, or uses no more."""

import ctypes
import gc
import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/smaps")
_DONTNEED: Final = 4
# Parts that nobody may write to and nobody has written to: the file holds all that is in them.
_COMPILER: Final = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) r-.p .*/libllvmlite\.so\n(?:\w+:.*\n)*?Private_Dirty: +0 kB$",
    re.MULTILINE,
)


@contextmanager
def without(*packages: str) -> Generator[None]:
    """Let *packages* look uninstalled inside the block, unless the program has loaded them.

    numba asks for scipy's linear algebra wherever it is installed, 15 MB and a quarter of a
    second, and for yaml, to read settings that nobody here writes.
    """
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # pyright: ignore[reportArgumentType, reportCallIssue]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextmanager
def uncollected() -> Generator[None]:
    """Let the garbage collector rest: much is made inside the block, nearly all to stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def release_compiler() -> None:
    """Hand the memory that holds the compiler's code back to the system: 85 MB.

    Where a kernel is compiled later all the same, the pages come back by themselves. Does nothing
    where the system is not Linux.
    """
    if not sys.platform.startswith("linux"):
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for begin, end in _COMPILER.findall(_MAPS.read_text()):
        at = int(begin, 16)
        madvise(at, int(end, 16) - at, _DONTNEED)
