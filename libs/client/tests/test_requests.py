import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import msgspec
import pytest
from litestar import Litestar, Response, get, post
from litestar.connection import Request
from litestar.response import Response as AnyResponse

from sidetone.client.api import Api
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import (
    Conflict,
    Forbidden,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from sidetone.protocol.servers import Server
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import serving

USER = UserId(UUID(int=1))


class Door:
    """A server of one account whose tokens are numbered; only the newest one is good."""

    def __init__(self) -> None:
        self.newest = 0
        self.refreshes = 0
        self.logins = 0
        self.lifetime_ms = 600_000
        self.refusal: Refusal | None = None
        self.expired = ""

    def issue(self) -> LoggedIn:
        self.newest += 1
        expires_at_ms = time.time_ns() // 1_000_000 + self.lifetime_ms
        return LoggedIn(USER, "ada", f"a{self.newest}", f"r{self.newest}", expires_at_ms)

    def app(self) -> Litestar:
        @post("/auth/login")
        async def log_in() -> AnyResponse[bytes]:
            self.logins += 1
            return said(self.issue())

        @post("/auth/refresh")
        async def refresh(data: dict[str, str]) -> AnyResponse[bytes]:
            self.refreshes += 1
            return self.renewed(data["refresh_token"])

        @post("/auth/logout")
        async def log_out() -> None:
            self.newest += 1

        @get("/chat/servers")
        async def servers(request: Request[Any, Any, Any]) -> AnyResponse[bytes]:
            return self.list_servers(request.headers.get("authorization", ""))

        @get("/auth/users/{user:str}")
        async def broken(user: str) -> AnyResponse[bytes]:
            return Response(b"<html>", status_code=502, media_type="text/html")

        return Litestar([log_in, refresh, log_out, servers, broken])

    def renewed(self, refresh_token: str) -> AnyResponse[bytes]:
        if refresh_token != f"r{self.newest}":
            return refused(Unauthenticated("login_revoked", "log in again"))
        return said(self.issue())

    def list_servers(self, authorization: str) -> AnyResponse[bytes]:
        if self.refusal is not None:
            return refused(self.refusal)
        token = authorization.removeprefix("Bearer ")
        if token != f"a{self.newest}" or token == self.expired:
            return refused(Unauthenticated("token_expired", "refresh it"))
        return said([])


def said(answer: object) -> AnyResponse[bytes]:
    return Response(msgspec.json.encode(answer), status_code=200, media_type="application/json")


def refused(refusal: Refusal) -> AnyResponse[bytes]:
    status = 401 if isinstance(refusal, Unauthenticated) else 403
    content = msgspec.json.encode(refusal.problem())
    return Response(content, status_code=status, media_type="application/problem+json")


@asynccontextmanager
async def knocking(door: Door) -> AsyncIterator[Api]:
    async with serving(door.app(), "127.0.0.1", 0, clock=SystemClock()) as port:
        requests = Requests(Endpoint(f"http://127.0.0.1:{port}"))
        yield Api(requests)
        await requests.close()


async def test_nothing_is_asked_before_the_log_in() -> None:
    async with knocking(Door()) as api:
        with pytest.raises(Unauthenticated) as caught:
            await api.servers.mine()
    assert caught.value.code == "not_logged_in"


async def test_requests_with_a_good_token_renew_nothing() -> None:
    door = Door()
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        assert await asyncio.gather(*(api.servers.mine() for _ in range(8))) == [[]] * 8
    assert door.refreshes == 0


async def test_a_token_near_its_end_is_renewed_once_for_all() -> None:
    door = Door()
    door.lifetime_ms = 1_000
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        door.lifetime_ms = 600_000
        answers = await asyncio.gather(*(api.servers.mine() for _ in range(8)))
    assert answers == [[]] * 8
    assert door.refreshes == 1


async def test_requests_whose_token_is_refused_share_one_renewal() -> None:
    door = Door()
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        door.expired = "a1"
        answers = await asyncio.gather(*(api.servers.mine() for _ in range(8)))
    assert answers == [[]] * 8
    assert door.refreshes == 1


async def test_a_refresh_token_that_is_lost_costs_a_new_log_in_and_no_restart() -> None:
    door = Door()
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        door.newest += 1
        answers = await asyncio.gather(*(api.servers.mine() for _ in range(4)))
    assert answers == [[]] * 4
    assert (door.refreshes, door.logins) == (1, 2)


async def test_a_server_that_refuses_every_token_is_believed_in_the_end() -> None:
    door = Door()
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        door.refusal = Unauthenticated("token_revoked", "this login has ended")
        with pytest.raises(Unauthenticated) as caught:
            await api.servers.mine()
    assert caught.value.code == "token_revoked"
    assert door.refreshes == 1


@pytest.mark.parametrize(
    "refusal",
    [Forbidden("no", "you may not"), Conflict("clash", "again"), RateLimited("s", "d", 7)],
)
async def test_a_problem_is_raised_as_the_refusal_that_it_was(refusal: Refusal) -> None:
    door = Door()
    door.refusal = refusal
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        with pytest.raises(type(refusal)) as caught:
            await api.servers.mine()
    assert caught.value.problem() == refusal.problem()


async def test_an_answer_without_a_reason_names_the_server_and_the_status() -> None:
    async with knocking(Door()) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        with pytest.raises(Unavailable) as caught:
            await api.accounts.user(USER)
    assert caught.value.code == "server_failed"
    assert "502" in caught.value.detail


async def test_an_answer_of_another_shape_is_not_believed() -> None:
    async with knocking(Door()) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        with pytest.raises(Unavailable) as caught:
            await api.servers._requests.ask("GET", "/chat/servers", Server)
    assert caught.value.code == "answer_unknown"


async def test_after_the_log_out_nothing_is_renewed() -> None:
    door = Door()
    async with knocking(door) as api:
        await api.accounts.log_in("ada", "correct horse battery")
        await api.accounts.log_out()
        with pytest.raises(Unauthenticated):
            await api.servers.mine()
    assert (door.refreshes, door.logins) == (0, 1)


async def test_a_server_that_is_away_is_reported_in_one_line() -> None:
    api = Api(Requests(Endpoint("http://127.0.0.1:1")))
    with pytest.raises(Unavailable) as caught:
        await api.accounts.log_in("ada", "correct horse battery")
    assert caught.value.code == "server_unreachable"
    assert "\n" not in str(caught.value)
