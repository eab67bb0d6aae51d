"""Words that two threads share without a lock: acquire, release, and add.

Plain access to an array gives no order between threads: a compiler once turned a wait for such a
word into nothing. With these a reader who sees a word also sees all that was written before it.
Each works on one element of an int64 array.
"""

from collections.abc import Callable
from typing import Any, cast

import numba as _numba  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numba.extending import intrinsic  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from sidetone.native import kernel

_types = cast("Any", _numba.types)
_intrinsic = cast("Callable[[Any], Any]", intrinsic)
_WORD_BYTES = 8


def _element(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(kind)(context, builder, array).data, [index])


@_intrinsic
def load(_context: Any, array: Any, index: Any) -> Any:
    """Read a word, and with it all that was written before it was stored."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _element(context, builder, sig.args[0], args[0], args[1])
        return builder.load_atomic(at, ordering="acquire", align=_WORD_BYTES)

    return array.dtype(array, _types.intp), generate


@_intrinsic
def store(_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a word after all that was written before."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _element(context, builder, sig.args[0], args[0], args[1])
        builder.store_atomic(args[2], at, ordering="release", align=_WORD_BYTES)
        return context.get_dummy_value()

    return _types.none(array, _types.intp, array.dtype), generate


@kernel("int64(int64[::1], int64)")
def read_word(words: NDArray[np.int64], index: int) -> int:
    """Read a word as `load` does, from Python."""
    return load(words, index)


@kernel("void(int64[::1], int64, int64)")
def write_word(words: NDArray[np.int64], index: int, value: int) -> None:
    """Write a word as `store` does, from Python."""
    store(words, index, value)
