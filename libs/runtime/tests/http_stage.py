"""One small application over real HTTP, with surroundings that a test can disturb."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import httpx
import msgspec
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
from sidetone.runtime.callers import Caller
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.http_etags import etag, require_match
from sidetone.runtime.http_gate import DEFAULT, HttpPolicy
from sidetone.runtime.http_requests import AnyRequest
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
