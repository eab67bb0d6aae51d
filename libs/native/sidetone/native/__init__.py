"""Machine code from typed Python, and C functions inside it: the only package that names numba.

A kernel compiles when it is first called, once per machine: the result is cached by what the
kernel and all that it calls are made of (`cache`). What is called by a cached kernel is part of it
and need not even be loaded, which saves memory and most of the start. Kernels check no bounds:
callers do.
"""

import functools
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, TypeAlias, TypeVar, cast

import numpy as np

from sidetone.native.lean import uncollected, without

with uncollected(), without("scipy", "yaml"):
    import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
    from numba.core import types as _numba_types  # pyright: ignore[reportMissingTypeStubs]
    from numba.core.imputils import lower_cast  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    from sidetone.native import cache

_Function = TypeVar("_Function", bound=Callable[..., Any])
_types = cast("Any", _numba_types)
_jit = cast("Callable[..., Callable[[Any], Any]]", _numba.njit)


@cast("Any", lower_cast)(_types.NestedArray, _types.Array)
def _as_array(_context: Any, _builder: Any, _from: Any, _to: Any, value: Any) -> Any:  # pyright: ignore[reportUnusedFunction]
    """Let a record's array field go where an array is asked for: they are built alike."""
    return value


_compiling = threading.RLock()
ENABLED: Final = not cast("Any", _numba).config.DISABLE_JIT

Record: TypeAlias = Any
"""One element of a record array: its fields are attributes; kernels change them in place."""

Records: TypeAlias = Any
"""An array of records, made by `records`."""

Signature: TypeAlias = Any
"""``void(float32[::1], int64)`` as a string, or made by `signature` where records take part."""


def kernel(
    takes: Signature, *, release: bool = False, fast: bool = False
) -> Callable[[_Function], _Function]:
    """Compile for the signature *takes*, with division by zero as in C.

    With *release* the interpreter lock is free during a call: only long calls do that, for
    microseconds, queueing for the lock afterwards costs far more. *fast* lets the compiler reorder
    floating-point sums, for inner loops over samples; NaN must not reach those.

    What `signature` has made is a kernel that works in memory which its caller keeps. Such a one
    counts no references, which are atomic and were a third of what a hop cost beyond its codec,
    and therefore can allocate nothing: an array made inside does not compile.
    """

    def compiled(function: _Function) -> _Function:
        counts = isinstance(takes, str)
        made = _jit(nogil=release, error_model="numpy", fastmath=fast, _nrt=counts)(function)
        if ENABLED:
            _compile_as(made, takes)
        return cast("_Function", made)

    return compiled


def _compile_as(made: Any, takes: Signature) -> None:
    """Have a kernel compile for one signature, whatever it is first called with.

    numba asks `compile` for the types of a call, from Python or from another kernel; arguments are
    then converted to those of the signature.
    """
    compile_for = made.compile

    def compile_once(_asked: Any) -> Any:
        with _compiling:
            if not made.overloads:
                cache.enable(made)
                with cache.alone(made.py_func), without("scipy"):
                    compile_for(_type_of(takes))
                made.disable_compile()
        return next(iter(made.overloads.values())).entry_point

    made.compile = compile_once


def prepare(*kernels: Callable[..., Any]) -> None:
    """Compile *kernels* now, or load them, so that their first call does not have to."""
    for each in kernels:
        if ENABLED:
            cast("Any", each).compile(None)


def records(dtype: np.dtype[Any], count: int) -> Records:
    """Make *count* zeroed records; each is 64-byte aligned in size, none shares a cache line."""
    return np.zeros(count, dtype).view(np.recarray)


def layout(**fields: Any) -> np.dtype[Any]:
    """Describe a record: ``layout(level_db=np.float64, window=(np.float32, (960,)))``.

    Fields are aligned as in C, and the whole to 64 bytes, so that two threads that write to two
    records never write to one cache line.
    """
    rows: list[Any] = [
        (name, *cast("Any", kind)) if isinstance(kind, tuple) else (name, kind)
        for name, kind in fields.items()
    ]
    size = np.dtype(rows, align=True).itemsize
    filler = -size % 64
    return np.dtype([*rows, ("_filler", np.uint8, (filler,))] if filler else rows, align=True)


def signature(returns: str, *takes: Any) -> Signature:
    """Make a kernel's signature with records in it: ``signature("int64", SLOT, "uint8[::1]")``.

    A dtype means one record, a dtype in a list an array of them; what `parts` made stands for
    itself. What numba calls all that is not asked before the kernel compiles or loads: most never
    do.
    """
    return lambda: _type_of(returns)(*(_type_of(each) for each in takes))


def parts(kind: type, **fields: Any) -> Any:
    """Make the type of a NamedTuple *kind*: many arguments of a kernel as one.

    *fields* say of each what it is, in the words of `signature`.
    """
    order = cast("Any", kind)._fields
    return lambda: _types.NamedTuple([_type_of(fields[name]) for name in order], kind)


def _type_of(what: Any) -> Any:
    if isinstance(what, FunctionType):
        return what()
    if isinstance(what, list):
        return _types.Array(_record_type(cast("list[Any]", what)[0]), 1, "C")
    if isinstance(what, np.dtype):
        return _record_type(cast("Any", what))
    return _parsed(what) if isinstance(what, str) else what


@functools.cache
def _record_type(dtype: Any) -> Any:
    return cast("Any", _numba).from_dtype(dtype)


def _parsed(text: str) -> Any:
    return eval(text, {"__builtins__": {}}, cast("dict[str, Any]", vars(_types)))  # noqa: S307 - our own signatures
