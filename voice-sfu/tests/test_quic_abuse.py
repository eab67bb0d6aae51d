"""Clients that do not play by the rules: each is closed with a code, and hurts nobody else."""

import asyncio
import random
import socket
from collections.abc import Callable

import msgspec
import pytest

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.voice_control import (
    MESSAGE_BYTES_MAX,
    CommitFailed,
    Error,
    Join,
    KeyPackage,
    PeerLeft,
    Ping,
    Pong,
    State,
)
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.application.ports import NoEvidence
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.meter import Drop
from tests.load.sfu_stage import (
    PATIENCE_SECONDS,
    Client,
    VoiceDesk,
    connected,
    frame,
    framed,
)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (framed(b"\xc1"), "control_malformed"),
        (framed(b""), "control_malformed"),
        (framed(random.Random(1).randbytes(200)), "control_malformed"),
        (framed(msgspec.msgpack.encode({"type": "subscribe"})), "control_malformed"),
        (framed(msgspec.msgpack.encode({"type": "join", "ticket": 7})), "control_malformed"),
        (framed(b"\x91" * 60_000), "control_malformed"),
        ((MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"), "control_oversize"),
        (b"\xff" * 400, "control_oversize"),
        (framed(msgspec.msgpack.encode(Ping(1))), "join_expected"),
        (framed(msgspec.msgpack.encode(Join(b"x" * 173))), "ticket_invalid"),
        (framed(msgspec.msgpack.encode(Join(b""))), "ticket_invalid"),
    ],
)
async def test_a_wrong_first_message_ends_that_connection(
    unit: Unit, said: bytes, code: str
) -> None:
    async with connected(unit.port) as stranger:
        stranger.tell_raw(said)
        assert await stranger.closed() == code


async def _closed_beside_a_good_one(
    unit: Unit, desk: VoiceDesk, offend: Callable[[Client], None]
) -> str:
    """Let a member offend; return its close code, with the other member found unharmed."""
    async with connected(unit.port) as good, connected(unit.port) as bad:
        await good.join(desk.ticket(unit.node.node))
        await bad.join(desk.ticket(unit.node.node))
        offend(bad)
        code = await bad.closed()
        assert (await good.told(PeerLeft)).sender == bad.sender
        good.tell(Ping(2))
        assert await good.told(Pong) == Pong(2)
    return code


@pytest.mark.parametrize(
    ("stream", "code"),
    [(12, "streams_exceeded"), (40, "streams_exceeded"), (2, "stream_forbidden")],
)
async def test_more_streams_than_allowed_end_the_connection(
    unit: Unit, desk: VoiceDesk, stream: int, code: str
) -> None:
    def offend(bad: Client) -> None:
        while bad._quic.get_next_available_stream_id(is_unidirectional=stream == 2) <= stream:
            one = bad._quic.get_next_available_stream_id(is_unidirectional=stream == 2)
            bad._quic.send_stream_data(one, b"x" if one == stream else b"")
        bad.transmit()

    assert await _closed_beside_a_good_one(unit, desk, offend) == code


async def test_a_second_join_ends_the_connection(unit: Unit, desk: VoiceDesk) -> None:
    ticket = desk.ticket(unit.node.node)
    code = await _closed_beside_a_good_one(unit, desk, lambda bad: bad.tell(Join(ticket)))
    assert code == "join_repeated"


async def test_messages_without_end_end_the_connection(unit: Unit, desk: VoiceDesk) -> None:
    def offend(bad: Client) -> None:
        for number in range(200):
            bad.tell(State(muted=bool(number % 2), deafened=False))

    assert await _closed_beside_a_good_one(unit, desk, offend) == "control_rate"


async def test_large_messages_without_end_end_the_connection(unit: Unit, desk: VoiceDesk) -> None:
    def offend(bad: Client) -> None:
        for _ in range(8):
            bad.tell(KeyPackage(bytes(60_000)))

    assert await _closed_beside_a_good_one(unit, desk, offend) == "control_rate"


async def test_a_control_stream_that_ends_ends_the_connection(unit: Unit, desk: VoiceDesk) -> None:
    def offend(bad: Client) -> None:
        bad._quic.send_stream_data(0, b"", end_stream=True)
        bad.transmit()

    assert await _closed_beside_a_good_one(unit, desk, offend) == "control_ended"


async def test_a_control_stream_that_is_reset_ends_the_connection(
    unit: Unit, desk: VoiceDesk
) -> None:
    def offend(bad: Client) -> None:
        bad._quic.reset_stream(0, 1)
        bad.transmit()

    assert await _closed_beside_a_good_one(unit, desk, offend) == "control_ended"


async def test_a_control_stream_that_nobody_reads_ends_the_connection_and_is_no_bug(
    unit: Unit, desk: VoiceDesk
) -> None:
    def offend(bad: Client) -> None:
        bad._quic.stop_stream(0, 1)
        bad.transmit()

    assert await _closed_beside_a_good_one(unit, desk, offend) == "control_ended"
    assert unit.server.failures == 0


async def test_numbers_out_of_range_are_harmless(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        for epoch in (-1, 1 << 63, (1 << 64) - 1):
            ann.tell(CommitFailed(epoch))
        ann.tell(Ping(3))
        assert await ann.told(Pong) == Pong(3)


async def test_a_member_hears_nothing_of_malformed_frames(unit: Unit, desk: VoiceDesk) -> None:
    randomness = random.Random(2)
    async with connected(unit.port) as good, connected(unit.port) as bad:
        await good.join(desk.ticket(unit.node.node))
        await bad.join(desk.ticket(unit.node.node))
        good_frame = frame(bad.sender)
        for wrong in (
            b"",
            b"\x40",
            good_frame[:23],
            good_frame + bytes(1001 - len(good_frame)),
            b"\x00" + good_frame[1:],
            frame(bad.sender, kind=1),
            frame(bad.sender, kind=3),
            frame(good.sender),
            *(randomness.randbytes(randomness.randrange(1, 200)) for _ in range(100)),
        ):
            bad.say(wrong)
        bad.say(good_frame)
        assert await good.heard() == good_frame
        assert sum(unit.node.meter.drops.values()) == 108


async def test_frames_before_the_ticket_go_nowhere(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as good, connected(unit.port) as early:
        await good.join(desk.ticket(unit.node.node))
        early.say(frame(good.sender))
        early.say(frame(1))
        await early.join(desk.ticket(unit.node.node))
        said = frame(early.sender)
        early.say(said)
        assert await good.heard() == said
        assert unit.node.meter.drops[Drop.UNSEATED] == 2


async def test_garbage_on_the_port_is_ignored(unit: Unit, desk: VoiceDesk) -> None:
    randomness = random.Random(3)
    async with connected(unit.port) as good:
        await good.join(desk.ticket(unit.node.node))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(10_000):
                length = randomness.choice((0, 1, 7, 20, 21, 60, 1200, 1500))
                data = bytearray(randomness.randbytes(length))
                if length > 20 and number % 3 == 0:
                    data[0:5] = b"\xc0\x00\x00\x00\x01"
                stranger.sendto(bytes(data), ("127.0.0.1", unit.port))
                if number % 100 == 0:
                    await asyncio.sleep(0)
        good.tell(Ping(4))
        assert await good.told(Pong) == Pong(4)
        assert unit.server.failures == 0


async def test_many_voices_at_once_all_arrive(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as ann:
        await ann.join(desk.ticket(unit.node.node))
        (seat,) = unit.node.seats()
        said = [frame(7, payload=bytes(20)) for _ in range(100)]
        for each in said:
            seat.connection.forward(each)
        assert [await ann.heard() for _ in said] == said


async def test_a_listener_that_cannot_keep_up_misses_frames(unit: Unit, desk: VoiceDesk) -> None:
    """What is late is worth nothing; once the listener keeps up, it hears what is said then."""
    async with connected(unit.port) as ann, connected(unit.port) as slow:
        await ann.join(desk.ticket(unit.node.node))
        await slow.join(desk.ticket(unit.node.node))
        slow.is_deaf = True
        said = [frame(ann.sender, payload=bytes(150)) for _ in range(220)]
        for each in said:
            ann.say(each)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while unit.node.meter.frames_in < len(said):  # noqa: ASYNC110 - it counts in its own time
                await asyncio.sleep(0.01)
        assert unit.node.meter.drops[Drop.QUEUE] > 0
        slow.is_deaf = False
        later: set[bytes] = set()

        async def go_on() -> None:
            while True:
                later.add(each := frame(ann.sender))
                ann.say(each)
                await asyncio.sleep(0.02)

        speaking = asyncio.create_task(go_on())
        while await slow.heard() not in later:
            pass
        speaking.cancel()


async def test_a_client_that_does_not_read_is_given_up(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port) as good, connected(unit.port) as slow:
        await good.join(desk.ticket(unit.node.node))
        await slow.join(desk.ticket(unit.node.node))
        slow.is_deaf = True
        seat = next(seat for seat in unit.node.seats() if seat.sender == slow.sender)
        for _ in range(30):
            seat.connection.send(Error("long", "x" * 60_000))
        assert (await good.told(PeerLeft)).sender == slow.sender
        slow.is_deaf = False
        assert await slow.closed() == "reader_slow"


async def test_acknowledging_what_one_hears_is_no_flood(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    options = Options(rates=Rates(packets_per_second=2))
    async with (
        serving(bus, SystemClock(), identity, options) as unit,
        connected(unit.port) as ann,
    ):
        await unit.briefed.wait()
        await ann.join(desk.ticket(unit.node.node))
        (seat,) = unit.node.seats()
        for _ in range(200):
            seat.connection.forward(frame(7))
            await asyncio.sleep(0.005)
        assert unit.node.meter.drops[Drop.FLOOD] == 0


async def test_one_flood_is_ended_and_the_others_talk_on(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    """Each frame that the good ones say in the meantime is heard."""
    options = Options(rates=Rates(packets_per_second=50))
    async with (
        serving(bus, SystemClock(), identity, options) as unit,
        connected(unit.port) as ann,
        connected(unit.port) as ben,
        connected(unit.port) as bad,
    ):
        await unit.briefed.wait()
        for client in (ann, ben, bad):
            await client.join(desk.ticket(unit.node.node))
        bad.keeps_frames = False
        flooding = asyncio.create_task(_flood(bad))
        began = asyncio.get_running_loop().time()
        said = 0
        while not bad._closed.is_set():
            ann.say(frame(ann.sender))
            said += 1
            await asyncio.sleep(0.04)
        await flooding
        seconds = asyncio.get_running_loop().time() - began
        assert bad.close_code == "media_flood"
        heard = [await ben.heard() for _ in range(ben.frames.qsize())]
        of_ann = [each for each in heard if each[2:4] == ann.sender.to_bytes(2, "big")]
        assert len(of_ann) >= said - 1
        assert len(heard) - len(of_ann) < 50 * (seconds + 2)


async def _flood(bad: Client) -> None:
    while not bad._closed.is_set():
        for _ in range(12):
            bad.say(frame(bad.sender))
        await asyncio.sleep(0.01)


class _Broken(NoEvidence):
    """A bug that one kind of frame brings out."""

    def forwarded(self, datagram: bytes) -> None:
        if b"bug" in datagram:
            raise ZeroDivisionError


async def test_a_bug_costs_one_connection_and_no_other(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    async with serving(bus, SystemClock(), identity, Options(fast_path=False), _Broken()) as unit:
        await unit.briefed.wait()
        code = await _closed_beside_a_good_one(
            unit, desk, lambda bad: bad.say(frame(bad.sender, payload=b"bug" + bytes(30)))
        )
        assert code == "internal_error"
        assert unit.server.failures == 1
        assert len(unit.server.connections) <= 1
