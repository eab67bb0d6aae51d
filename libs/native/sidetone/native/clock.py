"""The monotonic clock, and sleeping by it, for threads that may not take the interpreter lock.

`now_ns` reads the same clock inside kernels and outside, and is the clock of all sound: it is that
of `time.monotonic_ns` where that one is fine enough, which it is not on every Windows.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from typing import Any, Final, cast

import llvmlite.binding as _llvm  # pyright: ignore[reportMissingTypeStubs]
import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba.core import cgutils  # pyright: ignore[reportMissingTypeStubs]
from numba.extending import intrinsic  # pyright: ignore[reportMissingTypeStubs]

from sidetone.native import kernel
from sidetone.native.functions import address_in, named

_NS: Final = 1_000_000_000
_add_symbol = cast("Callable[[str, int], None]", _llvm.add_symbol)
_types = cast("Any", _numba.types)
_ir = cast("Any", ir)
_cgutils = cast("Any", cgutils)
_intrinsic = cast("Callable[[Any], Any]", intrinsic)
_WORD: Final[Any] = _ir.IntType(64)


def _reader(symbol: str, first: Any) -> Any:
    """Make an intrinsic that has a C function fill two words on the stack and returns both.

    On the stack, because an array made inside a kernel would be an allocation with every call.
    """

    @_intrinsic
    def read(_context: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, _args: Any) -> Any:
            place = _cgutils.alloca_once(builder, _ir.ArrayType(_WORD, 2))
            at = builder.bitcast(place, _WORD.as_pointer())
            takes = [] if first is None else [first.type]
            shape = _ir.FunctionType(_ir.IntType(32), [*takes, _WORD.as_pointer()])
            function = _cgutils.get_or_insert_function(builder.module, shape, symbol)
            builder.call(function, [at] if first is None else [first, at])
            words = (builder.load(at), builder.load(builder.gep(at, [_WORD(1)])))
            return context.make_tuple(builder, sig.return_type, words)

        return _types.UniTuple(_types.int64, 2)(), generate

    return read


if sys.platform == "win32":
    _kernel32: Final = ctypes.WinDLL("kernel32")
    _add_symbol("sidetone_ticks", address_in(_kernel32, "QueryPerformanceCounter"))
    _ticks = _reader("sidetone_ticks", None)
    _sleep = named("sleep", address_in(_kernel32, "Sleep"), "i", "i")
    _per_second = ctypes.c_int64()
    _kernel32.QueryPerformanceFrequency(ctypes.byref(_per_second))
    _TICKS_PER_SECOND: Final = _per_second.value
    # Without this a sleep ends up to 16 ms late.
    ctypes.WinDLL("winmm").timeBeginPeriod(1)

    @kernel("int64()")
    def now_ns() -> int:
        """Read the clock, in nanoseconds from some fixed moment."""
        ticks, _ = _ticks()
        seconds = ticks // _TICKS_PER_SECOND
        return seconds * _NS + (ticks - seconds * _TICKS_PER_SECOND) * _NS // _TICKS_PER_SECOND

    @kernel("void(int64)", release=True)
    def sleep(duration_ns: int) -> None:
        """Sleep for a while, rounded up to milliseconds; not at all for what is not positive."""
        if duration_ns > 0:
            _sleep((duration_ns + 999_999) // 1_000_000)

else:
    _libc: Final = ctypes.CDLL(None)
    # macOS counts its monotonic time under another name, and that is what Python reads there.
    _CLOCK: Final[int] = getattr(time, "CLOCK_UPTIME_RAW", time.CLOCK_MONOTONIC)
    _add_symbol("sidetone_clock_gettime", address_in(_libc, "clock_gettime"))
    _time = _reader("sidetone_clock_gettime", _ir.IntType(32)(_CLOCK))
    _usleep = named("usleep", address_in(_libc, "usleep"), "i", "i")

    @kernel("int64()")
    def now_ns() -> int:
        """Read the clock, in nanoseconds from some fixed moment."""
        seconds, rest = _time()
        return seconds * _NS + rest

    @kernel("void(int64)", release=True)
    def sleep(duration_ns: int) -> None:
        """Sleep for a while, rounded up to microseconds; not at all for what is not positive."""
        if duration_ns > 0:
            _usleep((duration_ns + 999) // 1000)
