"""Chat over HTTP on a small stage: real engines, and neighbours who answer what they are asked."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeVar
from uuid import UUID

import httpx
import msgspec
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from uuid_utils.compat import uuid7

from sidetone.chat.app import Ground, Policy, build
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.community import Community
from sidetone.credentials.tokens import Claims, key_set, new_private_key
from sidetone.protocol.accounts import User
from sidetone.protocol.events import Fact, Services, Signal, UserChanged
from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, FileId, LoginId, ServerId, UserId
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.questions import (
    ClaimFiles,
    Contact,
    DropFiles,
    MayContact,
    PreviewLink,
    TokenKeys,
    WhoAre,
)
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.protocol.servers import Channel, Server
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from tests.cql import open_cql
from tests.surroundings import TOPOLOGIES, Topology, open_surroundings
from tests.waiting import until

A = TypeVar("A")
# Messages are kept in the database of either topology, or in a store of their own.
STAGES = (*TOPOLOGIES, pytest.param("cql", marks=pytest.mark.cql))
PLENTY = Limit(1_000_000, 1_000)
GENEROUS = Policy(
    invites_per_address=PLENTY,
    messages_per_channel=PLENTY,
    typing_per_channel=PLENTY,
    reactions_per_channel=PLENTY,
    searches=PLENTY,
)


@cache
def signing_key() -> bytes:
    return new_private_key()


@dataclass
class Neighbours:
    """Auth, media and presence, as far as chat asks them."""

    files: dict[FileId, File] = field(default_factory=dict[FileId, File])
    previews: dict[str, LinkPreview] = field(default_factory=dict[str, LinkPreview])
    slow_pages: int = 0
    blocked: set[UserId] = field(default_factory=set[UserId])
    dropped: list[FileId] = field(default_factory=list[FileId])

    async def answer(self, around: Surroundings) -> None:
        await around.bus.answer(TokenKeys, self._keys)
        await around.bus.answer(ClaimFiles, self._claim)
        await around.bus.answer(PreviewLink, self._preview)
        await around.bus.answer(DropFiles, self._drop)
        await around.bus.answer(MayContact, self._contact)
        await around.bus.answer(WhoAre, self._who)

    async def _keys(self, _: TokenKeys) -> bytes:
        return key_set({"k1": signing_key()})

    async def _claim(self, question: ClaimFiles) -> list[File]:
        if not set(question.files) <= set(self.files):
            raise NotFound("file_unknown", "there is no such file")
        return [self.files[file] for file in question.files]

    async def _preview(self, question: PreviewLink) -> LinkPreview | None:
        if self.slow_pages > 0:
            self.slow_pages -= 1
            raise Unavailable("preview_pending", "the page is slow; ask again")
        return self.previews.get(question.url)

    async def _drop(self, question: DropFiles) -> None:
        self.dropped += question.files

    async def _who(self, question: WhoAre) -> list[User]:
        return [User(user, f"user-{user.hex[-6:]}") for user in question.users]

    async def _contact(self, question: MayContact) -> dict[UserId, Contact]:
        is_blocked = question.user in self.blocked
        return {
            other: Contact(False, is_blocked or other in self.blocked) for other in question.others
        }


@dataclass
class Person:
    """Somebody with a token and a client."""

    user: UserId
    client: httpx.AsyncClient
    token: str

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return await self.client.request(method, f"/chat{path}", headers=headers, **more)

    async def get(self, path: str, as_type: type[A], **params: Any) -> A:
        answer = await self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return msgspec.json.decode(answer.content, type=as_type)

    async def post(self, channel: ChannelId, **body: Any) -> httpx.Response:
        return await self.ask("POST", f"/channels/{channel}/messages", json=body)

    async def say(self, channel: ChannelId, text: str, **more: Any) -> Message:
        answer = await self.post(channel, text=text, **more)
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=Message)

    async def page(self, channel: ChannelId, **params: Any) -> tuple[list[Message], str | None]:
        answer = await self.ask("GET", f"/channels/{channel}/messages", params=params)
        assert answer.status_code == 200, answer.text
        page = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
        return (
            msgspec.json.decode(page["items"], type=list[Message]),
            msgspec.json.decode(page["next"], type=str | None),
        )

    async def texts(self, channel: ChannelId, **params: Any) -> list[str]:
        """Return what people wrote, newest first."""
        messages, _ = await self.page(channel, **params)
        return [message.text for message in messages if message.kind == "text"]

    async def reading(self, channel: ChannelId) -> ReadState:
        states = await self.get("/read-states", list[ReadState])
        nothing = ReadState(channel, None, 0, 0)
        return next((state for state in states if state.channel == channel), nothing)


@dataclass
class Stage:
    around: Surroundings
    client: httpx.AsyncClient
    neighbours: Neighbours
    facts: list[Fact]
    signals: list[Signal]
    cql: CqlSession | None = None

    def person(self) -> Person:
        user = UserId(uuid7())
        now = self.around.clock.now_ms() // 1_000
        claims = Claims(
            iss="sidetone",
            aud="sidetone",
            sub=user,
            sid=LoginId(uuid7()),
            scp=["api"],
            iat=now,
            exp=now + 600,
            jti=uuid7(),
        )
        token = jws.serialize_compact(
            {"alg": "RS256", "typ": "at+jwt", "kid": "k1"},
            msgspec.json.encode(claims),
            RSAKey.import_key(signing_key()),
            algorithms=["RS256"],
        )
        return Person(user, self.client, token)

    async def tavern(self, guests: int = 1) -> "Tavern":
        """Return a new server with an owner and *guests*."""
        owner = self.person()
        answer = await owner.ask("POST", "/servers", json={"name": "tavern"})
        assert answer.status_code == 201, answer.text
        server = msgspec.json.decode(answer.content, type=Server)
        channels = await owner.get(f"/servers/{server.id}/channels", list[Channel])
        text = next(channel for channel in channels if channel.kind == "text")
        tavern = Tavern(self, server, text.id, owner, [])
        for _ in range(guests):
            tavern.guests.append(await tavern.newcomer())
        return tavern

    def other_process(self) -> Ground:
        """Return chat as it is in another process, whose changes this one hears of later."""
        around = self.around
        return Ground(around, Outbox(around.database, around.journal, around.clock, "chat"))

    async def heard(self, kind: type[A]) -> list[A]:
        """Return the events of *kind* among the facts, once all that was stored is told."""
        # The journal is in order: once this mark is heard, so is everything before it.
        mark = UserChanged(User(UserId(uuid7()), "mark"))
        outbox = Outbox(self.around.database, self.around.journal, self.around.clock, "chat")
        async with outbox.transaction() as rows:
            rows.announce(Services(), mark)
        await until(lambda: any(fact.event == mark for fact in self.facts))
        return [fact.event for fact in self.facts if isinstance(fact.event, kind)]


@dataclass
class Tavern:
    """A server whose first text channel is *channel*."""

    stage: Stage
    server: Server
    channel: ChannelId
    owner: Person
    guests: list[Person]

    @property
    def guest(self) -> Person:
        return self.guests[0]

    async def newcomer(self) -> Person:
        answer = await self.owner.ask("POST", f"/servers/{self.server.id}/invites", json={})
        assert answer.status_code == 201, answer.text
        person = self.stage.person()
        accepted = await person.ask("POST", f"/invites/{answer.json()['code']}/accept")
        assert accepted.status_code == 200, accepted.text
        return person

    async def overwrite(self, subject: object, allow: int = 0, deny: int = 0) -> None:
        answer = await self.owner.ask(
            "PUT",
            f"/channels/{self.channel}/overwrites/{subject}",
            json={"allow": allow, "deny": deny},
        )
        assert answer.status_code in {200, 204}, answer.text

    async def new_channel(self, name: str = "attic", kind: str = "text") -> ChannelId:
        answer = await self.owner.ask(
            "POST", f"/servers/{self.server.id}/channels", json={"name": name, "kind": kind}
        )
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=Channel).id

    async def edit_channel(self, **changes: object) -> None:
        answer = await self.owner.ask("PATCH", f"/channels/{self.channel}", json=changes)
        assert answer.status_code == 200, answer.text

    async def community(self) -> Community:
        """Return the server as it is stored."""
        return await self.stage.other_process().communities.get(ServerId(self.server.id))


@asynccontextmanager
async def open_stage(
    kind: Topology | Literal["cql"], policy: Policy = GENEROUS
) -> AsyncGenerator[Stage]:
    async with AsyncExitStack() as stack:
        cql = await stack.enter_async_context(open_cql()) if kind == "cql" else None
        around = await stack.enter_async_context(
            open_surroundings("distributed" if kind == "cql" else kind)
        )
        neighbours = Neighbours()
        await neighbours.answer(around)
        router = await build(around, policy, cql=cql)
        app = app_of(
            [router], around=around, policy=HttpPolicy(per_caller=PLENTY, per_address=PLENTY)
        )
        transport = httpx.ASGITransport(app)
        facts: list[Fact] = []
        signals: list[Signal] = []

        async def note(fact: Fact) -> None:
            facts.append(fact)

        async def hear(signal: Signal) -> None:
            signals.append(signal)

        await around.journal.follow(note)
        await around.bus.subscribe(Signal, hear)
        async with httpx.AsyncClient(transport=transport, base_url="http://chat") as client:
            yield Stage(around, client, neighbours, facts, signals, cql)


def new_file(name: str = "notes.txt", media_type: str = "text/plain") -> File:
    return File(FileId(uuid7()), name, media_type, 10)


def any_id() -> UUID:
    return uuid7()
