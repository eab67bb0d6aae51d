"""Where compiled kernels are kept, so that a second start loads what the first one compiled.

numba itself looks only at the file a kernel stands in, and would go on with a callee from another
file that has changed since. Here the folder's name is a digest of the kernel's file, of every
kernel that it calls, of every constant it uses, and of this package: what is found there fits.

The folder may be one that can only be read, filled when an image was built. numba looks only into
folders that it can write to, hence ``KeptKernels``.
"""

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, cast

import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
import platformdirs
from filelock import FileLock
from numba.core.caching import UserProvidedCacheLocator  # pyright: ignore[reportMissingTypeStubs]
from numba.core.runtime.nrt import rtsys  # pyright: ignore[reportMissingTypeStubs]

from sidetone.native.lean import uncollected

_initialize = cast("Callable[[Any], None]", cast("Any", rtsys).initialize)
_config = cast("Any", _numba).config
_folder: Final = Path(
    os.environ.get("NUMBA_CACHE_DIR")
    or platformdirs.user_cache_path("sidetone", appauthor=False) / "kernels"
)
_Locator = cast("Any", UserProvidedCacheLocator)


class KeptKernels(_Locator):
    """Finds the folder of a kernel, also where what is in it can only be read.

    Where there is none and none can be made, numba's own folder in the user's cache serves.
    """

    def ensure_cache_path(self) -> None:
        """Make the folder if it is missing. Raises ``OSError``."""
        if not Path(self.get_cache_path()).is_dir():
            _Locator.ensure_cache_path(self)


_LOCATORS: Final = f"{KeptKernels.__module__}.{KeptKernels.__qualname__},UserWideCacheLocator"


def enable(made: Any) -> None:
    """Have what *made* compiles be kept under its digest, and loaded where it is there already.

    Where numba cannot load in the short way, it does so in its own. What cannot be kept is
    compiled again next time.
    """
    with keyed(made.py_func):
        made.enable_caching()
    kept = made._cache  # noqa: SLF001 - it has no other name
    load = kept.load_overload

    def load_overload(takes: Any, context: Any) -> Any:
        with suppress(Exception), uncollected(), _unrefreshed(context):
            return load(takes, context)
        return load(takes, context)

    save = kept.save_overload

    def save_overload(takes: Any, compiled: Any) -> None:
        with suppress(OSError):
            save(takes, compiled)

    kept.load_overload = load_overload
    kept.save_overload = save_overload


@contextmanager
def _unrefreshed(context: Any) -> Generator[None]:
    """Let *context* learn nothing inside the block but what machine code itself calls.

    numba refreshes it before it looks into a cache: all that could be compiled is imported and
    typed, for 10 MB and a third of a second, and once more with each kernel. Machine code that is
    loaded needs none of it, and a compilation does it by itself.
    """
    context.refresh = lambda: _initialize(context)
    try:
        yield
    finally:
        del context.refresh


@contextmanager
def keyed(function: Callable[..., Any]) -> Generator[None]:
    """Have numba keep what it compiles from *function* inside the block under its digest."""
    before = _config.CACHE_DIR, _config.CACHE_LOCATOR_CLASSES
    _config.CACHE_DIR = str(_folder / digest_of(function))
    _config.CACHE_LOCATOR_CLASSES = _LOCATORS
    try:
        yield
    finally:
        _config.CACHE_DIR, _config.CACHE_LOCATOR_CLASSES = before


@contextmanager
def alone(function: Callable[..., Any]) -> Generator[None]:
    """Let no other process compile *function* inside the block: it would do the same work again.

    The workers of a node start together: one compiles, and the others load what it has kept.
    Where nothing can be kept, nobody waits.
    """
    folder = _folder / digest_of(function)
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(folder / "compiling"))
        yield


@cache
def digest_of(function: Callable[..., Any]) -> str:
    """Name what machine code from *function* depends on, in 16 hexadecimal digits.

    Raises ``TypeError`` for a closure: what it closes over is in nobody's source.
    """
    if function.__closure__ is not None:
        raise TypeError(f"{function.__qualname__} is a closure and cannot be a cached kernel")
    parts = {_own(), function.__qualname__.encode()}
    reached, waiting = {function}, [function]
    while waiting:
        each = waiting.pop()
        parts.add(_content(each.__code__.co_filename))
        inner = _add_parts(each, parts) - reached
        reached |= inner
        waiting.extend(inner)
    return hashlib.blake2b(b"\0".join(sorted(parts)), digest_size=8).hexdigest()


def _add_parts(function: Callable[..., Any], parts: set[bytes]) -> set[Callable[..., Any]]:
    """Add the constants that the code names to *parts*; returns the kernels that it names.

    A field that is called like a kernel counts as that kernel: too much, and never too little.
    """
    inner: set[Callable[..., Any]] = set()
    for name, value in _meant(function):
        kernel = getattr(value, "py_func", None)
        if kernel is not None:
            inner.add(kernel)
        elif isinstance(value, int | float | bool | tuple | np.generic):
            parts.add(f"{function.__module__}.{name}={value!r}".encode())
        elif isinstance(value, np.ndarray):
            parts.add(f"{function.__module__}.{name}=".encode() + value.tobytes())
    return inner


@cache
def _own() -> bytes:
    """Digest this package, whose intrinsics are in all kernels that use them."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return b"".join(_content(str(path)) for path in sources)


@cache
def _content(path: str) -> bytes:
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest()


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
