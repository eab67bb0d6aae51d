"""Rate limits by every store: burst, refill, and what happens without a store."""

from collections.abc import AsyncGenerator

import pytest

from sidetone.protocol.refusals import RateLimited, Unavailable
from sidetone.runtime.limits import Limit, Limiter
from sidetone.storage import KeyValue
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines
from tests.surroundings import open_keyvalue

HOURLY = Limit(count=2, period_ms=3_600_000)


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest) -> AsyncGenerator[KeyValue]:
    async with open_keyvalue(request.param) as store:
        yield store


async def test_the_attempt_after_the_burst_is_told_how_long_to_wait(store: KeyValue) -> None:
    limiter = Limiter(store, "login", HOURLY)
    await limiter.take("ada")
    await limiter.take("ada")
    with pytest.raises(RateLimited) as refused:
        await limiter.take("ada")
    assert refused.value.code == "rate_limited"
    assert refused.value.retry_after_seconds is not None
    assert 1_700 < refused.value.retry_after_seconds <= 1_800
    assert f"wait {refused.value.retry_after_seconds} s" in refused.value.detail


async def test_limits_and_keys_do_not_share_a_count(store: KeyValue) -> None:
    once = Limit(count=1, period_ms=3_600_000)
    for name in ("login", "register"):
        for key in ("ada", "ben"):
            await Limiter(store, name, once).take(key)
    with pytest.raises(RateLimited):
        await Limiter(store, "login", once).take("ada")


async def test_two_processes_share_a_count(store: KeyValue) -> None:
    await Limiter(store, "login", HOURLY).take("ada")
    await Limiter(store, "login", HOURLY).take("ada")
    with pytest.raises(RateLimited):
        await Limiter(store, "login", HOURLY).take("ada")


async def test_the_limit_refills_evenly_and_never_above_its_count() -> None:
    now = [1_000.0]
    limiter = Limiter(MemoryKeyValue(lambda: now[0]), "send", Limit(count=4, period_ms=8_000))

    async def taken() -> int:
        count = 0
        while True:
            try:
                await limiter.take("ada")
            except RateLimited:
                return count
            count += 1

    assert await taken() == 4
    now[0] += 1.99
    assert await taken() == 0
    now[0] += 0.02
    assert await taken() == 1
    now[0] += 4.01
    assert await taken() == 2
    now[0] += 1_000_000
    assert await taken() == 4


async def test_a_clock_that_steps_back_locks_nobody_out_for_longer_than_the_period() -> None:
    now = [1_000_000.0]
    limiter = Limiter(MemoryKeyValue(lambda: now[0]), "send", Limit(count=2, period_ms=10_000))
    await limiter.take("ada")
    await limiter.take("ada")
    now[0] = 5.0
    with pytest.raises(RateLimited) as refused:
        await limiter.take("ada")
    assert refused.value.retry_after_seconds is not None
    assert refused.value.retry_after_seconds <= 10


async def test_without_a_store_a_limit_is_shut_or_open_as_it_was_made() -> None:
    with engines.start_valkey() as engine:
        store = await ValkeyKeyValue.open(engine.url)
        try:
            engine.kill()
            with pytest.raises(Unavailable):
                await Limiter(store, "login", HOURLY).take("ada")
            for _ in range(5):
                await Limiter(store, "send", HOURLY, open_when_down=True).take("ada")
        finally:
            await store.close()
