"""The manners of every service, over real HTTP."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from litestar import Response, delete, get, patch, post
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler
from typing_extensions import override

from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.credentials.tokens import Claims, key_set, new_private_key
from sidetone.protocol.events import Fact, LoginEnded, Services
from sidetone.protocol.ids import FactId, LoginId, UserId
from sidetone.protocol.questions import TokenKeys
from sidetone.protocol.refusals import Conflict, RateLimited, Unavailable
from sidetone.runtime.callers import Caller, denied_key
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.http_etags import etag, require_match
from sidetone.runtime.http_gate import DEFAULT, HttpPolicy
from sidetone.runtime.http_problems import BODY_BYTES_MAX
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.limits import Limit
from sidetone.runtime.openapi import responses
from sidetone.runtime.process import serving
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase

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


class Found(msgspec.Struct):
    kind: str
    ids: list[UUID]
    since: int | None
    trace: str


class FragileStore(MemoryKeyValue):
    """A store that goes away when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    @override
    async def get(self, key: str) -> bytes | None:
        if self.down:
            raise Unavailable("keyvalue_unavailable", "the store is down; try again")
        return await super().get(key)


class Platform:
    """One small application with its surroundings and a client."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.bus = MemoryBus()
        self.journal = MemoryJournal()
        self.store = FragileStore()
        self.clock = StillClock()
        self.tasks = Tasks()
        self.around = Surroundings(
            database, self.store, self.bus, self.journal, self.clock, self.tasks
        )
        self.published = {"k1": KEY}
        self.asked = 0
        self.ready = True
        self.client: httpx.AsyncClient

    def token(self, kid: str = "k1", key: bytes = KEY, scopes: tuple[str, ...] = ("api",)) -> str:
        claims = Claims(
            iss="sidetone",
            aud="sidetone",
            sub=USER,
            sid=LOGIN,
            scp=list(scopes),
            iat=self.clock.now_ms() // 1000,
            exp=self.clock.now_ms() // 1000 + 600,
            jti=self.clock.new_id(),
        )
        header = {"alg": "RS256", "typ": "at+jwt", "kid": kid}
        body = msgspec.json.encode(claims)
        return jws.serialize_compact(header, body, RSAKey.import_key(key), algorithms=["RS256"])

    async def answer_keys(self, _: TokenKeys) -> bytes:
        self.asked += 1
        return key_set(self.published)

    async def check(self) -> None:
        if not self.ready:
            raise Unavailable("database_unavailable", "the database is down; try again")

    async def whoami(self, token: str | None) -> httpx.Response:
        return await self.send("GET", "/whoami", token)

    async def send(self, method: str, path: str, token: str | None, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def end(self, login: LoginId) -> None:
        """Let everybody hear that *login* is over, and wait until they have."""
        heard = asyncio.Event()

        async def note(_: Fact) -> None:
            heard.set()

        unsubscribe = await self.journal.follow(note)
        fact = Fact(FactId(uuid4()), Services(), LoginEnded(USER, login))
        await self.journal.record([fact])
        await heard.wait()
        await unsubscribe()


@get("/whoami")
async def whoami(user: UserId, caller: Caller) -> dict[str, str]:
    """Tell who asks."""
    assert user == caller.user
    return {"user": str(user), "login": str(caller.login)}


@get("/refuse/{kind:str}", responses=responses(409))
async def refuse(kind: str) -> None:
    """Refuse."""
    if kind == "conflict":
        raise Conflict("name_taken", "choose another name")
    if kind == "outage":
        raise Unavailable("database_unavailable", "the database is down; try again")
    raise RateLimited("rate_limited", "wait", 12.0)


@get("/bug")
async def bug() -> None:
    """Break."""
    raise RuntimeError("the secret cause")


@post("/orders")
async def order(data: Order) -> Order:
    """Take an order."""
    return data


@get("/rooms/{room:uuid}")
async def room(room: UUID, limit: Annotated[int, Parameter(ge=1, le=100)] = 5) -> str:
    """Show a room."""
    return f"{room} {limit}"


@get("/found")
async def found(
    kind: Literal["text", "voice"],
    ids: Annotated[list[UUID], Parameter(query="id", max_items=2)],
    since: Annotated[int | None, Parameter(ge=0)] = None,
    trace: Annotated[str, Parameter(header="X-Trace")] = "",
) -> Found:
    """Find something."""
    return Found(kind, ids, since, trace)


@delete("/account", privileged=True)
async def close_account(user: UserId) -> None:
    """Close the account."""


@post("/bans", scope="manage", tags=["moderation"], operation_id="ban")
async def ban(user: UserId, data: Order) -> Order:
    """Ban a member."""
    return data


@get("/profile", versioned=True)
async def profile(user: UserId) -> Response[Order]:
    """Show the profile."""
    return Response(Order(1), headers={"etag": etag(3), "cache-control": "private"})


@patch("/profile", versioned=True, responses=responses(409))
async def edit_profile(request: AnyRequest, user: UserId, data: Order) -> Order:
    """Edit the profile."""
    require_match(request, 3)
    return data


class Till:
    """Counts what was paid, and waits where a test holds it back."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.entered = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.fault: Exception | None = None

    def routes(self) -> list[ControllerRouterHandler]:
        @post("/payments")
        async def pay(user: UserId, data: Order) -> Order:
            """Pay."""
            self.entered.set()
            await self.open.wait()
            if self.fault is not None:
                raise self.fault
            self.paid.append(data.count)
            return Order(sum(self.paid))

        return [pay]


ROUTES = [whoami, refuse, bug, order, room, found, close_account, ban, profile, edit_profile]


@asynccontextmanager
async def serve(
    policy: HttpPolicy = DEFAULT, more: Sequence[ControllerRouterHandler] = ()
) -> AsyncGenerator[Platform]:
    with tempfile.TemporaryDirectory() as folder:
        database = await SqliteDatabase.open(Path(folder) / "test.db")
        stage = Platform(database)
        await stage.bus.answer(TokenKeys, stage.answer_keys)
        app = app_of([*ROUTES, *more], around=stage.around, policy=policy, ready=[stage.check])
        async with (
            serving(app, "127.0.0.1", 0, clock=stage.clock) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as stage.client,
        ):
            yield stage
        await stage.tasks.close()
        await stage.journal.close()
        await stage.bus.close()
        await database.close()


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with serve() as stage:
        yield stage


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
        '{"count": "1"}',
        '{"count": true}',
        '{"count": null}',
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


async def test_queries_and_headers_become_what_the_handler_names(platform: Platform) -> None:
    query = f"kind=voice&id={UUID(int=1)}&id={UUID(int=2)}&since=7&unknown=1"
    headers = {"x-trace": "abc"}
    answer = await platform.client.get(f"/found?{query}", headers=headers)
    ids = [str(UUID(int=1)), str(UUID(int=2))]
    assert answer.json() == {"kind": "voice", "ids": ids, "since": 7, "trace": "abc"}
    answer = await platform.client.get(f"/found?kind=text&id={UUID(int=1)}")
    assert answer.json() == {"kind": "text", "ids": ids[:1], "since": None, "trace": ""}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "kind=text",
        "kind=other&id=00000000-0000-0000-0000-000000000001",
        "kind=text&id=none",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=soon",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=",
        "kind=text&id=00000000-0000-0000-0000-000000000001&since=-1",
        "kind=%FF",
        "kind=text" + "&id=00000000-0000-0000-0000-000000000001" * 3,
    ],
)
async def test_a_query_out_of_bounds_is_malformed(platform: Platform, query: str) -> None:
    answer = await platform.client.get(f"/found?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


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


# --- Who gets in ---


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


# --- Manners ---


async def test_an_outage_says_when_to_come_back(platform: Platform) -> None:
    answer = await platform.client.get("/refuse/outage")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_a_body_of_another_kind_is_refused(platform: Platform, media_type: str) -> None:
    headers = {"content-type": media_type}
    answer = await platform.client.post("/orders", content=b'{"count": 1}', headers=headers)
    assert answer.status_code == 415
    assert answer.json()["code"] == "media_type_unknown"


async def test_json_may_name_its_charset_or_nothing(platform: Platform) -> None:
    body = b'{"count": 1}'
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await platform.client.post("/orders", content=body)).status_code == 201
    answer = await platform.client.post("/orders", content=body, headers=headers)
    assert answer.status_code == 201


async def test_a_wrong_method_hears_which_are_right(platform: Platform) -> None:
    answer = await platform.client.delete("/profile")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


async def test_options_tells_the_methods(platform: Platform) -> None:
    answer = await platform.client.options("/profile")
    assert answer.status_code == 204
    assert "PATCH" in answer.headers["allow"]


async def test_head_is_get_without_the_body(platform: Platform) -> None:
    token = platform.token()
    got = await platform.send("GET", "/profile", token)
    head = await platform.send("HEAD", "/profile", token)
    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == '"3"'
    assert (await platform.client.head("/nowhere")).status_code == 404


async def test_answers_are_not_cached_sniffed_or_framed(platform: Platform) -> None:
    headers = (await platform.client.get("/nowhere")).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers
    own = (await platform.send("GET", "/profile", platform.token())).headers
    assert own["cache-control"] == "private"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("trace-0123456789", True), ("short", False), ("a" * 65, False), ("bad id: 1234", False)],
)
async def test_a_request_keeps_the_id_that_it_came_with(
    platform: Platform, given: str, kept: bool
) -> None:
    answer = await platform.client.get("/livez", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept


async def test_web_pages_may_do_nothing_unless_they_are_listed(platform: Platform) -> None:
    preflight = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answer = await platform.client.options("/orders", headers=preflight)
    assert "access-control-allow-origin" not in answer.headers
    async with serve(HttpPolicy(cors_origins=["https://app.example"])) as listed:
        answer = await listed.client.options("/orders", headers=preflight)
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        stranger = preflight | {"origin": "https://evil.example"}
        answer = await listed.client.options("/orders", headers=stranger)
        assert answer.headers.get("access-control-allow-origin") != "https://evil.example"


async def test_an_edit_of_a_stale_version_is_refused(platform: Platform) -> None:
    token = platform.token()
    for header, status in [({}, 200), ({"if-match": '"3"'}, 200), ({"if-match": '"2"'}, 409)]:
        answer = await platform.send("PATCH", "/profile", token, headers=header, json={"count": 1})
        assert answer.status_code == status
    assert answer.json()["code"] == "stale_version"


# --- Repeats ---


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


# --- The document ---


async def test_the_document_tells_what_a_route_takes_and_answers(platform: Platform) -> None:
    document = (await platform.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    operation = document["paths"]["/bans"]["post"]
    assert operation["summary"] == "Ban a member."
    assert operation["operationId"] == "ban"
    assert operation["tags"] == ["moderation"]
    assert operation["security"] == [{"token": []}]
    body = operation["requestBody"]["content"]["application/json"]
    assert body == {"schema": {"$ref": "#/components/schemas/Order"}, "example": {"count": 1}}
    assert set(operation["responses"]) == {
        "201", "400", "401", "403", "409", "413", "415", "422", "429", "503"
    }  # fmt: skip
    assert operation["responses"]["401"] == {"$ref": "#/components/responses/Refusal401"}
    refusals = document["components"]["responses"]
    problem = refusals["Refusal401"]["content"]["application/problem+json"]
    assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert problem["example"]["kind"] == "unauthenticated"
    assert "Retry-After" in refusals["Refusal503"]["headers"]
    assert [header["name"] for header in operation["parameters"]] == ["Idempotency-Key"]
    order_schema = document["components"]["schemas"]["Order"]
    assert order_schema["additionalProperties"] is False


async def test_the_document_tells_parameters_with_their_bounds(platform: Platform) -> None:
    document = (await platform.client.get("/openapi.json")).json()
    room, limit = document["paths"]["/rooms/{room}"]["get"]["parameters"]
    assert (room["in"], room["schema"]["format"], room["required"]) == ("path", "uuid", True)
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 5}
    assert limit["required"] is False
    versioned = document["paths"]["/profile"]["patch"]
    assert [header["name"] for header in versioned["parameters"]] == ["If-Match"]
    assert "ETag" in versioned["responses"]["200"]["headers"]
    kind, ids, since, trace = document["paths"]["/found"]["get"]["parameters"]
    assert (kind["required"], kind["schema"]["enum"]) == (True, ["text", "voice"])
    assert (ids["name"], ids["schema"]["maxItems"]) == ("id", 2)
    assert since["required"] is False
    assert (trace["name"].lower(), trace["in"]) == ("x-trace", "header")
    assert "/livez" not in document["paths"]
