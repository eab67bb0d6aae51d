"""The only module that names numba: it turns a typed function into a machine-code kernel.

The signature is given, so a kernel compiles on import, once per machine: the result is cached.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as _numba  # pyright: ignore[reportMissingTypeStubs]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_jit = cast("Callable[..., Callable[[Any], Any]]", _numba.njit)


def kernel(signature: str) -> Callable[[_Function], _Function]:
    """Compile for *signature*, and keep the interpreter lock during a call.

    A kernel takes microseconds. Giving the lock away for so short a time would mean queueing for
    it afterwards, up to a switch interval (5 ms) behind a busy thread.
    """
    return cast(
        "Callable[[_Function], _Function]",
        _jit(signature, cache=True, nogil=False, error_model="numpy"),
    )
