"""The forwarding unit as a process of its own: ``python -m sidetone.voice_sfu``.

Says on standard output, in one line of JSON, where it listens; everything else is log.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import structlog
from prometheus_client import start_http_server

from sidetone.bus import Bus
from sidetone.bus.local import LocalBus
from sidetone.bus.nats import NatsBus
from sidetone.runtime import logs, metrics, settings
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.start import StartError, raise_priority, run, stop_requests
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.application.ports import Evidence, NoEvidence
from sidetone.voice_sfu.domain.handshakes import HandshakeLimits
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.infrastructure.evidence import FileEvidence
from sidetone.voice_sfu.interface.prometheus import NodeCollector
from sidetone.voice_sfu.settings import Settings

_LOCAL = "local:"
_LOOPBACK = "127.0.0.1"

_log = structlog.get_logger()


async def main(chosen: Settings) -> None:
    """Run until told to stop, or until the parent with its bus is gone; then drain."""
    clock = SystemClock()
    with stop_requests() as stop, _evidence(chosen.evidence) as evidence:
        async with _bus(chosen.bus, stop) as bus:
            identity = _identity(chosen, clock.now_ms())
            async with serving(bus, clock, identity, _options(chosen), evidence) as unit:
                _offer_metrics(unit, chosen.metrics_port)
                _say_where(unit)
                await stop.wait()
                await unit.drain()


def _options(chosen: Settings) -> Options:
    return Options(
        host=chosen.host,
        port=chosen.port,
        announced_host=chosen.announced_host,
        room_members_max=chosen.room_members_max,
        connections_max=chosen.connections_max,
        drain_seconds=chosen.drain_seconds,
        rates=Rates(chosen.packets_per_second, chosen.bits_per_second),
        handshakes=HandshakeLimits(chosen.half_open_max, chosen.half_open_per_prefix_max),
    )


def _identity(chosen: Settings, now_ms: int) -> Identity:
    folder = Path(chosen.tls_folder)
    if chosen.bus.startswith(_LOCAL):
        return Identity.read(folder)
    names = [chosen.announced_host] if chosen.announced_host else []
    return Identity.open(folder, names, now_ms)


@asynccontextmanager
async def _bus(address: str, stop: asyncio.Event) -> AsyncGenerator[Bus]:
    if not address.startswith(_LOCAL):
        nats = await NatsBus.connect(address)
        try:
            yield nats
        finally:
            await nats.close()
        return
    local = await LocalBus.connect(Path(address.removeprefix(_LOCAL)))
    orphaned = asyncio.create_task(_stop_when_lost(local, stop))
    try:
        yield local
    finally:
        orphaned.cancel()
        await local.close()


async def _stop_when_lost(bus: LocalBus, stop: asyncio.Event) -> None:
    await bus.closed.wait()
    _log.warning("parent_gone")
    stop.set()


@contextmanager
def _evidence(path: str) -> Generator[Evidence]:
    if not path:
        yield NoEvidence()
        return
    try:
        evidence = FileEvidence(Path(path))
    except OSError as error:
        raise StartError(
            f"SIDETONE_SFU_EVIDENCE cannot be written: {error}; choose another path"
        ) from None
    try:
        yield evidence
    finally:
        evidence.close()


def _offer_metrics(unit: Unit, port: int) -> None:
    metrics.REGISTRY.register(NodeCollector(unit.node))
    if port:
        try:
            start_http_server(port, _LOOPBACK, metrics.REGISTRY)
        except OSError as error:
            raise StartError(
                f"SIDETONE_SFU_METRICS_PORT {port} cannot be opened: {error}; choose another port"
            ) from None


def _say_where(unit: Unit) -> None:
    line = {"event": "voice_node_listening", "port": unit.port, "node": unit.node.node}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


async def _main() -> None:
    chosen = settings.load(Settings, "SIDETONE_SFU", os.environ)
    logs.configure(chosen.log_form)
    # aioquic reports what peers do wrong, and anybody can do that as often as they like.
    logging.getLogger("quic").setLevel(logging.ERROR)
    await main(chosen)


if __name__ == "__main__":
    raise_priority()
    # The selector loop can watch a plain socket on every operating system.
    run(_main, asyncio.SelectorEventLoop)
