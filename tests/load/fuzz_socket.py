"""Malformed payloads to a whole unit through a real socket, beside two members who talk on."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aioquic.tls import Epoch

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.voice_control import Ping, Pong
from sidetone.runtime.clock import SystemClock
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.domain.limits import Rates
from tests.load.fastpath_stage import new_identity
from tests.load.fuzz_payloads import Payloads, Truth
from tests.load.sfu_stage import Client, VoiceDesk, connected, frame

_RATES = Rates(packets_per_second=1 << 20, bits_per_second=1 << 30)
_AT_ONCE = 20
# What a member that lives behaves like again is asked after so many.
_PAYLOADS_EACH = 40


@dataclass
class Findings:
    """What was sent, to how many connections, and how the unit took it."""

    payloads: int = 0
    datagrams: int = 0
    connections: int = 0
    failures: int = 0
    rounds: int = 0
    faults: list[str] = field(default_factory=list)


async def fuzz_socket(count: int, seed: int) -> Findings:
    """Send *count* sealed payloads, and as many datagrams, from members that come for that."""
    findings, source = Findings(), Payloads(seed)
    bus, desk = MemoryBus(), VoiceDesk()
    await desk.open(bus)
    with tempfile.TemporaryDirectory() as folder:
        identity = new_identity(Path(folder))
        async with serving(bus, SystemClock(), identity, Options(rates=_RATES)) as unit:
            await unit.briefed.wait()
            async with connected(unit.port) as ann, connected(unit.port) as ben:
                for client in (ann, ben):
                    await client.join(desk.ticket(unit.node.node))
                while findings.payloads < count:
                    await _one_member(unit, desk, source, findings)
                    await _still_talk(ann, ben, findings)
            findings.failures = unit.server.failures
    await bus.close()
    return findings


async def _one_member(unit: Unit, desk: VoiceDesk, source: Payloads, findings: Findings) -> None:
    findings.connections += 1
    async with connected(unit.port) as bad:
        await bad.join(desk.ticket(unit.node.node))
        for number in range(_PAYLOADS_EACH):
            if bad._quic._close_event is not None:
                return
            truth = Truth(bad.sender, 30)
            _send(bad, sealed := _sealed(bad, source.payload(truth)))
            _send(bad, source.datagram(sealed, bad._quic._peer_cid.cid))
            findings.payloads += 1
            findings.datagrams += 1
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0.005)


def _sealed(bad: Client, payload: bytes) -> bytes:
    quic: Any = bad._quic
    number, pair = quic._packet_number, quic._cryptos[Epoch.ONE_RTT]
    quic._packet_number = number + 1
    head = bytes([0x41 | pair.key_phase << 2]) + quic._peer_cid.cid
    return pair.encrypt_packet(head + (number & 0xFFFF).to_bytes(2, "big"), payload, number)


def _send(bad: Client, data: bytes) -> None:
    transport: Any = bad._transport
    transport.sendto(data, bad._quic._network_paths[0].addr)


async def _still_talk(ann: Client, ben: Client, findings: Findings) -> None:
    """Hear each other, with whatever the bad one got through skipped, and be answered."""
    findings.rounds += 1
    for speaker, listener in ((ann, ben), (ben, ann)):
        said = frame(speaker.sender)
        speaker.say(said)
        while await listener.heard() != said:
            pass
    ann.tell(Ping(findings.rounds))
    if await ann.told(Pong) != Pong(findings.rounds):
        findings.faults.append("a ping was answered with another one")
