"""What a member notices of the fast path over real QUIC: nothing; the plain server does it too."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from aioquic.tls import Epoch

from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tickets import Perm
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import UserId
from sidetone.protocol.voice_control import PeerLeft, Ping, Pong, Rights, State
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from sidetone.voice_sfu.interface.quic import SfuConnection, SfuServer
from tests.load.sfu_stage import (
    CHANNEL,
    PATIENCE_SECONDS,
    TALK,
    Client,
    VoiceDesk,
    connected,
    frame,
    move,
)
from tests.waiting import until

FRAME_SECONDS = 0.02
# Of 20 ms each.
FRAMES_AWAY_MAX = 15
_FRAMES_BETWEEN = 15
_NUMBER_BYTES = 40
DATA = 2


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def options(request: pytest.FixtureRequest) -> Options:
    return Options(fast_path=request.param)


@pytest.fixture
async def room(
    unit: Unit, desk: VoiceDesk, options: Options
) -> AsyncGenerator[tuple[Client, Client]]:
    assert (unit.server.media_path is not None) == options.fast_path
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node))
        await ben.join(desk.ticket(unit.node.node))
        yield ann, ben


def _connection(unit: Unit, client: Client) -> SfuConnection:
    return next(
        each
        for each in unit.server.connections
        if each.session._seat and each.session._seat.sender == client.sender
    )


async def _talk(ann: Client, ben: Client, times: int = 3) -> None:
    """Let each hear all that the other says."""
    for _ in range(times):
        for speaker, listener in ((ann, ben), (ben, ann)):
            said = frame(speaker.sender)
            speaker.say(said)
            assert await listener.heard() == said


async def _settled(client: Client) -> None:
    """Wait until the unit has handled all that the client has sent."""
    number = uuid4().int & 0xFFFF
    client.tell(Ping(number))
    assert await client.told(Pong) == Pong(number)


# --- keys ---


async def test_a_client_may_begin_new_keys_again_and_again(room: tuple[Client, Client]) -> None:
    ann, ben = room
    for turn in range(1, 5):
        ann._quic.request_key_update()
        await _talk(ann, ben)
        assert ann._quic._cryptos[Epoch.ONE_RTT].recv.key_phase == turn % 2
        await _settled(ann)


async def test_the_unit_begins_new_keys_in_time_and_nobody_hears_it(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    """Control messages are on their way in both directions when it happens."""
    async with serving(bus, SystemClock(), identity, Options()) as unit:
        await unit.briefed.wait()
        server = SfuServer(unit.node, unit.server.limits, FastPath(250, 400_000, None, 20))
        server.use_certificate(identity.certificate_file, identity.key_file)
        port = server.listen("127.0.0.1", 0)
        async with connected(port) as ann, connected(port) as ben:
            for client in (ann, ben):
                await client.join(desk.ticket(unit.node.node))
            phases = {0: 0, 1: 0}
            while phases[0] < 60 or phases[1] < 30:
                # As often as anybody may say something on the control stream.
                await asyncio.gather(_talk(ann, ben, 3), _settled(ann))
                phases[ben._quic._cryptos[Epoch.ONE_RTT].recv.key_phase] += 1
                await asyncio.sleep(3 * FRAME_SECONDS)
            assert sum(unit.node.meter.drops.values()) == 0
        server.stop()


# --- addresses and connection ids ---


@pytest.mark.parametrize("says_so", [True, False], ids=["migration", "rebinding"])
async def test_who_moves_misses_less_than_a_third_of_a_second_of_voice(
    room: tuple[Client, Client], says_so: bool
) -> None:
    """Counted in frames: a busy machine makes both the voice and the way late."""
    ann, ben = room
    for number in range(6 * _FRAMES_BETWEEN):
        if number in range(_FRAMES_BETWEEN, 5 * _FRAMES_BETWEEN, _FRAMES_BETWEEN):
            await move(ann, says_so=says_so)
        for client in room:
            client.say(frame(client.sender, payload=number.to_bytes(_NUMBER_BYTES)))
        await asyncio.sleep(FRAME_SECONDS)
    for client in room:
        numbers = [-1, *await _numbers(client), 6 * _FRAMES_BETWEEN]
        away = [after - before - 1 for before, after in pairwise(numbers)]
        assert max(away) < FRAMES_AWAY_MAX
    await _settled(ann)
    await _settled(ben)


async def _numbers(client: Client) -> list[int]:
    """Return what the frames were numbered that were heard, until none comes any more."""
    numbers: list[int] = []
    while True:
        try:
            heard = await asyncio.wait_for(client.frames.get(), 1)
        except TimeoutError:
            return numbers
        numbers.append(int.from_bytes(heard[-_NUMBER_BYTES:]))


async def test_a_connection_id_is_used_for_a_while_and_then_another(
    room: tuple[Client, Client],
) -> None:
    ann, ben = room
    used: set[bytes] = set()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(used) < 20:
            used.add(ann._quic._peer_cid.cid)
            await _talk(ann, ben, 1)
            # A change does nothing while the unit has not given a new one.
            if not ann._quic._peer_cid_available:
                await _settled(ann)
                await until(lambda: ann._quic._peer_cid_available)
            ann.change_connection_id()


@pytest.mark.parametrize("fast", [True, False])
async def test_members_of_both_address_families_hear_each_other(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity, fast: bool
) -> None:
    options = Options(host="::", fast_path=fast)
    async with (
        serving(bus, SystemClock(), identity, options) as unit,
        connected(unit.port, "::1") as ann,
        connected(unit.port) as ben,
    ):
        await unit.briefed.wait()
        for client in (ann, ben):
            await client.join(desk.ticket(unit.node.node))
        await _talk(ann, ben)
        for client in (ann, ben):
            await move(client, says_so=False)
            await _settled(client)
        await _talk(ann, ben)


async def test_packet_numbers_grow_without_end(unit: Unit, room: tuple[Client, Client]) -> None:
    ann, ben = room
    connection = _connection(unit, ben)
    for turn in range(12):
        ann._quic._packet_number += 30_000
        lane: Any = connection._lane
        if lane is not None:
            lane._one["next_number"] += 30_000
        connection._quic._packet_number += 30_000
        await _talk(ann, ben, 1)
        if turn % 4 == 3:
            await asyncio.gather(_settled(ann), _settled(ben))
    assert connection._quic._packet_number > 2 << 17
    assert ann._quic._packet_number > 2 << 17


async def test_a_listener_gets_no_frame_that_is_too_long_for_it(
    unit: Unit, desk: VoiceDesk, room: tuple[Client, Client]
) -> None:
    ann, _ = room
    async with connected(unit.port, max_datagram_frame_size=103) as small:
        await small.join(desk.ticket(unit.node.node))
        fits, too_long = (frame(ann.sender, payload=bytes(size)) for size in (92, 93))
        for each in (too_long, fits, too_long):
            ann.say(each)
        assert await small.heard() == fits
        await _settled(ann)
        await _settled(small)
        assert small.frames.empty()
        assert unit.node.meter.drops == {Drop.SIZE: 2}


# --- time ---


async def test_who_only_speaks_is_alive_and_who_does_nothing_is_not(
    unit: Unit, desk: VoiceDesk, room: tuple[Client, Client]
) -> None:
    _, ben = room
    async with connected(unit.port, idle_timeout=1.5) as cid:
        await cid.join(desk.ticket(unit.node.node))
        began, loop = asyncio.get_running_loop().time(), asyncio.get_running_loop()
        while loop.time() < began + 3.5:
            said = frame(cid.sender)
            cid.say(said)
            assert await ben.heard() == said
            await asyncio.sleep(0.1)
        assert not cid._closed.is_set()
        cid.is_deaf = True
        gone = loop.time()
        assert (await ben.told(PeerLeft)).sender == cid.sender
        assert 1 < loop.time() - gone < 5
        cid.is_deaf = False


# --- rights, and places ---


async def test_mute_and_deafen_are_the_units_to_enforce(
    unit: Unit, room: tuple[Client, Client]
) -> None:
    ann, ben = room
    ann.tell(State(muted=True, deafened=False))
    await _settled(ann)
    ann.say(frame(ann.sender))
    data = frame(ann.sender, kind=DATA)
    ann.say(data)
    assert await ben.heard() == data
    ann.tell(State(muted=False, deafened=True))
    await _settled(ann)
    ben.say(frame(ben.sender))
    data = frame(ben.sender, kind=DATA)
    ben.say(data)
    assert await ann.heard() == data
    ann.tell(State(muted=False, deafened=False))
    await _settled(ann)
    await _talk(ann, ben)
    assert unit.node.meter.drops == {Drop.SILENCED: 1}


async def test_rights_are_enforced_from_the_moment_they_change(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus, room: tuple[Client, Client]
) -> None:
    _, ben = room
    user = UserId(uuid4())
    async with connected(unit.port) as cid:
        await cid.join(desk.ticket(unit.node.node, user=user))
        await _talk(cid, ben, 10)
        await bus.publish(VoiceRights(CHANNEL, user, int(Perm.CONNECT), 2))
        await cid.told(Rights)
        cid.say(frame(cid.sender))
        await _settled(cid)
        assert ben.frames.empty()
        assert unit.node.meter.drops == {Drop.SILENCED: 1}
        await bus.publish(VoiceRights(CHANNEL, user, int(TALK), 3))
        await cid.told(Rights)
        for _ in range(40):
            ben.say(frame(ben.sender))
        await _settled(ben)
        await bus.publish(VoiceRights(CHANNEL, user, 0, 4))
        assert await cid.closed() == "rights_lost"


async def test_a_place_that_somebody_had_is_as_good_as_new(
    unit: Unit, desk: VoiceDesk, room: tuple[Client, Client]
) -> None:
    ann, _ = room
    senders: set[int] = set()
    for turn in range(6):
        async with connected(unit.port) as cid:
            await cid.join(desk.ticket(unit.node.node))
            if turn % 2:
                cid.tell(State(muted=False, deafened=True))
                await _settled(cid)
            cid.say(frame(cid.sender, payload=bytes(turn + 20)))
            assert len(await ann.heard()) == turn + 28
            senders.add(cid.sender)
        await until(lambda: unit.node.connections() == 2)
    assert len(senders) == 6
    assert unit.node.meter.frames_in == 6
