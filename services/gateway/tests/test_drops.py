"""Sessions that break and come back, and readers that are too slow."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.events import (
    MessagesDeleted,
    PresenceChanged,
    SessionClosed,
    SessionOpened,
    SessionsAlive,
    ToUsers,
)
from sidetone.protocol.frames import CloseCode, Heartbeat, Resume, Resumed
from sidetone.protocol.ids import ChannelId, SessionId
from sidetone.protocol.social import Presence
from tests.gateway_listener import Listener, listening
from tests.gateway_stage import NOBODY, Town, following, gateway_stage

# --- Drops ---


async def test_after_a_drop_everything_comes_once(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann = town.user("ann")
    events = [MessagesDeleted(ChannelId(uuid4()), []) for _ in range(20)]
    async with listening(port) as first:
        session = (await first.ready(town.token(ann))).session
        for event in events[:10]:
            await town.record(ToUsers([ann]), event)
        for event in events[:5]:
            assert await first.event() == event
        await first.drop()
    for event in events[10:]:
        await town.record(ToUsers([ann]), event)
    async with listening(port) as second:
        await second.hello()
        await second.say(Resume(town.token(ann), session, 5))
        assert await second.frame() == Resumed()
        second.sequence = 5
        for event in events[5:]:
            assert await second.event() == event
        await second.hears_nothing()


async def test_a_session_that_comes_back_twice_talks_on_the_newer_socket(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as first, listening(port) as second:
        session = (await first.ready(town.token(ann))).session
        await second.hello()
        await second.say(Resume(town.token(ann), session, 0))
        assert await second.frame() == Resumed()
        assert await first.closed() == CloseCode.SESSION_LOST
        await town.record(ToUsers([ann]), NOBODY)
        assert await second.event() == NOBODY


async def test_another_users_session_is_lost_to_a_stranger(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, eve = town.user("ann"), town.user("eve")
    async with listening(port) as first:
        session = (await first.ready(town.token(ann))).session
        for claimed in (session, SessionId(uuid4())):
            async with listening(port) as second:
                await second.hello()
                await second.say(Resume(town.token(eve), claimed, 0))
                assert await second.closed() == CloseCode.SESSION_LOST
        await first.hears_nothing()


async def test_what_was_never_sent_cannot_be_resumed_or_acknowledged(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as first:
        session = (await first.ready(town.token(ann))).session
        await first.drop()
    async with listening(port) as second:
        await second.hello()
        await second.say(Resume(town.token(ann), session, 1))
        assert await second.closed() == CloseCode.SESSION_LOST
    async with listening(port) as third:
        await third.ready(town.token(ann))
        await third.say(Heartbeat(1))
        assert await third.closed() == CloseCode.PROTOCOL_VIOLATION


async def test_a_session_that_nobody_took_up_is_forgotten() -> None:
    async with gateway_stage(policy=Policy(kept_ms=300)) as (town, port):
        ann = town.user("ann")
        gone = await following(town.around.bus, SessionClosed)
        async with listening(port) as client:
            session = (await client.ready(town.token(ann))).session
            await client.drop()
        assert await gone.get() == SessionClosed(session, ann, left=False)
        assert await gone.get() == SessionClosed(session, ann, left=True)
        async with listening(port) as client:
            await client.hello()
            await client.say(Resume(town.token(ann), session, 0))
            assert await client.closed() == CloseCode.SESSION_LOST


async def test_who_says_goodbye_is_gone_at_once(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    opened = await following(town.around.bus, SessionOpened)
    gone = await following(town.around.bus, SessionClosed)
    alive = await following(town.around.bus, SessionsAlive)
    async with listening(port) as client:
        session = (await client.ready(town.token(ann))).session
        assert await opened.get() == SessionOpened(session, ann)
        assert await alive.get() == SessionsAlive([(session, ann)])
    assert await gone.get() == SessionClosed(session, ann, left=True)


# --- Slow readers ---


@asynccontextmanager
async def listening_slowly(port: int) -> AsyncGenerator[Listener]:
    """Connect with the smallest buffers; what is not asked for is not read."""
    raw = socket.create_connection(("127.0.0.1", port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    async with listening(port, sock=raw, max_queue=1) as client:
        yield client


@pytest.mark.parametrize("events", [400, 140], ids=["behind", "stalled"])
async def test_who_reads_too_slowly_is_cut_off_and_resumes_without_a_loss(events: int) -> None:
    async with gateway_stage(policy=Policy(stall_ms=500)) as (town, port):
        ann, bob = town.user("ann"), town.user("bob")
        told = [PresenceChanged(Presence(ann, "online", "x" * 1_000)) for _ in range(events)]
        gone = await following(town.around.bus, SessionClosed)
        async with listening_slowly(port) as slow, listening(port) as quick:
            session = (await slow.ready(town.token(ann))).session
            await quick.ready(town.token(bob))
            sent = 0
            while gone.empty() and sent < events:
                await town.record(ToUsers([ann, bob]), told[sent])
                sent += 1
                assert await quick.event() == told[0], "others do not wait for the slow one"
            assert await gone.get() == SessionClosed(session, ann, left=False)
            await quick.hears_nothing()
            with suppress(ConnectionClosed):
                while True:
                    await slow.event()
        assert slow.sequence < sent
        async with listening(port) as back:
            await back.hello()
            await back.say(Resume(town.token(ann), session, slow.sequence))
            assert await back.frame() == Resumed()
            back.sequence = slow.sequence
            while back.sequence < sent:
                assert await back.event() == told[0]


async def test_a_snapshot_larger_than_any_buffer_is_waited_for() -> None:
    async with gateway_stage() as (town, port):
        ann = town.user("ann")
        town.server(ann, *(town.user() for _ in range(10_000)))
        async with listening(port, max_queue=1) as slow:
            ready = await slow.ready(town.token(ann))
            assert len(ready.servers[0].members) == 10_001
            await town.record(ToUsers([ann]), NOBODY)
            assert await slow.event() == NOBODY
