"""The same request again gets the same answer."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.runtime.tests.http_stage import Platform, Till, serve
from sidetone.protocol.refusals import Conflict, RateLimited, Unavailable


async def pay(
    platform: Platform, key: str, count: int = 1, token: str | None = None
) -> httpx.Response:
    headers = {"idempotency-key": key}
    token = token or platform.token()
    return await platform.send("POST", "/payments", token, headers=headers, json={"count": count})


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
async def shop(till: Till) -> AsyncIterator[Platform]:
    async with serve(more=till.routes()) as stage:
        yield stage


async def test_a_repeat_gets_the_first_answer_and_does_nothing(shop: Platform, till: Till) -> None:
    first = await pay(shop, "key-1")
    again = await pay(shop, "key-1")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert till.paid == [1]
    assert (await pay(shop, "key-2")).json() == {"count": 2}
    assert till.paid == [1, 1]


async def test_a_key_with_another_body_is_a_mistake(shop: Platform, till: Till) -> None:
    await pay(shop, "key-1", 1)
    answer = await pay(shop, "key-1", 2)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert till.paid == [1]


async def test_a_twin_of_a_running_request_is_refused(shop: Platform, till: Till) -> None:
    till.open.clear()
    running = asyncio.create_task(pay(shop, "key-1"))
    await till.entered.wait()
    answer = await pay(shop, "key-1")
    assert (answer.status_code, answer.json()["code"]) == (409, "request_running")
    till.open.set()
    assert (await running).status_code == 201
    assert (await pay(shop, "key-1")).status_code == 201
    assert till.paid == [1]


async def test_what_failed_may_be_tried_again_under_its_key(shop: Platform, till: Till) -> None:
    for fault, status in [
        (Unavailable("database_unavailable", "down"), 503),
        (RateLimited("rate_limited", "wait"), 429),
        (RuntimeError("a bug"), 500),
    ]:
        till.fault = fault
        assert (await pay(shop, "key-1")).status_code == status
    till.fault = None
    assert (await pay(shop, "key-1")).status_code == 201
    assert till.paid == [1]


async def test_a_refusal_for_good_is_kept_as_well(shop: Platform, till: Till) -> None:
    till.fault = Conflict("name_taken", "choose another name")
    assert (await pay(shop, "key-1")).status_code == 409
    till.fault = None
    assert (await pay(shop, "key-1")).json()["code"] == "name_taken"
    assert till.paid == []


async def test_without_the_store_a_repeatable_request_waits(shop: Platform, till: Till) -> None:
    shop.store.down = True
    assert (await pay(shop, "key-1")).status_code == 503
    assert till.paid == []


@pytest.mark.parametrize("key", ["", "a" * 129, "two words"])
async def test_a_key_that_is_none_is_refused(shop: Platform, key: str) -> None:
    answer = await pay(shop, key)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")
