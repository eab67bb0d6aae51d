"""Who gets in to a route, and how fast."""

from uuid import uuid4

import pytest

from libs.runtime.tests.http_stage import LOGIN, Platform, serve
from sidetone.protocol.ids import LoginId
from sidetone.runtime.callers import denied_key
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (("read",), "GET", "/whoami", 200),
        (("write", "manage", "voice"), "GET", "/whoami", 403),
        (("read", "write"), "POST", "/bans", 403),
        (("manage",), "POST", "/bans", 201),
        (("read",), "DELETE", "/account", 403),
        (("write",), "DELETE", "/account", 204),
        (("api",), "POST", "/bans", 201),
        ((), "GET", "/whoami", 403),
    ],
)
async def test_a_bot_does_what_its_scopes_allow(
    platform: Platform, scopes: tuple[str, ...], method: str, path: str, status: int
) -> None:
    body = {"json": {"count": 1}} if method == "POST" else {}
    answer = await platform.send(method, path, platform.token(scopes=scopes), **body)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] == "scope_missing"


async def test_a_login_that_ended_gets_nowhere(platform: Platform) -> None:
    token = platform.token()
    assert (await platform.whoami(token)).status_code == 200
    await platform.end(LoginId(uuid4()))
    assert (await platform.whoami(token)).status_code == 200
    await platform.end(LOGIN)
    for spelling in (token, platform.token()):
        answer = await platform.whoami(spelling)
        assert (answer.status_code, answer.json()["code"]) == (401, "login_ended")


async def test_a_privileged_route_asks_the_store(platform: Platform) -> None:
    token = platform.token()
    assert (await platform.send("DELETE", "/account", token)).status_code == 204
    await platform.store.put(denied_key(LOGIN), b"", 600)
    answer = await platform.send("DELETE", "/account", token)
    assert (answer.status_code, answer.json()["code"]) == (401, "login_ended")
    # What is not privileged goes by what this process has heard.
    assert (await platform.whoami(token)).status_code == 200


async def test_a_privileged_route_is_closed_while_the_store_is_down(platform: Platform) -> None:
    token = platform.token()
    platform.store.down = True
    answer = await platform.send("DELETE", "/account", token)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert (await platform.whoami(token)).status_code == 200


async def test_a_caller_who_is_too_fast_waits_and_others_do_not() -> None:
    async with serve(HttpPolicy(per_caller=Limit(3, 60_000))) as platform:
        token = platform.token()
        answers = [await platform.whoami(token) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].json()["code"] == "too_fast"
        assert 15 <= int(answers[-1].headers["retry-after"]) <= 20
        assert (await platform.client.post("/orders", json={"count": 1})).status_code == 201
        platform.clock.offset_ms += 20_000
        assert (await platform.whoami(token)).status_code == 200


async def test_an_address_that_is_too_fast_waits_whatever_token_it_invents() -> None:
    async with serve(HttpPolicy(per_address=Limit(3, 60_000))) as platform:
        known = platform.token()
        assert (await platform.whoami(known)).status_code == 200
        for status in (401, 401, 429, 429):
            assert (await platform.whoami("invented")).status_code == status
        assert (await platform.client.post("/orders", json={"count": 1})).status_code == 429
        # Whom we know is not held up by strangers at the same address, and nor are probes.
        assert (await platform.whoami(known)).status_code == 200
        assert (await platform.client.get("/livez")).status_code == 200
