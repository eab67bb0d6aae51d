"""Kernels over records work in memory that others keep: they count and allocate nothing."""

import sys

import numpy as np
import pytest

from sidetone.native import ENABLED, kernel, layout, prepare, records, signature
from sidetone.native.functions import floats_at, record_at, words_at

PAIR = layout(number=np.int64, share=np.float64)

pytestmark = pytest.mark.skipif(not ENABLED, reason="needs the compiler")


@kernel(signature("void", [PAIR], "float32[::1]"))
def leave_a_sum(pairs, x):
    pairs[1].share = x[0] + x[1]


@kernel(signature("void", PAIR, "uintp", "uintp", "uintp"))
def gather(pair, floats, words, other):
    there = record_at(other, PAIR)
    pair.share = floats_at(floats, 3)[2] + there.share
    pair.number = words_at(words, 2)[1] + there.number
    there.number = words_at(words, 2).size


def test_what_a_kernel_is_given_is_counted_by_nobody_but_python() -> None:
    pairs, x = records(PAIR, 2), np.ones(2, np.float32)
    before = sys.getrefcount(pairs), sys.getrefcount(x)
    for _ in range(100):
        leave_a_sum(pairs, x)
    assert (sys.getrefcount(pairs), sys.getrefcount(x)) == before
    assert pairs[1].share == 2


def test_memory_is_viewed_where_it_is() -> None:
    pair, other = records(PAIR, 1)[0], records(PAIR, 1)
    floats, words = np.arange(3, dtype=np.float32), np.arange(5, 7)
    other[0].number, other[0].share = 30, 0.5
    gather(pair, floats.ctypes.data, words.ctypes.data, other.ctypes.data)
    assert (pair.number, pair.share) == (36, 2.5)
    assert other[0].number == 2


def test_a_kernel_over_records_that_would_allocate_does_not_compile() -> None:
    @kernel(signature("void", PAIR))
    def wasteful(pair):
        pair.share = np.zeros(pair.number)[0]

    with pytest.raises(Exception, match="array passed into the function"):
        prepare(wasteful)
