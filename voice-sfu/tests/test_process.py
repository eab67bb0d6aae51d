"""The unit as a process: how it starts, what it leaves behind, how it ends."""

import asyncio
import os
import socket
import struct
import sys
import urllib.request
from pathlib import Path

import msgspec
import pytest

from sidetone.protocol.voice_control import Commit, KeyPackage, Leave, Move, Ping, Pong
from tests.load.sfu_stage import VoiceDesk, connected, frame
from tests.load.soak_sfu import unit_process


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_told_unit_moves_its_members_and_ends(tmp_path: Path) -> None:
    desk = VoiceDesk()
    async with (
        unit_process(tmp_path, desk) as (process, alive, _),
        connected(alive.port) as ann,
    ):
        said = msgspec.json.decode(await process.said())
        assert said == {
            "event": "voice_node_listening",
            "port": alive.port,
            "node": alive.node,
        }
        await ann.join(desk.ticket(alive.node))
        process.terminate()
        assert (await ann.told(Move)).reason == "node_draining"
        ann.tell(Leave())
        assert await process.ended() == 0
        assert process.unhandled() == 0


async def test_a_member_that_stays_does_not_hold_the_unit_up(tmp_path: Path) -> None:
    desk = VoiceDesk()
    async with (
        unit_process(tmp_path, desk, drain_seconds="0.2") as (process, alive, _),
        connected(alive.port) as ann,
    ):
        await ann.join(desk.ticket(alive.node))
        process.terminate()
        assert await process.ended() == 0
        assert await ann.closed() == "node_stopping"
        assert process.unhandled() == 0


async def test_a_unit_ends_with_its_parent(tmp_path: Path) -> None:
    desk = VoiceDesk()
    async with (
        unit_process(tmp_path, desk, drain_seconds="0.2") as (process, alive, server),
        connected(alive.port) as ann,
    ):
        await ann.join(desk.ticket(alive.node))
        await server.close()
        await ann.told(Move)
        assert await process.ended() == 0
        assert process.unhandled() == 0


async def test_evidence_holds_what_passed_and_what_was_held(tmp_path: Path) -> None:
    desk, path = VoiceDesk(), tmp_path / "evidence"
    async with (
        unit_process(tmp_path, desk, evidence=str(path)) as (process, alive, _),
        connected(alive.port) as ann,
        connected(alive.port) as ben,
    ):
        await ann.join(desk.ticket(alive.node))
        await ben.join(desk.ticket(alive.node))
        said = [frame(ann.sender, payload=bytes([number]) * 40) for number in range(5)]
        for each in said:
            ann.say(each)
            assert await ben.heard() == each
        ann.tell(KeyPackage(b"a key package"))
        ann.tell(Commit(b"a commit"))
        ann.tell(Ping(1))
        await ann.told(Pong)
        ann.tell(Leave())
        ben.tell(Leave())
        await ben.closed()
        process.terminate()
        assert await process.ended() == 0
    records, written = [], path.read_bytes()
    while written:
        _, length = struct.unpack_from(">QH", written)
        records.append(written[10 : 10 + length])
        written = written[10 + length :]
    assert records == said
    held = msgspec.msgpack.decode((tmp_path / "evidence.held").read_bytes())
    assert held["key_package"] == [b"a key package"]
    assert held["commit"] == [b"a commit"]
    assert held["ticket_key"] == [desk.key.verify_key.encode()]
    assert (tmp_path / "tls" / "key.pem").read_bytes() in held["tls_key"]
    assert path.stat().st_mode & 0o077 == 0


async def test_the_counts_can_be_scraped(tmp_path: Path) -> None:
    port = _free_port(socket.SOCK_STREAM)
    async with unit_process(tmp_path, VoiceDesk(), metrics_port=str(port)):
        request = f"http://127.0.0.1:{port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(request).read().decode())
        assert "sidetone_voice_connections 0.0" in text
        assert "sidetone_voice_frames_forwarded_total 0.0" in text


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "SIDETONE_SFU_BUS is not set"),
        ({"SIDETONE_SFU_BUS": "local:/nowhere/bus.sock"}, "SIDETONE_SFU_TLS_FOLDER is not set"),
        (
            {"SIDETONE_SFU_BUS": "local:/nowhere/bus.sock", "SIDETONE_SFU_TLS_FOLDER": "."},
            "/nowhere/bus.sock",
        ),
        (
            {"SIDETONE_SFU_BUS": "carrier pigeon", "SIDETONE_SFU_TLS_FOLDER": "."},
            "SIDETONE_SFU_BUS",
        ),
        (
            {
                "SIDETONE_SFU_BUS": "local:x",
                "SIDETONE_SFU_TLS_FOLDER": ".",
                "SIDETONE_SFU_EVIDENCE": "/nowhere/x",
            },
            "SIDETONE_SFU_EVIDENCE cannot be written",
        ),
        (
            {
                "SIDETONE_SFU_BUS": "local:x",
                "SIDETONE_SFU_TLS_FOLDER": ".",
                "SIDETONE_SFU_PORT": "70000",
            },
            "SIDETONE_SFU_PORT",
        ),
    ],
)
async def test_what_keeps_it_from_starting_is_one_line(
    settings: dict[str, str], line: str
) -> None:
    status, errors = await _run(settings)
    assert status == 1
    assert line in errors
    assert errors.count("\n") == 1


async def test_a_port_in_use_is_one_line_and_status_one(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with unit_process(tmp_path, VoiceDesk()):
            status, errors = await _run(
                {
                    "SIDETONE_SFU_BUS": f"local:{tmp_path / 'bus.sock'}",
                    "SIDETONE_SFU_TLS_FOLDER": str(tmp_path / "tls"),
                    "SIDETONE_SFU_HOST": "127.0.0.1",
                    "SIDETONE_SFU_PORT": str(port),
                }
            )
    assert status == 1
    assert f"UDP port {port} of 127.0.0.1 cannot be opened" in errors
    assert errors.count("\n") == 1


async def _run(settings: dict[str, str]) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sidetone.voice_sfu",
        env={
            name: value
            for name, value in os.environ.items()
            if not name.startswith("SIDETONE_SFU_")
        }
        | settings,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        _, errors = await process.communicate()
    return process.returncode, errors.decode()
