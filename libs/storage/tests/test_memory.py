import pytest

from sidetone.protocol.refusals import Unavailable
from sidetone.storage.memory import KEYS_MAX, MemoryKeyValue


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_value_lives_as_long_as_it_was_told() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock)
    await store.put("key", b"value", lifetime_seconds=10)
    clock.now += 9.99
    assert await store.get("key") == b"value"
    clock.now += 0.01
    assert await store.get("key") is None


async def test_the_store_is_bounded_and_makes_room_of_what_expired() -> None:
    clock = Clock()
    store = MemoryKeyValue(clock)
    for number in range(KEYS_MAX):
        await store.put(str(number), b"", lifetime_seconds=10)
    with pytest.raises(Unavailable, match="keyvalue_full"):
        await store.put("one more", b"", lifetime_seconds=10)
    await store.put("0", b"the present keys can still change", lifetime_seconds=20)
    clock.now += 10
    await store.put("one more", b"", lifetime_seconds=10)
    assert await store.get("0") == b"the present keys can still change"
