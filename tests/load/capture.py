"""Datagrams of a call as Wireshark reads them: an implementation of QUIC that knows none of ours.

A `Tap` stands between a client and a unit and keeps what passes; nobody needs a right to listen to
an interface. `read` has tshark decrypt it with the secrets that the client has logged.
"""

import asyncio
import ipaddress
import random
import shutil
import struct
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from typing_extensions import override

from tests.load.udp_proxy import BadLink

TSHARK: Final = shutil.which("tshark")
PATIENCE_SECONDS: Final = 60.0

_UNIT: Final = (ipaddress.IPv4Address("192.0.2.1"), 443)
_CLIENT: Final = (ipaddress.IPv4Address("192.0.2.2"), 50_000)
_RAW_IP: Final = 101
_UDP: Final = 17
_IP_BYTES: Final = 20
_UDP_BYTES: Final = 8
_FILE: Final = struct.Struct("<IHHiIII")
_RECORD: Final = struct.Struct("<IIII")
_IP: Final = struct.Struct("!BBHHHBBH4s4s")
_MAGIC: Final = 0xA1B2C3D4
_ERROR: Final = 0x800000
_FIELDS: Final = (
    "ip.src",
    "quic.packet_number",
    "quic.key_phase",
    "quic.frame_type",
    "quic.dg",
    "quic.ack.largest_acknowledged",
    "quic.ack.first_ack_range",
    "quic.ack.gap",
    "quic.ack.ack_range",
    "quic.decryption_failed",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
)


class Seen(msgspec.Struct, frozen=True):
    """One UDP datagram, as tshark reads it; *numbers* are of all QUIC packets inside."""

    from_client: bool
    numbers: list[int]
    key_phases: list[bool]
    frame_types: list[int]
    datagrams: list[bytes]
    acknowledged: list[range]
    faults: list[str]


class Tap(BadLink):
    """Passes everything on unharmed, and keeps it."""

    def __init__(self, unit_port: int) -> None:
        super().__init__(unit_port, 0.0, random.Random(0))
        self.kept: list[tuple[float, bool, bytes]] = []

    @override
    def take(self, data: bytes, addr: Any, *, from_client: bool) -> None:
        self.kept.append((time.time(), from_client, data))
        super().take(data, addr, from_client=from_client)

    def write(self, path: Path) -> None:
        """Write what passed as a capture file."""
        head = _FILE.pack(_MAGIC, 2, 4, 0, 0, 0xFFFF, _RAW_IP)
        path.write_bytes(head + b"".join(_record(*each) for each in self.kept))


def _record(at: float, from_client: bool, data: bytes) -> bytes:
    source, to = (_CLIENT, _UNIT) if from_client else (_UNIT, _CLIENT)
    udp = struct.pack("!HHHH", source[1], to[1], _UDP_BYTES + len(data), 0)
    size = _IP_BYTES + len(udp) + len(data)
    ip = _IP.pack(0x45, 0, size, 0, 0, 64, _UDP, 0, source[0].packed, to[0].packed)
    seconds = int(at)
    return _RECORD.pack(seconds, int((at - seconds) * 1e6), size, size) + ip + udp + data


async def read(path: Path, secrets: Path) -> list[Seen]:
    """Return what tshark finds in a capture file, with the *secrets* of all connections."""
    assert TSHARK is not None
    fields = [argument for field in _FIELDS for argument in ("-e", field)]
    process = await asyncio.create_subprocess_exec(
        *(TSHARK, "-n", "-r", path, "-o", f"tls.keylog_file:{secrets}", "-Y", "quic"),
        *("-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=|"),
        *fields,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, _ = await process.communicate()
    return [_seen(line.split("\t")) for line in out.decode().splitlines()]


def _seen(columns: list[str]) -> Seen:
    found = {
        name: column.split("|") if column else []
        for name, column in zip(_FIELDS, columns, strict=True)
    }
    severe = [int(each, 0) for each in found["_ws.expert.severity"]]
    return Seen(
        from_client=found["ip.src"] == [str(_CLIENT[0])],
        numbers=_numbers(found["quic.packet_number"]),
        key_phases=[each not in {"0", "False"} for each in found["quic.key_phase"]],
        frame_types=_numbers(found["quic.frame_type"]),
        datagrams=[bytes.fromhex(each.replace(":", "")) for each in found["quic.dg"]],
        acknowledged=_ranges(found),
        faults=[
            *found["quic.decryption_failed"],
            *found["_ws.malformed"],
            *(found["_ws.expert.message"] if max(severe, default=0) >= _ERROR else []),
        ],
    )


def _ranges(found: dict[str, list[str]]) -> list[range]:
    """Return the packet numbers of ACK frames; gaps are told where a datagram has one of them."""
    largest = _numbers(found["quic.ack.largest_acknowledged"])
    runs = _numbers(found["quic.ack.first_ack_range"])
    ranges = [range(high - run, high + 1) for high, run in zip(largest, runs, strict=True)]
    if len(ranges) == 1:
        gaps, more = _numbers(found["quic.ack.gap"]), _numbers(found["quic.ack.ack_range"])
        for gap, run in zip(gaps, more, strict=True):
            high = ranges[-1].start - gap - 2
            ranges.append(range(high - run, high + 1))
    return ranges


def _numbers(texts: list[str]) -> list[int]:
    return [int(text, 0) for text in texts]
