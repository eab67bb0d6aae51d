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


async def test_many_values_come_in_the_order_of_their_keys(store: KeyValue) -> None:
    await store.put("a", b"1", lifetime_seconds=60)
    await store.put("c", b"3", lifetime_seconds=60)
    assert list(await store.get_many(["c", "b", "a", "c"])) == [b"3", None, b"1", b"3"]
    assert list(await store.get_many([])) == []


async def test_a_value_is_replaced_only_by_who_knows_it(store: KeyValue) -> None:
    assert not await store.replace("key", b"", b"one", lifetime_seconds=60)
    await store.put("key", b"one", lifetime_seconds=60)
    assert not await store.replace("key", b"other", b"two", lifetime_seconds=60)
    assert await store.get("key") == b"one"
    assert await store.replace("key", b"one", b"\x00two\xff", lifetime_seconds=60)
    assert await store.get("key") == b"\x00two\xff"


async def test_a_lease_is_extended_by_its_holder(store: KeyValue) -> None:
    await store.put("key", b"ada", lifetime_seconds=0.03)
    await store.put("other", b"", lifetime_seconds=0.03)
    while not await store.replace("key", b"ada", b"ada", lifetime_seconds=60):
        await store.put("key", b"ada", lifetime_seconds=0.03)
    await expire(store, "other")
    assert await store.get("key") == b"ada"


async def test_of_many_who_replace_a_value_one_does(store: KeyValue) -> None:
    await store.put("key", b"free", lifetime_seconds=60)
    done = await asyncio.gather(
        *(store.replace("key", b"free", str(n).encode(), lifetime_seconds=60) for n in range(20))
    )
    assert sum(done) == 1
    assert await store.get("key") == str(done.index(True)).encode()


async def test_so_many_attempts_are_let_through_and_no_more(store: KeyValue) -> None:
    waits = await asyncio.gather(*(store.take("ada", 5, 3_600_000) for _ in range(8)))
    assert sorted(waits)[:5] == [0] * 5
    for wait in sorted(waits)[5:]:
        assert 700 < wait <= 720
    assert await store.take("ben", 5, 3_600_000) == 0


async def test_who_waits_as_told_is_let_through(store: KeyValue) -> None:
    assert await store.take("ada", 1, 40) == 0
    deadline = time.monotonic() + 10
    while wait := await store.take("ada", 1, 40):
        assert wait <= 0.04
        assert time.monotonic() < deadline
        await asyncio.sleep(wait)


async def test_members_are_told_once_each_and_sorted(store: KeyValue) -> None:
    for member in ("ben", "ada", "ben", "ü:%"):
        await store.add_member("room", member, lifetime_seconds=60)
    await store.add_member("other", "eve", lifetime_seconds=60)
    assert list(await store.members("room")) == ["ada", "ben", "ü:%"]
    await store.remove_member("room", "ben")
    await store.remove_member("room", "nobody")
    await store.remove_member("nowhere", "ben")
    assert list(await store.members("room")) == ["ada", "ü:%"]
    assert list(await store.members("nowhere")) == []


async def test_a_member_expires_unless_it_is_renewed(store: KeyValue) -> None:
    await store.add_member("room", "ada", lifetime_seconds=0.05)
    await store.add_member("room", "ben", lifetime_seconds=0.05)
    await store.add_member("room", "ada", lifetime_seconds=60)
    deadline = time.monotonic() + 10
    while list(await store.members("room")) != ["ada"]:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def test_a_removed_set_has_no_members(store: KeyValue) -> None:
    await store.add_member("room", "ada", lifetime_seconds=60)
    await store.remove("room")
    assert list(await store.members("room")) == []


async def test_a_thousand_at_once_are_all_served(store: KeyValue) -> None:
    async def use(number: int) -> bytes | None:
        await store.put(str(number), str(number).encode(), lifetime_seconds=60)
        return await store.get(str(number))

    values = await asyncio.gather(*map(use, range(1_000)))
    assert values == [str(number).encode() for number in range(1_000)]
