"""Keeps numba from loading what no kernel here uses."""

import sys
from collections.abc import Generator
from contextlib import contextmanager


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
