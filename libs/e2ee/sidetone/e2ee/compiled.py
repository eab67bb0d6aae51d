"""The only module that names numba: machine code from typed functions, and libsodium for it.

Signatures are given, so a kernel compiles on import, once per machine: the result is cached.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import llvmlite.binding as _llvm  # pyright: ignore[reportMissingTypeStubs]
import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
from nacl import _sodium  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_jit = cast("Callable[..., Callable[[Any], Any]]", _numba.njit)
_add_symbol = cast("Callable[[str, int], None]", _llvm.add_symbol)
_libsodium = cast("Any", _sodium)

ENABLED: Final = not cast("Any", _numba).config.DISABLE_JIT


def kernel(signature: str, *, release: bool = False) -> Callable[[_Function], _Function]:
    """Compile for *signature*; with *release* the interpreter lock is free during a call.

    Only long calls release it: for microseconds, queueing for it afterwards costs far more.
    """
    return cast(
        "Callable[[_Function], _Function]",
        _jit(signature, cache=True, nogil=release, error_model="numpy"),
    )


def sodium_function(name: str, parameters: str) -> Callable[..., int]:
    """Make a libsodium function that returns an int callable from kernels, by its address.

    *parameters* is C-like: `p` for an address, `n` for a length. The address is PyNaCl's own,
    because its Windows wheel exports no symbols; the symbol's name lets kernels be cached.
    """
    ffi = _libsodium.ffi
    _add_symbol(name, int(ffi.cast("uintptr_t", ffi.addressof(_libsodium.lib, name))))
    types = cast("Any", _numba.types)
    kinds = {"p": types.uintp, "n": types.uint64}
    return types.ExternalFunction(name, types.int32(*(kinds[letter] for letter in parameters)))
