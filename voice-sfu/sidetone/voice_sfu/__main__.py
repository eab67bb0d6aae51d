"""The forwarding unit as a process of its own: ``python -m sidetone.voice_sfu``.

On NATS it keeps a worker on each core, as its children, and lends them its bus; a worker is the
same program on a local bus. Each worker says on standard output, in one line of JSON, where it
listens; everything else is log.
"""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import msgspec
import structlog
from prometheus_client import start_http_server

from sidetone.bus.access import Access
from sidetone.bus.local import LocalBus, LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.refusals import Refusal, Unavailable
from sidetone.runtime import logs, settings
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.start import (
    StartError,
    raise_priority,
    run,
    settle_memory,
    stop_requests,
)
from sidetone.runtime.tls import Identity
from sidetone.telemetry import metrics
from sidetone.voice_sfu.application.ports import Evidence, NoEvidence
from sidetone.voice_sfu.domain.handshakes import HandshakeLimits
from sidetone.voice_sfu.domain.limits import Rates, VideoRates
from sidetone.voice_sfu.infrastructure.evidence import FileEvidence
from sidetone.voice_sfu.infrastructure.worker import (
    STANDBY,
    Listening,
    NotStarted,
    Place,
    Saying,
    StandingBy,
)
from sidetone.voice_sfu.infrastructure.workers import Workers, environment_with, places
from sidetone.voice_sfu.interface.prometheus import NodeCollector
from sidetone.voice_sfu.settings import Settings

if TYPE_CHECKING:
    from sidetone.bus.nats import NatsBus
    from sidetone.voice_sfu.app import Options, Unit

_LOCAL = "local:"
_LOOPBACK = "127.0.0.1"
_CERTIFICATE_CHECK_SECONDS = 60.0
# The voice service forgets a node that it has not heard of for 1.6 s.
_FORGOTTEN_SECONDS = 2.0

_log = structlog.get_logger()


# --- all workers of a machine ---


async def supervise(chosen: Settings) -> None:
    """Keep workers on this machine until told to stop; then let them drain, side by side."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        stop = stack.enter_context(stop_requests())
        access = Access(chosen.bus_credentials, chosen.bus_ca)
        bus = await _bus_at_last(chosen.bus, access, stop)
        if bus is None:
            return
        stack.push_async_callback(bus.close)
        names = [chosen.announced_host] if chosen.announced_host else []
        identity = Identity.open(Path(chosen.tls_folder), names, clock.now_ms())
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-voice-"))
        socket = Path(folder) / "bus.sock"
        bridge = await LocalBusServer.open(bus, socket)
        stack.push_async_callback(bridge.close)
        rotating = asyncio.create_task(_keep_fresh(identity, clock))
        stack.callback(rotating.cancel)
        workers = Workers(
            bus,
            environment_with(os.environ, bus=f"{_LOCAL}{socket}"),
            places(chosen.count(), chosen.port, chosen.metrics_port),
        )
        await workers.start()
        stack.push_async_callback(workers.stop)
        for listening in workers.listening:
            _say(listening)
        await stop.wait()


async def _bus_at_last(url: str, access: Access, stop: asyncio.Event) -> "NatsBus | None":
    """Return the bus as soon as it is there, or None once we are told to stop."""
    from sidetone.bus.nats import NatsBus  # noqa: PLC0415 - workers do without it

    while not stop.is_set():
        try:
            return await NatsBus.connect(url, access=access)
        except Unavailable as unavailable:
            _log.warning("waiting", reason=unavailable.detail)
    return None


async def _keep_fresh(identity: Identity, clock: SystemClock) -> NoReturn:
    while True:
        await asyncio.sleep(_CERTIFICATE_CHECK_SECONDS)
        try:
            if identity.refresh(clock.now_ms()):
                _log.info("certificate_rotated")
        except Exception:
            # The old certificate is good for days; a full disk may be cured by then.
            _log.exception("certificate_not_rotated")


# --- one worker ---


async def stand_by(chosen: Settings) -> None:
    """Wait until we are told our place, then work there; end with who would tell us."""
    await _rehearse(chosen)
    _say(StandingBy())
    # It blocks the loop, in which nothing runs yet, and SIGTERM ends it.
    line = sys.stdin.readline()
    if not line:
        return
    place = msgspec.json.decode(line, type=Place)
    await work(msgspec.structs.replace(chosen, port=place.port, metrics_port=place.metrics_port))


async def _rehearse(chosen: Settings) -> None:
    """Work for a moment where nobody comes: whatever takes time the first time takes it now."""
    from sidetone.voice_sfu import app  # noqa: PLC0415 - a supervisor does without it

    # What is worth a word is said when it counts.
    logs.configure(chosen.log_form, "error")
    options = msgspec.structs.replace(_options(chosen), host=_LOOPBACK, port=0)
    identity = Identity.read(Path(chosen.tls_folder))
    bus = MemoryBus()
    async with app.serving(bus, SystemClock(), identity, options):
        pass
    await bus.close()


async def work(chosen: Settings) -> None:
    """Forward until told to stop, or until the parent with its bus is gone; then drain."""
    from sidetone.voice_sfu import app  # noqa: PLC0415 - as above

    options = _options(chosen)
    logs.configure(chosen.log_form, tags={"node": options.node})
    with stop_requests() as stop, _evidence(chosen.evidence) as evidence:
        async with _parents_bus(chosen.bus, stop) as bus:
            identity = Identity.read(Path(chosen.tls_folder))
            async with app.serving(bus, SystemClock(), identity, options, evidence) as unit:
                _offer_metrics(unit, chosen.metrics_host, chosen.metrics_port)
                settle_memory()
                _say(Listening(unit.port, unit.node.node))
                await stop.wait()
                await unit.drain()


def _options(chosen: Settings) -> "Options":
    from sidetone.voice_sfu import app  # noqa: PLC0415 - as above

    return app.Options(
        host=chosen.host,
        port=chosen.port,
        announced_host=chosen.announced_host,
        room_members_max=chosen.room_members_max,
        connections_max=chosen.connections_max,
        drain_seconds=chosen.drain_seconds,
        fast_path=chosen.fastpath == "on",
        rates=Rates(chosen.packets_per_second, chosen.bits_per_second),
        video_rates=VideoRates(chosen.video_frames_per_second, chosen.video_bits_per_second),
        handshakes=HandshakeLimits(chosen.half_open_max, chosen.half_open_per_prefix_max),
    )


@asynccontextmanager
async def _parents_bus(address: str, stop: asyncio.Event) -> AsyncGenerator[LocalBus]:
    bus = await LocalBus.connect(Path(address.removeprefix(_LOCAL)))
    orphaned = asyncio.create_task(_stop_when_lost(bus, stop))
    try:
        yield bus
    finally:
        orphaned.cancel()
        await bus.close()


async def _stop_when_lost(bus: LocalBus, stop: asyncio.Event) -> None:
    """Stop once nobody is sent here any more: until then members would come back at once."""
    await bus.closed.wait()
    _log.warning("parent_gone")
    await asyncio.sleep(_FORGOTTEN_SECONDS)
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


def _offer_metrics(unit: "Unit", host: str, port: int) -> None:
    metrics.tell_build("voice_sfu")
    metrics.REGISTRY.register(NodeCollector(unit.node))
    if port:
        try:
            start_http_server(port, host, metrics.REGISTRY)
        except OSError as error:
            raise StartError(
                f"SIDETONE_SFU_METRICS_PORT {port} on {host} cannot be opened: {error}; "
                "choose another port"
            ) from None


# --- the process ---


def _say(line: Saying) -> None:
    # Not through a buffer: it would complain at the end where nobody listens any more.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), msgspec.json.encode(line) + b"\n")


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sidetone.voice_sfu")
    parser.add_argument("--workers", help="voice node processes; default: one per core")
    parser.add_argument(STANDBY, action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    try:
        await _run(_chosen(asked.workers), standby=asked.standby)
    except (StartError, Refusal) as error:
        if not asked.standby:
            raise
        # Our parent says it, once for all.
        _say(NotStarted(error.detail if isinstance(error, Refusal) else str(error)))
        sys.exit(1)


def _chosen(workers: str | None) -> Settings:
    environment = environment_with(os.environ, workers=workers)
    chosen = settings.load(Settings, "SIDETONE_SFU", environment)
    logs.configure(chosen.log_form)
    # aioquic reports what peers do wrong, and anybody can do that as often as they like.
    logging.getLogger("quic").setLevel(logging.ERROR)
    return chosen


async def _run(chosen: Settings, *, standby: bool) -> None:
    if standby:
        await stand_by(chosen)
    elif chosen.bus.startswith(_LOCAL):
        await work(chosen)
    else:
        await supervise(chosen)


if __name__ == "__main__":
    raise_priority()
    # The selector loop can watch a plain socket on every operating system.
    run(_main, asyncio.SelectorEventLoop)
