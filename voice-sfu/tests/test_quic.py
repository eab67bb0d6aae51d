"""The unit as its clients meet it: over real QUIC on the loopback interface."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.tls import CipherSuite
from cryptography.hazmat.primitives import hashes

from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tickets import Perm
from sidetone.protocol.events import NodeAlive, VoiceRights
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.voice_control import (
    Error,
    Leave,
    Move,
    PeerJoined,
    PeerLeft,
    PeerState,
    Ping,
    Pong,
    Reception,
    Rights,
    State,
    Stats,
)
from sidetone.quic import ALPN
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from tests.load.sfu_stage import CHANNEL, TALK, Client, VoiceDesk, begin, connected, end, frame
from tests.waiting import until


async def test_a_frame_reaches_the_other_and_not_its_speaker(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node))
        await ben.join(desk.ticket(unit.node.node))
        said = frame(ann.sender)
        ann.say(said)
        assert await ben.heard() == said
        ben.say(frame(ben.sender))
        await ann.heard()
        assert ann.frames.empty()


async def test_those_inside_learn_who_comes_and_goes(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        async with connected(unit.port) as ben:
            welcome = await ben.join(desk.ticket(unit.node.node))
            assert [peer.sender for peer in welcome.peers] == [ann.sender]
            assert (await ann.told(PeerJoined)).peer.sender == ben.sender
            ben.tell(State(muted=True, deafened=False))
            assert await ann.told(PeerState) == PeerState(ben.sender, muted=True, deafened=False)
            ben.tell(Leave())
            assert await ben.closed() == "left"
        assert (await ann.told(PeerLeft)).sender == ben.sender


async def test_a_connection_that_breaks_off_leaves_the_room(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        async with connected(unit.port) as ben:
            await ben.join(desk.ticket(unit.node.node))
        assert (await ann.told(PeerLeft)).sender == ben.sender


async def test_a_ping_is_answered_with_its_number(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        ann.tell(Ping(41))
        assert await ann.told(Pong) == Pong(41)


async def test_a_speaker_learns_what_its_listener_loses(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node))
        await ben.join(desk.ticket(unit.node.node))
        ben.tell(Stats(received=475, lost=25, jitter_ms=2.5))
        assert await ann.told(Reception) == Reception(5)


async def test_a_used_ticket_says_why_it_is_refused(unit: Unit, desk: VoiceDesk) -> None:
    ticket = desk.ticket(unit.node.node)
    async with connected(unit.port) as ann, connected(unit.port) as thief:
        await ann.join(ticket)
        with pytest.raises(AssertionError, match="ticket_reused"):
            await thief.join(ticket)
        assert await thief.closed() == "ticket_reused"


async def test_the_reason_is_told_before_the_connection_is_closed(unit: Unit) -> None:
    async with connected(unit.port) as stranger:
        stranger.tell(Ping(1))
        assert (await stranger.told(Error)).code == "join_expected"
        assert await stranger.closed() == "join_expected"


async def test_who_shows_no_ticket_is_put_out_in_time(unit: Unit) -> None:
    async with connected(unit.port) as silent:
        assert await silent.closed() == "ticket_timeout"


async def test_who_does_not_finish_the_handshake_is_forgotten(unit: Unit) -> None:
    transport = await _half_open(unit.port)
    await until(lambda: bool(unit.server.connections))
    await until(lambda: not unit.server.connections)
    transport.close()


async def test_a_device_that_joins_again_replaces_itself(unit: Unit, desk: VoiceDesk) -> None:
    ann = {"user": UserId(uuid4()), "device": DeviceId(uuid4())}
    async with connected(unit.port) as ben, connected(unit.port) as old:
        await ben.join(desk.ticket(unit.node.node))
        await old.join(desk.ticket(unit.node.node, **ann))
        async with connected(unit.port) as new:
            await new.join(desk.ticket(unit.node.node, **ann))
            assert await old.closed() == "device_replaced"
            assert new.sender != old.sender
            assert (await ben.told(PeerLeft)).sender == old.sender
            assert (await ben.told(PeerJoined)).peer.sender == new.sender
            assert unit.node.connections() == 2


async def test_rights_are_changed_while_the_member_talks(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    user = UserId(uuid4())
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node, user=user))
        await ben.join(desk.ticket(unit.node.node))
        await bus.publish(VoiceRights(CHANNEL, user, int(Perm.CONNECT), 2))
        assert await ann.told(Rights) == Rights(int(Perm.CONNECT))
        ann.say(frame(ann.sender))
        ann.tell(Ping(1))
        await ann.told(Pong)
        await bus.publish(VoiceRights(CHANNEL, user, int(TALK), 3))
        await ann.told(Rights)
        heard = frame(ann.sender)
        ann.say(heard)
        assert await ben.heard() == heard


async def test_who_loses_connect_is_put_out_at_once(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    user = UserId(uuid4())
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node, user=user))
        await ben.join(desk.ticket(unit.node.node))
        in_flight = desk.ticket(unit.node.node, user=user)
        await bus.publish(VoiceRights(CHANNEL, user, 0, 2))
        assert await ann.closed() == "rights_lost"
        assert (await ben.told(PeerLeft)).sender == ann.sender
        async with connected(unit.port) as again:
            with pytest.raises(AssertionError, match="ticket_revoked"):
                await again.join(in_flight)


async def test_draining_asks_everybody_to_move_and_lets_nobody_in(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    beats: asyncio.Queue[NodeAlive] = asyncio.Queue()
    await bus.subscribe(NodeAlive, beats.put)
    async with connected(unit.port) as ann, connected(unit.port) as late:
        await ann.join(desk.ticket(unit.node.node))
        draining = asyncio.create_task(unit.drain())
        assert (await ann.told(Move)).reason == "node_draining"
        with pytest.raises(AssertionError, match="node_draining"):
            await late.join(desk.ticket(unit.node.node))
        while not (await beats.get()).draining:
            pass
        ann.tell(Leave())
        async with asyncio.timeout(2):
            await draining


async def test_the_heartbeat_follows_the_rooms(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    beats: asyncio.Queue[NodeAlive] = asyncio.Queue()
    await bus.subscribe(NodeAlive, beats.put)
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        async with asyncio.timeout(1):
            while (await beats.get()).rooms != [CHANNEL]:
                pass
    async with asyncio.timeout(1):
        while (await beats.get()).rooms:
            pass


async def test_a_member_keeps_its_place_when_its_address_changes(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node))
        await ben.join(desk.ticket(unit.node.node))
        loop = asyncio.get_running_loop()
        left = ann._transport
        moved, _ = await loop.create_datagram_endpoint(
            lambda: _Through(ann), local_addr=("127.0.0.1", 0)
        )
        ann._transport = moved
        left.close()  # pyright: ignore[reportOptionalMemberAccess]
        ann.change_connection_id()
        for speaker, listener in ((ann, ben), (ben, ann)):
            said = frame(speaker.sender)
            speaker.say(said)
            assert await listener.heard() == said
        assert unit.node.connections() == 2


async def test_a_member_keeps_its_place_behind_a_new_port(unit: Unit, desk: VoiceDesk) -> None:
    """As a home router does it: nothing in the packets says that the address is another."""
    async with connected(unit.port) as ann, connected(unit.port) as ben:
        await ann.join(desk.ticket(unit.node.node))
        await ben.join(desk.ticket(unit.node.node))
        loop = asyncio.get_running_loop()
        left = ann._transport
        ann._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Through(ann), local_addr=("127.0.0.1", 0)
        )
        left.close()  # pyright: ignore[reportOptionalMemberAccess]
        ann.say(frame(ann.sender))
        await ben.heard()
        ben.say(frame(ben.sender))
        await ann.heard()


async def test_a_client_without_our_protocol_is_refused(unit: Unit) -> None:
    with pytest.raises(ConnectionError):
        async with connected(unit.port, alpn="h3"):
            pass


async def test_only_the_pinned_cipher_suite_is_spoken(unit: Unit) -> None:
    with pytest.raises(ConnectionError):
        async with connected(unit.port, cipher_suites=[CipherSuite.CHACHA20_POLY1305_SHA256]):
            pass
    async with connected(unit.port) as ann:
        assert ann._quic.tls.key_schedule is not None
        assert ann._quic.tls.key_schedule.cipher_suite == CipherSuite.AES_128_GCM_SHA256


async def test_no_session_ticket_is_given_so_nothing_can_come_early(
    unit: Unit, desk: VoiceDesk
) -> None:
    given: list[object] = []
    async with connected(unit.port) as ann:
        ann._quic._session_ticket_handler = given.append
        await ann.join(desk.ticket(unit.node.node))
    assert given == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_both_address_families_are_served(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity, host: str
) -> None:
    async with serving(bus, SystemClock(), identity, Options(host="::")) as unit:
        await unit.briefed.wait()
        async with connected(unit.port, host):
            pass


async def test_a_new_certificate_is_shown_to_new_clients_and_announced(
    bus: MemoryBus, desk: VoiceDesk, tmp_path: Path
) -> None:
    now_ms = SystemClock().now_ms()
    identity = Identity.open(tmp_path, [], now_ms)
    beats: asyncio.Queue[NodeAlive] = asyncio.Queue()
    await bus.subscribe(NodeAlive, beats.put)
    async with (
        serving(bus, SystemClock(), identity, Options()) as unit,
        connected(unit.port) as ann,
    ):
        await unit.briefed.wait()
        await ann.join(desk.ticket(unit.node.node))
        first, following = (await beats.get()).certificate_sha256
        await unit.refresh_certificate(now_ms + 8 * 24 * 3600 * 1000)
        async with asyncio.timeout(2):
            while (await beats.get()).certificate_sha256[0] != following:
                pass
        async with connected(unit.port) as ben:
            await ben.join(desk.ticket(unit.node.node))
            assert (_certificate_of(ann), _certificate_of(ben)) == (first, following)
            ann.say(frame(ann.sender))
            await ben.heard()


def _certificate_of(client: Client) -> bytes:
    shown = client._quic.tls._peer_certificate
    assert shown is not None
    return shown.fingerprint(hashes.SHA256())


async def test_a_port_in_use_is_one_clear_line(
    unit: Unit, bus: MemoryBus, identity: Identity
) -> None:
    with pytest.raises(StartError, match=f"UDP port {unit.port} of 127.0.0.1 cannot be opened"):
        async with serving(bus, SystemClock(), identity, Options(port=unit.port)):
            pass


async def test_nobody_comes_in_while_the_voice_service_is_silent(
    bus: MemoryBus, identity: Identity
) -> None:
    async with (
        serving(bus, SystemClock(), identity, Options()) as unit,
        connected(unit.port) as ann,
    ):
        with pytest.raises(AssertionError, match="not_briefed"):
            await ann.join(VoiceDesk().ticket(unit.node.node))


async def test_an_address_is_to_be_proved_above_the_limit_only(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with connected(unit.port) as first:
        assert first._quic._retry_count == 0
    slow = [await _half_open(unit.port) for _ in range(21)]
    await until(lambda: len(unit.server.connections) >= 20)
    async with connected(unit.port) as proven:
        assert proven._quic._retry_count == 1
        await proven.join(desk.ticket(unit.node.node))
    for transport in slow:
        transport.close()


async def test_an_address_that_was_proved_counts_when_the_pressure_is_over(unit: Unit) -> None:
    slow = [await _half_open(unit.port) for _ in range(20)]
    await until(lambda: len(unit.server.connections) >= 20)
    client = await begin(unit.port)
    held: list[bytes] = []
    client.datagram_received = lambda data, addr: held.append(data)  # noqa: ARG005
    await until(lambda: bool(held) and not unit.server.connections)
    del client.datagram_received
    client.datagram_received(held[0], ("127.0.0.1", unit.port))
    async with asyncio.timeout(10):
        await client.wait_connected()
    assert client._quic._retry_count == 1
    await end(client)
    for transport in slow:
        transport.close()


async def _half_open(port: int) -> asyncio.DatagramTransport:
    """Send what begins a handshake, and never answer again."""
    opening = QuicConnection(configuration=QuicConfiguration(alpn_protocols=[ALPN]))
    opening.connect(("127.0.0.1", port), now=0.0)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", port)
    )
    for data, _ in opening.datagrams_to_send(now=0.0):
        transport.sendto(data)
    return transport


class _Through(asyncio.DatagramProtocol):
    """Hands what arrives at a new socket to the connection that moved there."""

    def __init__(self, client: asyncio.DatagramProtocol) -> None:
        self._client = client

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._client.datagram_received(data, addr)  # pyright: ignore[reportArgumentType]
