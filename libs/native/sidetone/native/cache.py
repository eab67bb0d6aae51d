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
from types import CodeType, ModuleType
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
    for name, value in sorted(_meant(function), key=lambda pair: pair[0]):
        inner = getattr(value, "py_func", None)
        if inner is not None:
            parts.append(f"{name}={_digests.get(id(inner))}".encode())
        elif isinstance(value, int | float | bool | tuple):
            parts.append(f"{name}={value!r}".encode())
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def _meant(function: Callable[..., Any]) -> Generator[tuple[str, Any]]:
    """Find what the code's names stand for, those behind the dot of a module as well."""
    scope, names = function.__globals__, _names(function.__code__)
    modules = [scope[name] for name in names if isinstance(scope.get(name), ModuleType)]
    ours = [module for module in modules if module.__name__.startswith("sidetone.")]
    for name in names:
        yield name, scope.get(name)
        for module in ours:
            yield f"{module.__name__}.{name}", getattr(module, name, None)


def _names(code: CodeType) -> set[str]:
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*(_names(each) for each in inner))
