"""Where compiled kernels are kept, so that a second start loads what the first one compiled.

numba itself looks only at the file a kernel stands in, and would go on with a callee from another
file that has changed since. Here the folder's name is a digest of the kernel's file, of every
kernel that it calls, of every constant it uses, and of this package: what is found there fits.
"""

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any, Final, cast

import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
import platformdirs

_config = cast("Any", _numba).config
_folder: Final = Path(
    os.environ.get("NUMBA_CACHE_DIR")
    or platformdirs.user_cache_path("sidetone", appauthor=False) / "kernels"
)
_digests: dict[int, str] = {}
_own: Final = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]


@contextmanager
def keyed(function: Callable[..., Any]) -> Generator[None]:
    """Have numba keep what it compiles from *function* inside the block under its digest."""
    digest = digest_of(function)
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(_folder / digest)
    try:
        yield
    finally:
        _config.CACHE_DIR = before
        _digests[id(function)] = digest


def digest_of(function: Callable[..., Any]) -> str:
    """Name what machine code from *function* depends on, in 16 hexadecimal digits."""
    code = function.__code__
    parts = [*_own, Path(code.co_filename).read_bytes()]
    for name in sorted(_names(code)):
        value = function.__globals__.get(name)
        inner = getattr(value, "py_func", None)
        if inner is not None:
            parts.append(f"{name}={_digests.get(id(inner))}".encode())
        elif isinstance(value, int | float | bool | tuple):
            parts.append(f"{name}={value!r}".encode())
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def _names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*(_names(each) for each in inner))
