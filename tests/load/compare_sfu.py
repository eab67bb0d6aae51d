"""The plain server and the fast path live through the same, and must do the same.

Random events in several rooms happen to both in step: joins, voices good and bad, mute and
deafen, changed rights, goodbyes. Then every client has heard the same from both, frame by frame,
was told the same at its end, and the meters agree: ``./just fuzz-sfu --differential``.
"""

import asyncio
import random
import socket
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tickets import Perm
from sidetone.native import prepare
from sidetone.protocol.events import MemberPutOut, VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.voice_control import Leave, State
from sidetone.quic import batches, notices
from sidetone.quic.addresses import pack_address
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.application.ports import NoEvidence
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.infrastructure.fastpath import control, loop, routing, words
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from sidetone.voice_sfu.infrastructure.fastpath.start import start
from sidetone.voice_sfu.interface.quic import ALPN, SfuServer
from tests.load.fastpath_stage import new_identity
from tests.load.sfu_stage import TALK, Client, VoiceDesk, frame

RATES = Rates(packets_per_second=1 << 30, bits_per_second=1 << 40)
ROOMS, PLACES = 3, 4
_TURN_EVENTS = 8
_QUIET_ROUNDS = 2
_HELD_SECONDS_MAX = 1.0
_LAST = ("leave", "put_out")


@dataclass
class Findings:
    """What happened, and what was not the same."""

    events: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    heard: int = 0
    refused: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class _Out(asyncio.DatagramTransport):
    """What aioquic sends through; *send* is told where to."""

    def __init__(self, send: Callable[[bytes, Any], object]) -> None:
        super().__init__()
        self._send = send

    def sendto(self, data: Any, addr: Any = None) -> None:
        self._send(bytes(data), addr)

    def close(self) -> None:
        pass


class Side:
    """A unit that does something when it is given a datagram, and at no other time."""

    def __init__(self, unit: Unit, identity: Identity, path: FastPath | None) -> None:
        self.node = unit.node
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = self._socket.getsockname()
        self._server = SfuServer(unit.node, unit.server.limits, path)
        self._server.use_certificate(identity.certificate_file, identity.key_file)
        self._server.connection_made(_Out(self._socket.sendto))
        self._path = path
        self._buffers = control.new_buffers()
        self._text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)
        if path is not None:
            path._receive = self._server.datagram_received
            path.shared.words[words.SOCKET] = self._socket.fileno()
            prepare(loop.take_packet, loop.send_acks, routing.flush)

    def deliver(self, data: bytes, address: Any) -> None:
        """Take a datagram as the media thread does, or as the event loop does."""
        if self._path is None:
            self._server.datagram_received(data, address)
            return
        packet = np.frombuffer(data, np.uint8).copy()
        name = np.frombuffer(pack_address(address).ljust(32, b"\0"), np.uint8).copy()
        shared, now = self._path.shared, time.monotonic_ns()
        if not loop.take_packet(shared, *self._buffers, packet, name, self._text, now):
            notices.tell_packet(shared.notices, packet, packet.size, name)
        routing.flush(shared, *self._buffers, now)
        self._path.take_notices()

    def end_turn(self) -> None:
        """Acknowledge what has waited."""
        if self._path is not None:
            now = time.monotonic_ns()
            loop.send_acks(self._path.shared, *self._buffers, now)
            routing.flush(self._path.shared, *self._buffers, now)

    def close(self) -> None:
        """End every connection."""
        self._server.stop()
        self._socket.close()


class Guest:
    """One member, as one of the two sides knows it."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        own = self._socket.getsockname()
        configuration = QuicConfiguration(
            alpn_protocols=[ALPN],
            max_datagram_frame_size=65535,
            verify_mode=ssl.CERT_NONE,
            idle_timeout=60.0,
        )
        self.client = Client(QuicConnection(configuration=configuration))
        self.client._quic._ack_delay = 0.002
        self.client.connection_made(_Out(lambda data, _: side.deliver(data, own)))
        self.client.connect(side.address)

    def poll(self) -> bool:
        """Take what has arrived; tells whether anything has."""
        came = False
        while True:
            try:
                data = self._socket.recv(2048)
            except BlockingIOError:
                return came
            came = True
            self.client.datagram_received(data, self.side.address)

    def heard(self) -> list[bytes]:
        """Return the frames that came since the last time."""
        frames = self.client.frames
        return [frames.get_nowait() for _ in range(frames.qsize())]

    def close(self) -> None:
        """Free the socket, and what waits for a time."""
        self.client._quic.close()
        self.client.transmit()
        if self.client._timer is not None:
            self.client._timer.cancel()
        self._socket.close()


@dataclass
class Place:
    """A place in a room, taken by one guest of each side."""

    room: int
    user: UserId
    device: DeviceId
    guests: list[Guest]

    @property
    def channel(self) -> ChannelId:
        return ChannelId(UUID(int=100 + self.room))


class Comparison:
    """Both sides, and what happens to them."""

    def __init__(self, sides: list[Side], desk: VoiceDesk, seed: int) -> None:
        self.findings = Findings()
        self._sides = sides
        self._desk = desk
        self._random = random.Random(seed)
        self._places: dict[tuple[int, int], Place] = {}
        self._generation = 1

    async def run(self, count: int) -> None:
        """Let *count* events happen."""
        kinds: Counter[str] = Counter()
        while self.findings.events < count and not self.findings.faults:
            kind = await self._event()
            kinds[kind] += 1
            self.findings.events += 1
            if self.findings.events % _TURN_EVENTS == 0:
                await self._settle()
            if self.findings.events % 100 == 0:
                await self._compare()
        await self._compare()
        self.findings.kinds = dict(kinds)
        for place in list(self._places.values()):
            self._close(place)

    # --- events ---

    async def _event(self) -> str:
        pick = self._random
        key = (pick.randrange(ROOMS), pick.randrange(PLACES))
        place = self._places.get(key)
        if place is None:
            await self._join(key)
            return "join"
        happens: dict[str, tuple[int, Callable[[Place], None]]] = {
            "voice": (300, self._voice),
            "state": (12, self._change_state),
            "rights": (4, self._change_rights),
            "leave": (1, self._leave),
            "put_out": (1, self._put_out),
        }
        kind = pick.choices(list(happens), [weight for weight, _ in happens.values()])[0]
        if kind in _LAST:
            # What its pacing holds back aioquic leaves out where a connection ends that moment.
            await self._compare()
        happens[kind][1](place)
        if kind in _LAST:
            await self._gone(key)
        return kind

    async def _join(self, key: tuple[int, int]) -> None:
        pick = self._random
        ids = [UUID(int=pick.getrandbits(128)) for _ in range(3)]
        place = Place(key[0], UserId(ids[0]), DeviceId(ids[1]), [Guest(s) for s in self._sides])
        self._places[key] = place
        ticket = self._desk.ticket(
            NodeId(5),
            user=place.user,
            device=place.device,
            channel=place.channel,
            jti=ids[2],
            perms=pick.choice((TALK, TALK, TALK, Perm.CONNECT, TALK | Perm.DEAFENED)),
        )
        for step in (Client.wait_connected, lambda client: client.join(ticket)):
            steps = [step(guest.client) for guest in place.guests]
            await self._settle_while(asyncio.gather(*steps))
        if len({guest.client.sender for guest in place.guests}) != 1:
            self.findings.faults.append("members of the two sides have other places")

    def _voice(self, place: Place) -> None:
        pick = self._random
        sender = place.guests[0].client.sender
        said: list[bytes] = []
        for _ in range(pick.choice((1, 1, 1, 2, 4))):
            length = pick.choice((0, 15, 16, 16, 40, 60, 100, 150, 200, 991, 992, 993, 1100))
            kind = pick.choice((0, 0, 0, 0, 0, 0, 2, 2, 1, 3))
            claimed = sender if pick.random() < 0.9 else pick.choice((sender + 1, 0, 65535))
            each = frame(claimed & 0xFFFF, kind, bytes(length))
            said.append(each if pick.random() < 0.95 else bytes([pick.randrange(256)]) + each[1:])
        for guest in place.guests:
            for each in said:
                guest.client._quic.send_datagram_frame(each)
            guest.client.transmit()

    def _change_state(self, place: Place) -> None:
        pick = self._random
        state = State(muted=pick.random() < 0.3, deafened=pick.random() < 0.3)
        for guest in place.guests:
            guest.client.tell(state)

    def _leave(self, place: Place) -> None:
        for guest in place.guests:
            guest.client.tell(Leave())

    def _put_out(self, place: Place) -> None:
        event = MemberPutOut(place.channel, place.user, place.device)
        for side in self._sides:
            side.node.put_out(event)

    def _change_rights(self, place: Place) -> None:
        self._generation += 1
        perms = self._random.choice((TALK, TALK, Perm.CONNECT, TALK | Perm.DEAFENED))
        for side in self._sides:
            rights = VoiceRights(place.channel, place.user, int(perms), self._generation)
            side.node.change_rights(rights)

    async def _gone(self, key: tuple[int, int]) -> None:
        place = self._places[key]
        await self._settle_until(lambda: all(g.client.close_code for g in place.guests))
        await self._compare()
        self._close(self._places.pop(key))

    def _close(self, place: Place) -> None:
        for guest in place.guests:
            guest.close()

    # --- what both did ---

    async def _settle(self) -> None:
        """Go on until nobody has anything to say."""
        quiet = 0
        while quiet < _QUIET_ROUNDS:
            for side in self._sides:
                side.end_turn()
            await asyncio.sleep(0)
            came = [g.poll() for place in self._places.values() for g in place.guests]
            quiet = 0 if any(came) else quiet + 1

    async def _settle_while(self, waiting: asyncio.Future[Any]) -> None:
        await self._settle_until(waiting.done)
        waiting.result()

    async def _settle_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await self._settle()

    async def _compare(self) -> None:
        await self._settle()
        for key, place in self._places.items():
            plain, fast = await self._heard(place)
            self.findings.heard += sum(map(len, plain.values()))
            if plain != fast:
                self.findings.faults.append(f"{key} heard {plain} or {fast}")
            codes = {guest.client.close_code for guest in place.guests}
            if len(codes) != 1:
                self.findings.faults.append(f"{key} was told {codes}")
        meters = [
            {name: getattr(side.node.meter, name) for name in _METERED} for side in self._sides
        ]
        self.findings.refused = sum(meters[0]["drops"].values())
        if meters[0] != meters[1]:
            self.findings.faults.append(f"the meters say {meters}")

    async def _heard(self, place: Place) -> list[dict[str, list[str]]]:
        """Return what both heard, once it is the same or nothing more comes.

        A frame that a full window holds back goes out with the next acknowledgement, which takes
        its time.
        """
        frames: list[list[bytes]] = [[] for _ in place.guests]
        until = time.monotonic() + _HELD_SECONDS_MAX
        while True:
            for known, guest in zip(frames, place.guests, strict=True):
                known.extend(guest.heard())
            found = [_by_sender(known) for known in frames]
            if found[0] == found[1] or time.monotonic() > until:
                return found
            await asyncio.sleep(0.005)
            await self._settle()


def _by_sender(frames: list[bytes]) -> dict[str, list[str]]:
    """Sort by who spoke: who was first of two is for their clients' pacing to say."""
    heard: dict[str, list[str]] = {}
    for each in frames:
        heard.setdefault(each[2:4].hex(), []).append(f"{each[:8].hex()}+{len(each)}")
    return heard


_METERED = ("frames_in", "bytes_in", "frames_out", "bytes_out", "drops")


@asynccontextmanager
async def _side(
    identity: Identity, desk: VoiceDesk, path: FastPath | None
) -> AsyncGenerator[Side]:
    bus = MemoryBus()
    await desk.open(bus)
    options = Options(node=NodeId(5), fast_path=False, rates=RATES)
    async with serving(bus, SystemClock(), identity, options) as unit:
        await unit.briefed.wait()
        side = Side(unit, identity, path)
        yield side
        side.close()
    await bus.close()


async def compare(count: int, seed: int) -> Findings:
    """Let *count* random events happen to both servers."""
    desk, began = VoiceDesk(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        identity = new_identity(Path(folder))
        # It is tried first, so that kernels are there when somebody waits for them.
        path = start(RATES, NoEvidence())
        assert path is not None
        async with _side(identity, desk, None) as plain, _side(identity, desk, path) as fast:
            comparison = Comparison([plain, fast], desk, seed)
            await comparison.run(count)
    comparison.findings.seconds = round(time.monotonic() - began, 1)
    return comparison.findings
