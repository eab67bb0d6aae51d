"""Whatever becomes of roles and channels: who may not see a channel hears nothing of it."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.bus.memory import MemoryBus
from sidetone.community import Community
from sidetone.gateway.application.flusher import Flusher
from sidetone.gateway.application.follow import Follow
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.policy import DEFAULT
from sidetone.gateway.domain.session import Session
from sidetone.gateway.interface.encoding import encode_event
from sidetone.protocol.events import (
    Fact,
    InChannel,
    InServer,
    MessagesDeleted,
    ServerChanged,
    ServerClosed,
    ServerOpened,
)
from sidetone.protocol.frames import CloseCode, Dispatch, ServerFrame
from sidetone.protocol.ids import ChannelId, FactId, LoginId, SessionId, UserId
from sidetone.protocol.questions import DescribeServer
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.servers import ServerState
from tests.server_changes import CHANNELS, SERVER, USERS, changes, community

told_or_lost = st.tuples(st.sampled_from(["told", "told", "told", "lost"]), changes)
spoken = st.tuples(st.just("spoken"), st.sampled_from(CHANNELS))


class Reader:
    """A socket that understands what it is sent, and keeps the server as a client does."""

    writable = True

    def __init__(self, user: UserId) -> None:
        self.user = user
        self.sequence = 0
        self.known: Community | None = None
        self.heard: list[ChannelId] = []

    def write(self, frames: bytes) -> None:
        at = 0
        while at < len(frames):
            short = frames[at + 1]
            header = {126: 4, 127: 10}.get(short, 2)
            length = short if header == 2 else int.from_bytes(frames[at + 2 : at + header])
            text = frames[at + header : at + header + length]
            at += header + length
            self._take(msgspec.json.decode(text, type=ServerFrame))

    def _take(self, frame: Any) -> None:
        assert isinstance(frame, Dispatch)
        self.sequence += 1
        assert frame.sequence == self.sequence
        match frame.event:
            case ServerOpened(state):
                self.known = Community(state)
            case ServerClosed():
                self.known = None
            case ServerChanged() as change:
                assert self.known is not None
                assert self.known.follows(change)
                self.known.apply(change)
            case MessagesDeleted(channel):
                self.heard.append(channel)
            case other:
                raise AssertionError(other)

    def send(self, frame: ServerFrame) -> None:
        raise AssertionError(frame)

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError(code, reason)


class Stage:
    """A hub that all five people are connected to, and the server as chat has it."""

    def __init__(self) -> None:
        self.truth = community()
        self.bus = MemoryBus()
        self.flusher = Flusher()
        self.hub = Hub(self.bus, encode_event, self.flusher)
        self.follow = Follow(self.hub)
        self.readers = [Reader(user) for user in USERS]

    async def open(self) -> None:
        await self.bus.answer(DescribeServer, self._describe)
        for reader in self.readers:
            session = Session(SessionId(uuid4()), reader.user, LoginId(uuid4()), DEFAULT)
            person = self.hub.add(session)
            self.hub.enter(person, SERVER)
            await self.hub.communities.get(SERVER)
            (seen,) = self.hub.settle(person)
            reader.known = Community(seen.view(reader.user))
            session.open()
            self.hub.attach(session, reader)

    async def _describe(self, _: DescribeServer) -> ServerState:
        return self.truth.state()

    async def take(self, what: str, value: Any) -> None:
        if what == "spoken":
            where = InChannel(SERVER, value)
            await self._tell(where, MessagesDeleted(value, []))
            return
        change = ServerChanged(SERVER, self.truth.generation + 1, **value)
        self.truth.apply(change)
        if what == "told":
            await self._tell(InServer(SERVER), change)

    async def _tell(self, audience: Any, event: Any) -> None:
        await self.follow.hear_fact(Fact(FactId(uuid4()), audience, event))
        for session in self.hub.sessions.values():
            session.marked = False
            self.flusher.flush(session)


def check_knowledge(stage: Stage) -> None:
    truth = Community(stage.truth.state())
    for reader in stage.readers:
        if reader.user not in truth.members:
            assert reader.known is None
            continue
        assert reader.known is not None
        known, seen = reader.known.state(), truth.view(reader.user)
        assert known.server == seen.server
        for mine, theirs in (
            (known.roles, seen.roles),
            (known.channels, seen.channels),
            (known.members, seen.members),
        ):
            assert sorted(map(repr, mine)) == sorted(map(repr, theirs))


@given(st.lists(told_or_lost | spoken, max_size=12))
def test_everybody_knows_and_hears_what_they_may_see_and_nothing_else(
    steps: list[tuple[str, Any]],
) -> None:
    async def live() -> None:
        stage = Stage()
        await stage.open()
        in_step = True
        for what, value in steps:
            truth = Community(stage.hub.communities.held(SERVER).state())  # type: ignore[union-attr]
            await stage.take(what, value)
            in_step = what == "told" or (in_step and what == "spoken")
            for reader in stage.readers:
                if what == "spoken":
                    sees = truth.sees(reader.user, value)
                    assert reader.heard == ([value] if sees else [])
                reader.heard.clear()
            if in_step:
                check_knowledge(stage)
        await stage.bus.close()

    asyncio.run(live())


async def test_an_invented_channel_is_heard_by_nobody_and_leaves_nothing_behind() -> None:
    stage = Stage()
    await stage.open()
    for _ in range(10):
        await stage.take("spoken", ChannelId(uuid4()))
    assert not any(reader.heard for reader in stage.readers)
    assert not stage.hub.crowds[SERVER]._seeing
    await stage.bus.close()


async def test_a_fact_that_is_told_twice_is_heard_once() -> None:
    stage = Stage()
    await stage.open()
    fact = Fact(FactId(uuid4()), InServer(SERVER), MessagesDeleted(CHANNELS[0], []))
    for _ in range(2):
        await stage.follow.hear_fact(fact)
    assert {session.sequence for session in stage.hub.sessions.values()} == {1}
    await stage.bus.close()


async def test_a_fact_that_cannot_be_told_yet_is_told_later() -> None:
    stage = Stage()
    await stage.open()
    missed = ServerChanged(SERVER, 2)
    stage.truth.apply(missed)
    change = ServerChanged(SERVER, 3)
    stage.truth.apply(change)
    fact = Fact(FactId(uuid4()), InServer(SERVER), change)

    async def away(_: DescribeServer) -> ServerState:
        raise Unavailable("bus_down", "nobody answers")

    await stage.bus.answer(DescribeServer, away)
    with pytest.raises(Unavailable):
        await stage.follow.hear_fact(fact)
    assert {session.sequence for session in stage.hub.sessions.values()} == {0}
    await stage.bus.answer(DescribeServer, stage._describe)
    await stage.follow.hear_fact(fact)
    assert {session.sequence for session in stage.hub.sessions.values()} == {1}
    await stage.bus.close()


async def test_of_who_has_gone_nothing_is_left() -> None:
    stage = Stage()
    await stage.open()
    for session in list(stage.hub.sessions.values()):
        stage.hub.remove(session)
        stage.hub.remove(session)
    assert not stage.hub.sessions
    assert not stage.hub.people
    assert not stage.hub.crowds
    assert not stage.flusher.sockets
    await stage.bus.close()


async def test_one_event_is_one_object_for_all_who_are_told() -> None:
    stage = Stage()
    await stage.open()
    # Nothing is flushed, so that the rings can be looked at.
    await stage.follow.hear_fact(
        Fact(FactId(UUID(int=1)), InServer(SERVER), MessagesDeleted(CHANNELS[0], []))
    )
    kept = {id(session._replay._events[-1]) for session in stage.hub.sessions.values()}  # type: ignore[union-attr]
    assert len(kept) == 1
    await stage.bus.close()
