"""C functions inside kernels, words between threads, and the clock."""

import ctypes
import ctypes.util
import threading
import time

import numpy as np
import pytest

from sidetone.native import kernel
from sidetone.native.atomics import load, read_word, store, write_word
from sidetone.native.clock import now_ns, sleep
from sidetone.native.functions import (
    address_in,
    call_count,
    call_transfer,
    floats_at,
    named,
    thunk,
)

_libc = ctypes.CDLL(ctypes.util.find_library("c"))
absolute = named("abs", address_in(_libc, "abs"), "i", "i")


@kernel("int64(int64)")
def distance(n):
    return absolute(np.int32(n))


@kernel("int64(uintp, uintp, uintp, int64)")
def transfer(function, handle, buffer, frames):
    return call_transfer(function, handle, buffer, frames)


@kernel("int64(uintp, uintp)")
def count(function, handle):
    return call_count(function, handle)


@kernel("float64(uintp, int64)")
def sum_at(address, size):
    x = floats_at(address, size)
    s = 0.0
    for at in range(x.size):
        s += x[at]
    return s


@kernel("int64(int64[::1], int64)", release=True)
def wait_for(words, wanted):
    looked = 0
    while load(words, 0) != wanted:
        looked += 1
    store(words, 1, wanted + 1)
    return looked


def test_a_named_function_is_called() -> None:
    assert distance(-5) == 5


def test_a_missing_function_is_told() -> None:
    with pytest.raises(AttributeError):
        address_in(_libc, "no_such_function")


def test_python_in_the_clothes_of_c_is_called_with_what_was_given() -> None:
    seen: list[tuple[int, ...]] = []

    def take(handle: int, buffer: int, frames: int) -> int:
        seen.append((handle, buffer, frames))
        return -3

    assert transfer(thunk(take, "i", "ppn"), 7, 8, 240) == -3
    assert seen == [(7, 8, 240)]
    assert count(thunk(lambda handle: handle - 10, "l", "p"), 4) == -6


def test_memory_is_read_where_it_lies() -> None:
    sound = np.arange(10, dtype=np.float32)
    assert sum_at(sound.ctypes.data, 10) == 45


def test_a_word_passes_between_threads_without_the_interpreter_lock() -> None:
    words = np.zeros(2, np.int64)
    waiter = threading.Thread(target=wait_for, args=(words, 5))
    waiter.start()
    write_word(words, 0, 5)
    waiter.join(20)
    assert not waiter.is_alive()
    assert read_word(words, 1) == 6


def test_the_clock_is_that_of_the_interpreter_and_sleep_keeps_to_it() -> None:
    before = time.monotonic_ns()
    assert before <= now_ns() <= time.monotonic_ns()
    begun = now_ns()
    sleep(2_000_000)
    assert now_ns() - begun >= 2_000_000
    sleep(-1)
