import asyncio
from typing import ClassVar

import msgspec
import pytest
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent, StreamDataReceived
from typing_extensions import override

from libs.client.tests.networks import Relay
from libs.client.tests.stage import Home
from sidetone.client.link_opening import open_link
from sidetone.client.voice_link import VoiceLink
from sidetone.protocol import voice_control as control
from sidetone.protocol.refusals import Unauthenticated, Unavailable
from sidetone.quic import ALPN
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity

WRONG = bytes(32)


class Ear:
    """Keeps what a link brings."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.messages: asyncio.Queue[control.ServerMessage] = asyncio.Queue()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def frame_received(self, frame: bytes) -> None:
        self.frames.append(frame)

    def message_received(self, message: control.ServerMessage) -> None:
        self.messages.put_nowait(message)

    def link_closed(self, code: str, detail: str) -> None:
        assert detail
        self.closed.set_result(code)


class Rogue(QuicConnectionProtocol):
    """A node that keeps what strangers tell it."""

    told: ClassVar[bytearray] = bytearray()

    @override
    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived):
            self.told += event.data


class Screen(QuicConnectionProtocol):
    """A node that answers with a video frame, and with messages of which one is about video."""

    @override
    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived):
            video = self._quic.get_next_available_stream_id(is_unidirectional=True)
            self._quic.send_stream_data(video, bytes(5000), end_stream=True)
            for message in (control.KeyframeWanted(0), control.Pong(1)):
                body = msgspec.msgpack.encode(message)
                framed = len(body).to_bytes(4, "big") + body
                self._quic.send_stream_data(event.stream_id, framed)


def rogue_configuration(identity: Identity) -> QuicConfiguration:
    configuration = QuicConfiguration(
        is_client=False, alpn_protocols=[ALPN], max_datagram_frame_size=1200
    )
    configuration.load_cert_chain(identity.certificate_file, identity.key_file)
    return configuration


async def test_a_node_with_another_key_is_told_nothing(home: Home) -> None:
    other = Identity.open(home.folder / "rogue", ["localhost"], SystemClock().now_ms())
    Rogue.told.clear()
    server = await serve(
        "127.0.0.1", 0, configuration=rogue_configuration(other), create_protocol=Rogue
    )
    port = server._transport.get_extra_info("sockname")[1]  # type: ignore[union-attr]
    with pytest.raises(Unauthenticated) as caught:
        await open_link("127.0.0.1", port, home.identity.spki_sha256, Ear(), 5)
    assert caught.value.code == "server_key_wrong"
    assert not Rogue.told
    server.close()


async def test_a_link_without_video_goes_on_beside_it(home: Home) -> None:
    server = await serve(
        "127.0.0.1", 0, configuration=rogue_configuration(home.identity), create_protocol=Screen
    )
    port = server._transport.get_extra_info("sockname")[1]  # type: ignore[union-attr]
    ear = Ear()
    link = await open_link("127.0.0.1", port, home.identity.spki_sha256, ear, 5)
    for _ in range(2):
        link.send(control.Ping(1))
        assert await ear.messages.get() == control.KeyframeWanted(0)
        assert await ear.messages.get() == control.Pong(1)
    assert (ear.frames, ear.closed.done()) == ([], False)
    link.abort()
    server.close()


async def test_a_node_that_never_answers_is_given_up() -> None:
    with pytest.raises(Unavailable) as caught:
        await open_link("127.0.0.1", 9, WRONG, Ear(), 0.2)
    assert caught.value.code == "node_unreachable"
    assert "UDP" in caught.value.detail


async def test_a_host_that_has_no_address_is_named() -> None:
    with pytest.raises(Unavailable) as caught:
        await open_link("no-such-host.invalid", 1, WRONG, Ear(), 1)
    assert caught.value.code == "node_unknown"


async def test_a_false_ticket_ends_with_the_reason_of_the_node(home: Home) -> None:
    async with home.unit() as unit:
        ear = Ear()
        link = await open_link("127.0.0.1", unit.port, home.identity.spki_sha256, ear, 5)
        link.send(control.Join(bytes(173)))
        error = await asyncio.wait_for(ear.messages.get(), 5)
        assert isinstance(error, control.Error)
        assert error.code == "ticket_invalid"
        assert await asyncio.wait_for(ear.closed, 5) == "ticket_invalid"


async def test_a_node_that_falls_silent_is_noticed(home: Home) -> None:
    async with home.unit() as unit:
        client = await home.client()
        lounge = await home.lounge(client)
        ticket = await client.api.voice.join(lounge.id, client.device)
        relay = await Relay.open(("127.0.0.1", unit.port))
        ear = Ear()
        link = await open_link(*relay.address, ticket.spki_sha256, ear, 5)
        link.send(control.Join(ticket.ticket))
        assert isinstance(await asyncio.wait_for(ear.messages.get(), 5), control.Welcome)
        relay.cut = True
        assert await asyncio.wait_for(ear.closed, 10) == "node_silent"
        relay.close()


async def test_a_quiet_room_is_no_dead_node(home: Home) -> None:
    async with home.unit() as unit:
        client = await home.client()
        lounge = await home.lounge(client)
        ticket = await client.api.voice.join(lounge.id, client.device)
        ear = Ear()
        link = await open_link("127.0.0.1", unit.port, ticket.spki_sha256, ear, 5)
        link.send(control.Join(ticket.ticket))
        await asyncio.wait({ear.closed}, timeout=3)
        assert not ear.closed.done()
        link.abort()


async def test_stale_frames_make_room_for_fresh_ones(home: Home) -> None:
    async with home.unit() as unit:
        relay = await Relay.open(("127.0.0.1", unit.port))
        link = await open_link(*relay.address, home.identity.spki_sha256, Ear(), 5)
        relay.cut = True
        frames = [bytes([n]) * 900 for n in range(100)]
        for frame in frames:
            link.send_frame(frame)
        assert link.datagrams_dropped > 0
        assert list(link._quic._datagrams_pending) == frames[-8:]
        link.abort()
        relay.close()


async def test_a_burst_that_the_network_takes_is_sent_whole(home: Home) -> None:
    async with home.unit() as unit:
        link = await open_link("127.0.0.1", unit.port, home.identity.spki_sha256, Ear(), 5)
        for _ in range(50):
            link.send_frame(bytes(40))
        assert link.datagrams_dropped == 0
        link.abort()


async def test_a_closed_link_takes_no_more_and_reports_its_end_once(home: Home) -> None:
    async with home.unit() as unit:
        ear = Ear()
        link: VoiceLink = await open_link(
            "127.0.0.1", unit.port, home.identity.spki_sha256, ear, 5
        )
        link.abort()
        link.abort()
        link.send(control.Ping(1))
        link.send_frame(bytes(40))
        await link.close()
        assert ear.closed.result() == "left"
