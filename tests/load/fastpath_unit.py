"""A unit in a process of its own that tells, line by line, what its fast path has counted."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from nacl.signing import SigningKey

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.ids import NodeId
from sidetone.quic import notices
from sidetone.runtime.clock import SystemClock
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from tests.load.fastpath_stage import new_identity
from tests.load.sfu_stage import VoiceDesk

NODE = NodeId(5)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def desk() -> VoiceDesk:
    """Return a desk whose tickets this unit takes; its key is no secret."""
    made = VoiceDesk()
    made.key = SigningKey(bytes(32))
    return made


def _counted(unit: Unit) -> dict[str, int]:
    path = unit.server.media_path
    assert isinstance(path, FastPath)
    counts = path.shared.rows.connection.counts
    names = ("packets_in", "packets_out", "forged", "duplicates", "lost")
    return {
        **{name: int(counts[name].sum()) for name in names},
        "notices_lost": int(path.shared.notices.words[notices.FULL]),
        "failures": unit.server.failures,
        "connections": len(unit.server.connections),
        "members": unit.node.connections(),
        "frames_in": unit.node.meter.frames_in,
        "frames_out": unit.node.meter.frames_out,
        "rss_bytes": int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES,
    }


async def _run() -> None:
    bus = MemoryBus()
    await desk().open(bus)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    with tempfile.TemporaryDirectory() as folder:
        identity = new_identity(Path(folder))
        async with serving(bus, SystemClock(), identity, Options(node=NODE)) as unit:
            await unit.briefed.wait()
            print(unit.port, flush=True)
            while await reader.readline():
                print(json.dumps(_counted(unit)), flush=True)


if __name__ == "__main__":
    # What is logged goes elsewhere than what is counted.
    import structlog

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_run())
