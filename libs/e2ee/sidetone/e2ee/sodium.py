"""libsodium for kernels: the only module that knows where PyNaCl keeps it."""

from collections.abc import Callable
from typing import Any, cast

from nacl import _sodium  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

from sidetone.native.functions import named

_libsodium = cast("Any", _sodium)


def sodium_function(name: str, takes: str) -> Callable[..., int]:
    """Make a libsodium function that returns an int callable from kernels; see `named`.

    The address is PyNaCl's own, because its Windows wheel exports no symbols.
    """
    ffi = _libsodium.ffi
    address = int(ffi.cast("uintptr_t", ffi.addressof(_libsodium.lib, name)))
    return named(name, address, "i", takes)
