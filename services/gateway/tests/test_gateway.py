"""The gateway over real sockets: what members are told, and how sessions begin, break and end."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sidetone.bus import Bus
from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import (
    AccountClosed,
    Around,
    InChannel,
    LoginEnded,
    MessagesDeleted,
    PresenceChanged,
    RightsChanged,
    ServerChanged,
    ServerClosed,
    ServerOpened,
    Services,
    SessionClosed,
    SessionOpened,
    SessionsAlive,
    ToUsers,
    TypingStarted,
)
from sidetone.protocol.frames import CloseCode, Heartbeat, Identify, Renew, Resume, Resumed
from sidetone.protocol.ids import ChannelId, DeviceId, LoginId, RoleId, SessionId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.questions import ReadStatesOf, ServersOf
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.servers import Member, Role
from sidetone.protocol.social import Presence, Relationship
from sidetone.runtime.callers import denied_key
from tests.gateway_listener import Listener, listening
from tests.gateway_stage import Town, channel_in, gateway_stage, hidden_from, shown_to
from tests.surroundings import TOPOLOGIES, Topology

NOBODY = MessagesDeleted(ChannelId(uuid4()), [])


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Town, int]]:
    topology: Topology = request.param
    async with gateway_stage(topology) as stage:
        yield stage


@pytest.fixture
async def embedded() -> AsyncGenerator[tuple[Town, int]]:
    async with gateway_stage() as stage:
        yield stage


def told_in(channel: ChannelId) -> MessagesDeleted:
    return MessagesDeleted(channel, [])


# --- The snapshot ---


async def test_ready_shows_what_the_user_may_see_and_nothing_else(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob, eve = (town.user(name) for name in ("ann", "bob", "eve"))
    server = town.server(ann, bob)
    town.server(eve)
    secret = channel_in(server.server.id, 1, hidden_from(server.server.id))
    await town.change(server, channels=[secret])
    town.relationships[bob] = [Relationship(eve, "friend", 0)]
    town.presences = {
        ann: Presence(ann, "dnd"),
        eve: Presence(eve, "idle"),
        bob: Presence(bob, "invisible"),
    }
    open_channel = next(iter(server.channels))
    town.read_states = [
        ReadState(ChannelId(channel), None, 1, 0) for channel in (open_channel, secret.id)
    ]
    town.voice_states = [
        VoiceState(ann, DeviceId(uuid4()), server.server.id, ChannelId(channel), False, False, 0)
        for channel in (open_channel, secret.id)
    ]
    async with listening(port) as client:
        ready = await client.ready(town.token(bob))
    assert [one.server.id for one in ready.servers] == [server.server.id]
    assert [channel.id for channel in ready.servers[0].channels] == [open_channel]
    assert ready.servers[0].generation == server.generation
    assert ready.me.id == bob
    assert {user.id for user in ready.users} == {bob, eve}
    assert {one.user: one.status for one in ready.presences} == {
        bob: "invisible",
        ann: "dnd",
        eve: "idle",
    }
    assert [one.channel for one in ready.read_states] == [open_channel]
    assert [one.channel for one in ready.voice_states] == [open_channel]


async def test_what_happens_during_the_snapshot_comes_after_it(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    server = town.server(ann)
    channel = ChannelId(next(iter(server.channels)))
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: ReadStatesOf) -> list[ReadState]:
        asked.set()
        await answer.wait()
        return []

    await town.around.bus.answer(ReadStatesOf, slowly)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        await asked.wait()
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        new = channel_in(server.server.id, 1)
        await town.change(server, channels=[new])
        await town.record(InChannel(server.server.id, new.id), told_in(new.id))
        answer.set()
        ready = await client.frame()
        assert {one.id for one in ready.servers[0].channels} == {channel, new.id}
        assert await client.event() == told_in(channel)
        assert await client.event() == told_in(new.id)


async def test_without_presence_and_voice_there_is_still_a_session() -> None:
    async with gateway_stage(with_people=False) as (town, port):
        ann = town.user("ann")
        town.server(ann)
        async with listening(port) as client:
            ready = await client.ready(town.token(ann))
        assert len(ready.servers) == 1
        assert ready.presences == [Presence(ann, "offline")]
        assert ready.relationships == ready.calls == ready.voice_states == []


async def test_without_chat_the_client_is_told_to_try_again(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")

    async def down(_: ServersOf) -> None:
        raise Unavailable("bus_down", "nobody answers")

    await town.around.bus.answer(ServersOf, down)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        assert await client.closed() == CloseCode.TRY_AGAIN


# --- Who is told ---


async def test_only_those_who_see_a_channel_hear_of_it(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann, bob, eve = (town.user(name) for name in ("ann", "bob", "eve"))
    server = town.server(ann, bob)
    town.server(eve)
    secret = channel_in(server.server.id, 1, hidden_from(bob, "member"))
    await town.change(server, channels=[secret])
    async with listening(port) as a, listening(port) as b, listening(port) as e:
        for client, user in ((a, ann), (b, bob), (e, eve)):
            await client.ready(town.token(user))
        where = InChannel(server.server.id, secret.id)
        await town.record(where, told_in(secret.id))
        assert await a.event() == told_in(secret.id)
        await town.signal(where, TypingStarted(secret.id, ann))
        assert await a.event() == TypingStarted(secret.id, ann)
        await town.record(ToUsers([bob, eve]), NOBODY)
        assert await b.event() == NOBODY
        assert await e.event() == NOBODY


async def test_a_presence_reaches_friends_and_who_shares_a_server(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob, fay, eve = (town.user(name) for name in ("ann", "bob", "fay", "eve"))
    town.server(ann, bob)
    town.server(eve)
    async with listening(port) as b, listening(port) as f, listening(port) as e:
        for client, user in ((b, bob), (f, fay), (e, eve)):
            await client.ready(town.token(user))
        news = PresenceChanged(Presence(ann, "online"))
        await town.signal(Around(ann, [fay]), news)
        assert await b.event() == news
        assert await f.event() == news
        await e.hears_nothing()
        async with listening(port) as a:
            await a.ready(town.token(ann))
            again = PresenceChanged(Presence(ann, "idle"))
            await town.signal(Around(ann, [fay]), again)
            assert await a.event() == await b.event() == await f.event() == again
            await e.hears_nothing()


async def test_all_sessions_of_a_user_are_told(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as one, listening(port) as two:
        await one.ready(town.token(ann))
        await two.ready(town.token(ann))
        await town.record(ToUsers([ann, ann]), NOBODY)
        assert await one.event() == await two.event() == NOBODY
        await one.hears_nothing()


async def test_what_is_between_services_stays_there(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    server = town.server(ann)
    channel = ChannelId(next(iter(server.channels)))
    async with listening(port) as client:
        await client.ready(town.token(ann))
        await town.record(Services(), RightsChanged(channel, 2, {ann: 0}))
        await town.record(
            InChannel(server.server.id, channel), RightsChanged(channel, 2, {ann: 0})
        )
        await town.record(ToUsers([ann]), NOBODY)
        assert await client.event() == NOBODY


# --- Servers ---


async def test_joining_opens_a_server_and_leaving_closes_it(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, channels=2)
    secret = channel_in(server.server.id, 9, hidden_from(server.server.id))
    await town.change(server, channels=[secret])
    channel = ChannelId(next(iter(server.channels)))
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        assert (await b.ready(town.token(bob))).servers == []
        joined = await town.change(server, members=[Member(bob, 5)])
        assert await a.event() == joined
        opened = await b.event()
        assert isinstance(opened, ServerOpened)
        assert opened.state == server.view(bob)
        assert secret.id not in {one.id for one in opened.state.channels}
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        assert await a.event() == await b.event() == told_in(channel)
        left = await town.change(server, gone=[bob])
        assert await a.event() == left
        assert await b.event() == ServerClosed(server.server.id)
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        assert await a.event() == told_in(channel)
        await b.hears_nothing()


async def test_a_deleted_server_is_closed_for_all(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        await b.ready(town.token(bob))
        await town.change(server, deleted=True)
        assert await a.event() == await b.event() == ServerClosed(server.server.id)
    async with listening(port) as a:
        assert (await a.ready(town.token(ann))).servers == []


async def test_a_role_shows_a_channel_and_taking_it_away_hides_it(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    staff = RoleId(uuid4())
    secret = channel_in(
        server.server.id, 1, hidden_from(server.server.id), shown_to(staff, "role")
    )
    await town.change(server, roles=[Role(staff, "staff", 1, 0)], channels=[secret])
    where = InChannel(server.server.id, secret.id)
    async with listening(port) as b:
        assert secret not in (await b.ready(town.token(bob))).servers[0].channels
        await town.record(where, told_in(secret.id))
        promoted = await town.change(server, members=[Member(bob, 0, roles=[staff])])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.generation, seen.channels) == (promoted.generation, [secret])
        await town.record(where, told_in(secret.id))
        assert await b.event() == told_in(secret.id)
        await town.change(server, members=[Member(bob, 0)])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.channels, seen.gone) == ([], [secret.id])
        await town.record(where, told_in(secret.id))
        await town.change(server, gone=[secret.id])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.channels, seen.gone) == ([], []), "nobody says that a hidden channel is gone"


async def test_a_change_that_was_missed_is_repaired_with_the_whole_state(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    async with listening(port) as b:
        await b.ready(town.token(bob))
        new = channel_in(server.server.id, 1)
        # This one is never told.
        server.apply(ServerChanged(server.server.id, server.generation + 1, channels=[new]))
        await town.change(server, members=[Member(bob, 0, nickname="bobby")])
        opened = await b.event()
        assert isinstance(opened, ServerOpened)
        assert opened.state == server.view(bob)


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
        gone = await _following(town.around.bus, SessionClosed)
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
    opened = await _following(town.around.bus, SessionOpened)
    gone = await _following(town.around.bus, SessionClosed)
    alive = await _following(town.around.bus, SessionsAlive)
    async with listening(port) as client:
        session = (await client.ready(town.token(ann))).session
        assert await opened.get() == SessionOpened(session, ann)
        assert await alive.get() == SessionsAlive([(session, ann)])
    assert await gone.get() == SessionClosed(session, ann, left=True)


async def _following(bus: Bus, kind: type) -> asyncio.Queue:
    heard: asyncio.Queue = asyncio.Queue()
    await bus.subscribe(kind, heard.put)
    return heard


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
        gone = await _following(town.around.bus, SessionClosed)
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


# --- Tokens ---


async def test_a_token_that_is_not_good_is_told(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    tokens = [
        "not a token",
        town.token(ann, age_ms=600_000),
        town.token(ann, scope="write"),
    ]
    for token in tokens:
        async with listening(port) as client:
            await client.hello()
            await client.say(Identify(token))
            assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_a_token_that_ends_ends_the_connection_unless_it_is_renewed(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as one, listening(port) as two:
        # Its last whole second has begun, and is over within the next.
        await one.ready(town.token(ann, age_ms=598_000))
        session = (await two.ready(town.token(ann, age_ms=598_000))).session
        await one.say(Renew(town.token(ann)))
        assert await two.closed() == CloseCode.TOKEN_EXPIRED
        await one.hears_nothing()
    async with listening(port) as back:
        await back.hello()
        await back.say(Resume(town.token(ann), session, 0))
        assert await back.frame() == Resumed()


async def test_renewing_with_anothers_token_ends_it(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, eve = town.user("ann"), town.user("eve")
    async with listening(port) as client:
        await client.ready(town.token(ann))
        await client.say(Renew(town.token(eve)))
        assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_the_end_of_a_login_ends_its_sessions_and_no_others(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann = town.user("ann")
    other = LoginId(uuid4())
    async with listening(port) as one, listening(port) as two:
        session = (await one.ready(town.token(ann))).session
        await two.ready(town.token(ann, other))
        await town.record(Services(), LoginEnded(ann, town.logins[ann]))
        assert await one.closed() == CloseCode.UNAUTHENTICATED
        await two.hears_nothing()
    async with listening(port) as back:
        await back.hello()
        await back.say(Resume(town.token(ann, other), session, 0))
        assert await back.closed() == CloseCode.SESSION_LOST


async def test_a_login_that_the_store_knows_to_be_over_is_refused(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann = town.user("ann")
    await town.around.store.put(denied_key(town.logins[ann]), b"1", 60)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_who_identifies_over_and_over_has_to_wait() -> None:
    async with gateway_stage(policy=Policy(identifies_per_minute=2)) as (town, port):
        ann, bob = town.user("ann"), town.user("bob")
        for _ in range(2):
            async with listening(port) as client:
                await client.ready(town.token(ann))
        async with listening(port) as client:
            await client.hello()
            await client.say(Identify(town.token(ann)))
            assert await client.closed() == CloseCode.TOO_FAST
        async with listening(port) as client:
            await client.ready(town.token(bob))


async def test_a_closed_account_is_told_and_ends(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    town.server(ann, bob)
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        await b.ready(town.token(bob))
        await town.record(Around(ann), AccountClosed(ann))
        assert await b.event() == AccountClosed(ann)
        assert await a.closed() == CloseCode.UNAUTHENTICATED


# --- Manners ---


async def test_who_says_nothing_is_sent_away() -> None:
    async with gateway_stage(policy=Policy(identify_ms=200, silence_ms=400)) as (town, port):
        ann = town.user("ann")
        async with listening(port) as client:
            assert await client.closed() == CloseCode.IDENTIFY_LATE
        async with listening(port) as client:
            await client.ready(town.token(ann))
            assert await client.closed() == CloseCode.SILENT


async def test_a_page_of_another_origin_may_not_connect() -> None:
    policy = Policy(origins=["https://app.example"])
    async with gateway_stage(policy=policy) as (_, port):
        async with listening(port, origin="https://evil.example") as client:
            assert await client.closed() == CloseCode.ORIGIN_REFUSED
        for origin in ("https://app.example", f"http://127.0.0.1:{port}"):
            async with listening(port, origin=origin) as client:
                await client.hello()


@pytest.mark.parametrize("path", ["/", "/gateway/", "/chat/servers"])
async def test_there_is_one_path(embedded: tuple[Town, int], path: str) -> None:
    _, port = embedded
    with pytest.raises(InvalidStatus) as caught:
        async with listening(port, path):
            pass
    assert caught.value.response.status_code == 404


async def test_garbage_is_a_violation_and_hurts_nobody_else(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as good:
        await good.ready(town.token(ann))
        for garbage in ("", "{", "[]", '{"op":"dispatch"}', '{"op":"identify"}', b"\x00"):
            async with listening(port) as bad:
                await bad.hello()
                await bad.socket.send(garbage)
                assert await bad.closed() == CloseCode.PROTOCOL_VIOLATION
        async with listening(port) as bad:
            await bad.hello()
            await bad.socket.send("x" * 70_000)
            assert await bad.closed() == 1009
        await good.hears_nothing()


async def test_a_frame_in_parts_is_one_frame(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as client:
        await client.hello()
        await client.socket.send(['{"op":"identify",', f'"token":"{town.token(ann)}"', "}"])
        assert (await client.frame()).me.id == ann


async def test_a_flood_of_frames_is_stopped(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as client:
        await client.ready(town.token(ann))
        for _ in range(200):
            await client.say(Heartbeat(0))
        assert await client.closed() == CloseCode.TOO_FAST


async def test_a_user_has_so_many_sessions_and_one_that_is_away_makes_room() -> None:
    async with gateway_stage(policy=Policy(sessions_per_user=2)) as (town, port):
        ann = town.user("ann")
        gone = await _following(town.around.bus, SessionClosed)
        async with listening(port) as one, listening(port) as two, listening(port) as three:
            await one.ready(town.token(ann))
            await two.ready(town.token(ann))
            await three.hello()
            await three.say(Identify(town.token(ann)))
            assert await three.closed() == CloseCode.TOO_MANY_SESSIONS
            await two.drop()
            await gone.get()
            async with listening(port) as four:
                await four.ready(town.token(ann))
            await one.hears_nothing()


async def test_who_waits_at_the_door_without_a_name_does_not_block_it() -> None:
    async with gateway_stage(policy=Policy(greetings_per_address=2)) as (town, port):
        ann = town.user("ann")
        async with listening(port) as one, listening(port):
            with pytest.raises(InvalidStatus) as caught:
                async with listening(port):
                    pass
            assert caught.value.response.status_code == 429
            await one.ready(town.token(ann))
            async with listening(port) as three:
                await three.ready(town.token(ann))


async def test_a_restart_is_told_to_all() -> None:
    async with AsyncExitStack() as stack:
        async with gateway_stage() as (town, port):
            client = await stack.enter_async_context(listening(port))
            await client.ready(town.token(town.user("ann")))
        assert await client.closed() == CloseCode.RESTARTING
