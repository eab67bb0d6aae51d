"""The SDK's link against a real gateway, through a network that breaks."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from sidetone.client.gateway_link import GatewayLink, Happening
from sidetone.client.pinned import Endpoint
from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.accounts import LoggedIn, User
from sidetone.protocol.events import LoginEnded, MessagesDeleted, Services, SessionClosed, ToUsers
from sidetone.protocol.frames import CloseCode, Dispatch, Hello, Ready
from sidetone.protocol.ids import ChannelId, SessionId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Unauthenticated
from sidetone.protocol.social import Presence
from tests.gateway_stage import Town, gateway_stage

WAIT_SECONDS = 20.0
TOKEN_LIFETIME_MS = 600_000


class Logins:
    """Hands out tokens of one user, as the SDK's requests do."""

    def __init__(self, town: Town, user: UserId) -> None:
        self.town = town
        self.user = user
        self.lifetime_ms = TOKEN_LIFETIME_MS
        self.asked = 0
        self.asked_again = asyncio.Event()
        self.refused: list[LoggedIn] = []

    async def fresh_login(self, *, refused: LoggedIn | None = None) -> LoggedIn:
        if self.asked:
            self.asked_again.set()
        self.asked += 1
        if refused is not None:
            self.refused.append(refused)
        expires_at_ms = time.time_ns() // 1_000_000 + self.lifetime_ms
        return LoggedIn(self.user, "ann", self.town.token(self.user), "", expires_at_ms)


class Network:
    """A way to a port that can be cut, closed and led elsewhere."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.connected = 0
        self.connected_again = asyncio.Event()
        self._pipes: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        for pipe in self._pipes:
            pipe.cancel()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _join(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if self.connected:
            self.connected_again.set()
        self.connected += 1
        pipe = asyncio.current_task()
        assert pipe is not None
        self._pipes.add(pipe)
        ends, ways = [back], list[asyncio.Task[None]]()
        try:
            far, forth = await asyncio.open_connection("127.0.0.1", self.target)
            ends.append(forth)
            ways = [asyncio.create_task(_copy(near, forth)), asyncio.create_task(_copy(far, back))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in ends:
                end.transport.abort()
            # What was aborted is closed by the loop a moment later: it must still run then.
            await asyncio.gather(*(end.wait_closed() for end in ends), return_exceptions=True)
            self._pipes.discard(pipe)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        sink.write(data)
        await sink.drain()


@asynccontextmanager
async def network_to(port: int) -> AsyncGenerator[tuple[Network, int]]:
    network = Network(port)
    try:
        yield network, await network.open()
    finally:
        await network.close()


def link_to(port: int, logins: Any) -> GatewayLink:
    return GatewayLink(Endpoint(f"http://127.0.0.1:{port}"), logins)


async def next_of(happenings: AsyncIterator[Happening]) -> Happening:
    async with asyncio.timeout(WAIT_SECONDS):
        return await anext(happenings)


def news() -> MessagesDeleted:
    return MessagesDeleted(ChannelId(uuid4()), [])


async def test_through_any_number_of_drops_everything_comes_once() -> None:
    async with gateway_stage() as (town, port), network_to(port) as (network, near):
        ann = town.user("ann")
        async with link_to(near, Logins(town, ann)).listening() as happenings:
            assert isinstance(await next_of(happenings), Ready)
            for _ in range(5):
                told = [news() for _ in range(20)]
                for number, event in enumerate(told):
                    if number in {5, 15}:
                        network.cut()
                    await town.record(ToUsers([ann]), event)
                assert [await next_of(happenings) for _ in told] == told
        assert network.connected > 1


async def test_another_gateway_means_another_snapshot() -> None:
    async with gateway_stage() as (old, old_port), gateway_stage() as (new, new_port):
        ann = old.user("ann")
        new.users[ann], new.logins[ann] = User(ann, "ann"), old.logins[ann]
        async with (
            network_to(old_port) as (network, near),
            link_to(near, Logins(old, ann)).listening() as happenings,
        ):
            first = await next_of(happenings)
            network.target = new_port
            network.cut()
            second = await next_of(happenings)
            assert isinstance(first, Ready)
            assert isinstance(second, Ready)
            assert first.session != second.session
            event = news()
            await new.record(ToUsers([ann]), event)
            assert await next_of(happenings) == event


async def test_heartbeats_keep_it_up() -> None:
    policy = Policy(heartbeat_ms=100, silence_ms=600, frames_per_minute=6_000)
    async with gateway_stage(policy=policy) as (town, port):
        ann = town.user("ann")
        closed = asyncio.Event()

        async def note(_: SessionClosed) -> None:
            closed.set()

        await town.around.bus.subscribe(SessionClosed, note)
        async with link_to(port, Logins(town, ann)).listening() as happenings:
            await next_of(happenings)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2.0):
                    await closed.wait()
        async with asyncio.timeout(WAIT_SECONDS):
            await closed.wait()


async def test_a_token_is_renewed_before_it_ends() -> None:
    async with gateway_stage() as (town, port):
        ann = town.user("ann")
        logins = Logins(town, ann)
        logins.lifetime_ms = 30_000
        async with link_to(port, logins).listening() as happenings:
            await next_of(happenings)
            async with asyncio.timeout(WAIT_SECONDS):
                await logins.asked_again.wait()
            event = news()
            await town.record(ToUsers([ann]), event)
            assert await next_of(happenings) == event


async def test_the_end_of_the_login_is_told() -> None:
    async with gateway_stage() as (town, port):
        ann = town.user("ann")
        logins = Logins(town, ann)
        async with link_to(port, logins).listening() as happenings:
            await next_of(happenings)
            await town.record(Services(), LoginEnded(ann, town.logins[ann]))
            with pytest.raises(Unauthenticated):
                await next_of(happenings)
        assert logins.refused, "it was tried with a new token first"


async def test_too_many_sessions_are_told() -> None:
    async with gateway_stage(policy=Policy(sessions_per_user=1)) as (town, port):
        ann = town.user("ann")
        async with link_to(port, Logins(town, ann)).listening() as first:
            await next_of(first)
            async with link_to(port, Logins(town, ann)).listening() as second:
                with pytest.raises(Conflict):
                    await next_of(second)


async def test_a_gateway_that_is_not_there_yet_is_waited_for() -> None:
    async with network_to(1) as (network, near), gateway_stage() as (town, port):
        ann = town.user("ann")
        async with link_to(near, Logins(town, ann)).listening() as happenings:
            async with asyncio.timeout(WAIT_SECONDS):
                await network.connected_again.wait()
            network.target = port
            assert isinstance(await next_of(happenings), Ready)


# --- A gateway that a test plays itself ---


def ready_of(session: SessionId, user: UserId) -> Ready:
    return Ready(session, User(user, "ann"), [], [], [], [Presence(user, "online")], [], [], [])


@asynccontextmanager
async def playing(*answers: list[bytes | CloseCode]) -> AsyncGenerator[tuple[int, list[str]]]:
    """Serve a gateway that says *answers* to one connection after the other."""
    asked: list[str] = []

    async def play(socket: ServerConnection) -> None:
        number = len(asked)
        await socket.send(msgspec.json.encode(Hello(60_000)).decode())
        asked.append(str(await socket.recv()))
        for answer in answers[min(number, len(answers) - 1)]:
            if isinstance(answer, CloseCode):
                await socket.close(answer, "no")
                return
            await socket.send(answer.decode())
        await socket.wait_closed()

    async with serve(play, "127.0.0.1", 0) as server:
        yield int(next(iter(server.sockets)).getsockname()[1]), asked


def encoded(frame: msgspec.Struct) -> bytes:
    return msgspec.json.encode(frame)


async def test_a_newer_gateway_is_understood_as_far_as_it_can_be() -> None:
    async with gateway_stage() as (town, _):
        ann = town.user("ann")
        event = news()
        script = [
            encoded(ready_of(SessionId(uuid4()), ann)),
            b'{"op":"weather","sun":true}',
            b'{"op":"dispatch","sequence":1,"event":{"type":"sun.rose"}}',
            encoded(Dispatch(1, news())),
            encoded(Dispatch(2, event)),
        ]
        async with playing(script) as (port, asked):
            async with link_to(port, Logins(town, ann)).listening() as happenings:
                assert isinstance(await next_of(happenings), Ready)
                assert await next_of(happenings) == event
            assert len(asked) == 1


async def test_a_gap_begins_a_new_session() -> None:
    async with gateway_stage() as (town, _):
        ann = town.user("ann")
        script: list[bytes | CloseCode] = [
            encoded(ready_of(SessionId(uuid4()), ann)),
            encoded(Dispatch(2, news())),
        ]
        async with playing(script, script[:1]) as (port, asked):
            async with link_to(port, Logins(town, ann)).listening() as happenings:
                assert isinstance(await next_of(happenings), Ready)
                assert isinstance(await next_of(happenings), Ready)
            assert [msgspec.json.decode(one)["op"] for one in asked] == ["identify", "identify"]


async def test_a_lost_session_is_not_asked_for_again() -> None:
    async with gateway_stage() as (town, _):
        ann = town.user("ann")
        ready = encoded(ready_of(SessionId(uuid4()), ann))
        async with playing([ready, CloseCode.SILENT], [CloseCode.SESSION_LOST], [ready]) as stage:
            port, asked = stage
            async with link_to(port, Logins(town, ann)).listening() as happenings:
                assert isinstance(await next_of(happenings), Ready)
                assert isinstance(await next_of(happenings), Ready)
            ops = [msgspec.json.decode(one)["op"] for one in asked]
            assert ops == ["identify", "resume", "identify"]


async def test_a_client_at_fault_gives_up() -> None:
    async with gateway_stage() as (town, _):
        ann = town.user("ann")
        for code in (CloseCode.PROTOCOL_VIOLATION, CloseCode.ORIGIN_REFUSED):
            async with (
                playing([code]) as (port, _),
                link_to(port, Logins(town, ann)).listening() as happenings,
            ):
                with pytest.raises(Forbidden):
                    await next_of(happenings)
