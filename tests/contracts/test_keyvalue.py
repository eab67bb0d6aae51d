"""What every key-value store does, told once."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest

from sidetone.storage import KeyValue
from tests.surroundings import open_keyvalue


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest) -> AsyncGenerator[KeyValue]:
    async with open_keyvalue(request.param) as store:
        yield store


async def expire(store: KeyValue, key: str) -> None:
    deadline = time.monotonic() + 10
    while await store.get(key) is not None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_value_comes_back_byte_for_byte(store: KeyValue) -> None:
    for key, value in {"a": b"\x00\xff\r\n", "a:b": b"", "ü": b"x" * 10_000}.items():
        await store.put(key, value, lifetime_seconds=60)
        assert await store.get(key) == value


async def test_an_absent_key_is_none(store: KeyValue) -> None:
    assert await store.get("absent") is None


async def test_a_later_value_replaces_the_earlier_and_its_lifetime(store: KeyValue) -> None:
    await store.put("key", b"one", lifetime_seconds=0.03)
    await store.put("key", b"two", lifetime_seconds=60)
    await store.put("other", b"", lifetime_seconds=0.03)
    await expire(store, "other")
    assert await store.get("key") == b"two"


async def test_a_value_expires(store: KeyValue) -> None:
    await store.put("key", b"value", lifetime_seconds=0.03)
    await expire(store, "key")
    assert await store.put_if_absent("key", b"next", lifetime_seconds=60) == b"next"


async def test_the_first_of_many_holds_the_key(store: KeyValue) -> None:
    values = [str(number).encode() for number in range(20)]
    held = await asyncio.gather(
        *(store.put_if_absent("key", value, lifetime_seconds=60) for value in values)
    )
    assert len(set(held)) == 1
    assert await store.get("key") == held[0]


async def test_who_comes_second_does_not_prolong_the_first(store: KeyValue) -> None:
    holder = b"second"
    # On a slow machine the first may have expired before the second comes.
    while holder == b"second":
        await store.put("key", b"first", lifetime_seconds=0.03)
        holder = await store.put_if_absent("key", b"second", lifetime_seconds=60)
    await expire(store, "key")


async def test_a_removed_key_is_absent(store: KeyValue) -> None:
    await store.put("key", b"value", lifetime_seconds=60)
    await store.remove("key")
    await store.remove("key")
    assert await store.get("key") is None
