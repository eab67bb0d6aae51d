"""The manners of every service, over real HTTP."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import get, post

from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tokens import TokenPolicy, TokenSigner, key_set, new_private_key
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.questions import TokenKeys
from sidetone.protocol.refusals import Conflict, RateLimited, Unavailable
from sidetone.runtime.callers import Caller
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import BODY_BYTES_MAX, app_of
from sidetone.runtime.process import serving

KEY = new_private_key()
OTHER_KEY = new_private_key()
USER = UserId(UUID(int=7))
LOGIN = LoginId(UUID(int=8))


class StillClock(SystemClock):
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self._started_ms = super().now_ms()

    def now_ms(self) -> int:
        return self._started_ms + self.offset_ms


class Order(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Platform:
    """One small application with its bus, its clock and a client."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.clock = StillClock()
        self.published = {"k1": KEY}
        self.asked = 0
        self.ready = True
        self.client: httpx.AsyncClient

    def token(self, kid: str = "k1", key: bytes = KEY) -> str:
        signer = TokenSigner(kid, key, TokenPolicy())
        return signer.sign(USER, LOGIN, self.clock.new_id(), self.clock.now_ms())[0]

    async def answer_keys(self, _: TokenKeys) -> bytes:
        self.asked += 1
        return key_set(self.published)

    async def check(self) -> None:
        if not self.ready:
            raise Unavailable("database_unavailable", "the database is down; try again")

    async def whoami(self, token: str | None) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.client.get("/whoami", headers=headers)


@get("/whoami")
async def whoami(user: UserId, caller: Caller) -> dict[str, str]:
    assert user == caller.user
    return {"user": str(user), "login": str(caller.login)}


@get("/refuse/{kind:str}")
async def refuse(kind: str) -> None:
    if kind == "conflict":
        raise Conflict("name_taken", "choose another name")
    raise RateLimited("rate_limited", "wait", 12.0)


@get("/bug")
async def bug() -> None:
    raise RuntimeError("the secret cause")


@post("/orders")
async def order(data: Order) -> Order:
    return data


@get("/rooms/{room:uuid}")
async def room(room: UUID, limit: int = 5) -> str:
    return f"{room} {limit}"


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    stage = Platform()
    await stage.bus.answer(TokenKeys, stage.answer_keys)
    app = app_of(
        [whoami, refuse, bug, order, room],
        bus=stage.bus,
        clock=stage.clock,
        ready=[stage.check],
    )
    async with (
        serving(app, "127.0.0.1", 0, clock=stage.clock) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as stage.client,
    ):
        yield stage
    await stage.bus.close()


async def test_a_token_becomes_a_user_and_a_login(platform: Platform) -> None:
    answer = await platform.whoami(platform.token())
    assert answer.status_code == 200
    assert answer.json() == {"user": str(USER), "login": str(LOGIN)}


async def test_without_a_token_a_route_that_wants_a_user_is_closed(platform: Platform) -> None:
    answer = await platform.whoami(None)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_missing"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_remembered_token_still_expires(platform: Platform) -> None:
    token = platform.token()
    assert (await platform.whoami(token)).status_code == 200
    platform.clock.offset_ms += 601_000
    answer = await platform.whoami(token)
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"


async def test_a_new_key_is_found_without_a_restart(platform: Platform) -> None:
    await platform.whoami(platform.token())
    platform.published["k2"] = OTHER_KEY
    platform.clock.offset_ms += 10_000
    assert (await platform.whoami(platform.token("k2", OTHER_KEY))).status_code == 200
    assert platform.asked == 2


async def test_a_flood_of_unknown_keys_asks_once(platform: Platform) -> None:
    for number in range(20):
        answer = await platform.whoami(platform.token(f"invented-{number}", OTHER_KEY))
        assert answer.status_code == 401
    assert platform.asked == 1


async def test_a_token_of_another_key_under_our_kid_is_refused(platform: Platform) -> None:
    answer = await platform.whoami(platform.token("k1", OTHER_KEY))
    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


async def test_a_refusal_is_a_problem_with_its_status(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/conflict")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "kind": "conflict",
        "code": "name_taken",
        "detail": "choose another name",
    }


async def test_a_rate_limit_says_when_to_come_back(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/rate")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "12"
    assert answer.json()["retry_after_seconds"] == 12.0


@pytest.mark.parametrize(
    "body",
    [
        '{"count": "many"}',
        '{"count": 1, "extra": 2}',
        "{",
        "[]",
        "",
        "\x00\x01",
        '{"count": 1e99}',
    ],
)
async def test_a_body_that_cannot_be_read_is_malformed(platform: Platform, body: str) -> None:
    answer = await platform.client.post("/orders", content=body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


async def test_bytes_that_are_not_text_are_malformed(platform: Platform) -> None:
    answer = await platform.client.post("/orders", content=b'{"count": "\xff"}')
    assert answer.status_code == 400


async def test_a_query_that_cannot_be_read_is_malformed(platform: Platform) -> None:
    answer = await platform.client.get(f"/rooms/{UUID(int=1)}?limit=none")
    assert answer.status_code == 400
    assert answer.json()["code"] == "malformed"


@pytest.mark.parametrize("path", ["/", "/nowhere", "/rooms/not-an-id", "/whoami/too-far"])
async def test_an_unknown_path_is_a_problem(platform: Platform, path: str) -> None:
    answer = await platform.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "route_unknown"


async def test_a_wrong_method_is_a_problem(platform: Platform) -> None:
    answer = await platform.client.delete("/orders")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


async def test_a_body_without_end_is_cut_off(platform: Platform) -> None:
    body = json.dumps({"count": 1}) + " " * BODY_BYTES_MAX
    answer = await platform.client.post("/orders", content=body)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


async def test_a_bug_is_logged_and_tells_the_peer_nothing(
    platform: Platform, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await platform.client.get("/bug")
    assert answer.status_code == 500
    assert answer.content == b""
    logged = caplog.text + "".join(capsys.readouterr())
    assert "the secret cause" in logged
    assert answer.headers["x-request-id"] in logged


async def test_each_answer_has_an_id_of_its_own(platform: Platform) -> None:
    answers = [await platform.client.get(path) for path in ("/livez", "/nowhere", "/livez")]
    assert len({UUID(answer.headers["x-request-id"]) for answer in answers}) == 3


async def test_the_probes_tell_alive_from_ready(platform: Platform) -> None:
    assert (await platform.client.get("/readyz")).status_code == 200
    platform.ready = False
    assert (await platform.client.get("/readyz")).status_code == 503
    assert (await platform.client.get("/livez")).status_code == 200


async def test_the_metrics_count_by_route_and_never_by_path(platform: Platform) -> None:
    await platform.client.get(f"/rooms/{UUID(int=5)}")
    await platform.client.get("/some/invented/path")
    await platform.client.request("INVENTED", "/orders")
    text = (await platform.client.get("/metrics")).text
    assert 'route="/rooms/{room}",status="200"' in text
    assert 'route="unknown",status="404"' in text
    assert str(UUID(int=5)) not in text
    assert "invented" not in text.lower()
