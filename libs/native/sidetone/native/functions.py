"""C functions that kernels can call, by a name or at an address.

A name, where it can be, because addresses change with every start and would keep a kernel
from being cached. Where an address cannot be had, a Python function in C's clothes (`thunk`) takes
its place: slower, for it takes the interpreter lock, and as correct.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Any, Final, cast

import llvmlite.binding as _llvm  # pyright: ignore[reportMissingTypeStubs]
import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba.core import cgutils  # pyright: ignore[reportMissingTypeStubs]
from numba.extending import intrinsic  # pyright: ignore[reportMissingTypeStubs]

from sidetone.native import cache

_add_symbol = cast("Callable[[str, int], None]", _llvm.add_symbol)
_types = cast("Any", _numba.types)
_ir = cast("Any", ir)
_cgutils = cast("Any", cgutils)
_intrinsic = cast("Callable[[Any], Any]", intrinsic)

# What the letters of a signature mean, for numba and for ctypes.
_KINDS: Final[dict[str, tuple[Any, Any]]] = {
    "p": (_types.uintp, ctypes.c_void_p),
    "n": (_types.uint64, ctypes.c_uint64),
    "l": (_types.int64, ctypes.c_int64),
    "i": (_types.int32, ctypes.c_int32),
    "f": (_types.float32, ctypes.c_float),
}
_LONG_BITS: Final = 32 if sys.platform == "win32" else 64
_kept: list[Any] = []
_cfunc = cast("Callable[..., Callable[[Any], Any]]", cast("Any", _numba).cfunc)


def named(name: str, address: int, returns: str, takes: str) -> Callable[..., int]:
    """Make the C function at *address* callable from kernels.

    *returns* and *takes* are letters: `p` address, `n` unsigned length of 64 bits, `l` and `i`
    integers of 64 and 32 bits, `f` float. One name stands for one function in the whole process.
    """
    symbol = f"sidetone_{name}"
    _add_symbol(symbol, address)
    return cast(
        "Callable[..., int]",
        _types.ExternalFunction(
            symbol, _KINDS[returns][0](*(_KINDS[letter][0] for letter in takes))
        ),
    )


def location(name: str, address: int) -> Any:
    """Make what tells kernels, called without arguments, where the C function at *address* is.

    For functions that are handed to other functions. A name stands for one, as in `named`.
    """
    symbol = f"sidetone_at_{name}"
    _add_symbol(symbol, address)

    def tell(_context: Any) -> Any:
        def generate(_context: Any, builder: Any, _sig: Any, _args: Any) -> Any:
            shape = _ir.FunctionType(_ir.VoidType(), [])
            function = _cgutils.get_or_insert_function(builder.module, shape, symbol)
            return builder.ptrtoint(function, _ir.IntType(64))

        return _types.uintp(), generate

    return _intrinsic(tell)


def thunk(function: Callable[..., int], returns: str, takes: str) -> int:
    """Return an address at which C and kernels can call *function*; it lives as long as we do."""
    made = ctypes.CFUNCTYPE(_KINDS[returns][1], *(_KINDS[letter][1] for letter in takes))(function)
    _kept.append(made)
    return ctypes.cast(made, ctypes.c_void_p).value or 0


def entry(returns: str, takes: str) -> Callable[[Callable[..., Any]], int]:
    """Compile a kernel that C can call, in the letters of `named`, and return its address.

    It takes no interpreter lock, which is what sets it apart from a `thunk`.
    """

    def compiled(function: Callable[..., Any]) -> int:
        shape = _KINDS[returns][0](*(_KINDS[letter][0] for letter in takes))
        with cache.keyed(function):
            made = _cfunc(shape, cache=True, nopython=True, error_model="numpy")(function)
        _kept.append(made)
        return int(made.address)

    return compiled


def address_in(library: ctypes.CDLL, name: str) -> int:
    """Find *name* in a loaded library. Raises ``AttributeError`` where it is not."""
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0


def variadic_setter(name: str, address: int) -> Any:
    """Make ``int f(void *state, int request, ...)`` callable with one more int: libopus' ctl.

    Not `named`, because on Apple's processors the rest of a variadic call travels another way.
    """
    symbol = f"sidetone_{name}"
    _add_symbol(symbol, address)

    def set_(_context: Any, state: Any, request: Any, value: Any) -> Any:
        def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
            word, pointer = _ir.IntType(32), _ir.IntType(8).as_pointer()
            shape = _ir.FunctionType(word, [pointer, word], var_arg=True)
            function = _cgutils.get_or_insert_function(builder.module, shape, symbol)
            return builder.call(
                function,
                [
                    builder.inttoptr(args[0], pointer),
                    builder.trunc(args[1], word),
                    builder.trunc(args[2], word),
                ],
            )

        return _types.int32(_types.uintp, _types.int64, _types.int64), generate

    return _intrinsic(set_)


@_intrinsic
def call_transfer(_context: Any, function: Any, handle: Any, buffer: Any, frames: Any) -> Any:
    """Call ``int f(void *handle, void *buffer, unsigned long frames)`` at a run-time address."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        pointer, long = _ir.IntType(8).as_pointer(), _ir.IntType(_LONG_BITS)
        shape = _ir.FunctionType(_ir.IntType(32), [pointer, pointer, long])
        frames = args[3] if _LONG_BITS == 64 else builder.trunc(args[3], long)  # noqa: PLR2004
        return builder.call(
            builder.inttoptr(args[0], shape.as_pointer()),
            [builder.inttoptr(args[1], pointer), builder.inttoptr(args[2], pointer), frames],
        )

    return _types.int32(_types.uintp, _types.uintp, _types.uintp, _types.int64), generate


@_intrinsic
def call_count(_context: Any, function: Any, handle: Any) -> Any:
    """Call ``signed long f(void *handle)`` at a run-time address."""

    def generate(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        pointer, long = _ir.IntType(8).as_pointer(), _ir.IntType(_LONG_BITS)
        shape = _ir.FunctionType(long, [pointer])
        count = builder.call(
            builder.inttoptr(args[0], shape.as_pointer()), [builder.inttoptr(args[1], pointer)]
        )
        return count if _LONG_BITS == 64 else builder.sext(count, _ir.IntType(64))  # noqa: PLR2004

    return _types.int64(_types.uintp, _types.uintp), generate


@_intrinsic
def prefetch(_context: Any, address: Any) -> Any:
    """Have the cache line at *address* fetched, to be written to soon; nothing waits for it."""

    def generate(context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        pointer, word = _ir.IntType(8).as_pointer(), _ir.IntType(32)
        shape = _ir.FunctionType(_ir.VoidType(), [pointer, word, word, word])
        function = _cgutils.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0i8")
        # For writing, to be kept in all caches, data.
        builder.call(function, [builder.inttoptr(args[0], pointer), word(1), word(3), word(1)])
        return context.get_dummy_value()

    return _types.none(_types.uintp), generate


def _viewer(item: Any) -> Any:
    """Make what views memory as an array that nobody owns, for kernels that count no references.

    Fields not named here are zero: that is how numba knows that there is no owner.
    """

    @_intrinsic
    def view(_context: Any, address: Any, size: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array = context.make_array(sig.return_type)(context, builder)
            width = context.get_constant(
                _types.intp, context.get_abi_sizeof(context.get_data_type(item))
            )
            array.data = builder.inttoptr(args[0], array.data.type)
            array.itemsize, array.nitems = width, args[1]
            array.strides = _cgutils.pack_array(builder, [width])
            array.shape = _cgutils.pack_array(builder, [args[1]])
            return array._getvalue()  # noqa: SLF001 - numba's way

        return _types.Array(item, 1, "C")(_types.uintp, _types.intp), generate

    return view


floats_at: Final = _viewer(_types.float32)
"""(address, size): view float32 there as an array, in a kernel; nothing is copied or owned."""
words_at: Final = _viewer(_types.int64)
"""(address, size): view int64 there as an array, in a kernel; nothing is copied or owned."""


@_intrinsic
def record_at(_context: Any, address: Any, dtype: Any) -> Any:
    """View the record of *dtype* at *address*, in a kernel; nothing is copied or owned."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], context.get_value_type(sig.return_type))

    return dtype.dtype(_types.uintp, dtype), generate
