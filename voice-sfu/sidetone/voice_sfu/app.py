"""Joins rooms, door, bus and QUIC to one forwarding unit; it knows no settings and no vendors."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

import msgspec
import structlog

from sidetone.bus import Bus
from sidetone.protocol.ids import NodeId
from sidetone.runtime.clock import Clock
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.application.bus_link import Address, BusLink
from sidetone.voice_sfu.application.node import Node
from sidetone.voice_sfu.application.ports import Evidence, NoEvidence, Surroundings
from sidetone.voice_sfu.domain.handshakes import HandshakeLimits
from sidetone.voice_sfu.domain.limits import Rates, VideoRates
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.interface.media_path import MediaPath
from sidetone.voice_sfu.interface.quic import QuicLimits, SfuServer

_CERTIFICATE_CHECK_SECONDS = 60.0
_RESTART_SECONDS = 1.0
_NODE_ID_BITS = 63

_log = structlog.get_logger()


def new_node_id() -> NodeId:
    """Return an id that no unit had before: tickets for an earlier one are void."""
    return NodeId(secrets.randbits(_NODE_ID_BITS))


class Options(msgspec.Struct, frozen=True):
    """What may differ between two units.

    An empty *announced_host* is the host that the client reached the voice service by. *port* 0 is
    any free one.
    """

    node: NodeId = msgspec.field(default_factory=new_node_id)
    host: str = "127.0.0.1"
    port: int = 0
    announced_host: str = ""
    room_members_max: int = 200
    connections_max: int = 5_000
    drain_seconds: float = 5.0
    fast_path: bool = True
    rates: Rates = Rates()
    video_rates: VideoRates = VideoRates()
    handshakes: HandshakeLimits = HandshakeLimits()


class Unit:
    """A running forwarding unit."""

    def __init__(
        self, server: SfuServer, link: BusLink, identity: Identity, drain_seconds: float
    ) -> None:
        self.node = server.node
        self.server = server
        self.port = link.address.port
        self.briefed = link.briefed
        self._link = link
        self._identity = identity
        self._drain_seconds = drain_seconds

    async def refresh_certificate(self, now_ms: int) -> None:
        """Rotate the certificate if it is time: new handshakes show it, heartbeats announce it."""
        if self._identity.refresh(now_ms):
            self.server.use_certificate(self._identity.certificate_file, self._identity.key_file)
            host, port = self._link.address.host, self._link.address.port
            self._link.address = _address(host, port, self._identity)
            await self._link.announce()

    async def drain(self) -> None:
        """Send everybody away, let nobody in, and wait a few seconds for them to go."""
        self.node.drain("node_draining")
        await self._link.announce()
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self.node.empty.wait()
        except TimeoutError:
            _log.warning("drain_cut_short", connections=self.node.connections())


@asynccontextmanager
async def serving(
    bus: Bus,
    clock: Clock,
    identity: Identity,
    options: Options,
    evidence: Evidence | None = None,
) -> AsyncGenerator[Unit]:
    """Run a unit until the block ends; whoever is still inside then is disconnected.

    Raises ``StartError`` when the port cannot be had.
    """
    evidence = evidence or NoEvidence()
    evidence.held("tls_key", identity.key_file.read_bytes())
    surroundings = Surroundings(clock, Meter(), evidence, options.rates, options.video_rates)
    node = Node(options.node, surroundings, options.room_members_max)
    server = SfuServer(
        node,
        QuicLimits(options.rates, options.handshakes, options.connections_max),
        _media_path(options, evidence),
    )
    server.use_certificate(identity.certificate_file, identity.key_file)
    port = _listen(server, options)
    link = BusLink(bus, node, _address(options.announced_host, port, identity))
    unit = Unit(server, link, identity, options.drain_seconds)
    loops = (link.keep_briefed, link.keep_alive, lambda: _keep_certificate(unit, clock))
    tasks: list[asyncio.Task[NoReturn]] = []
    try:
        await link.listen()
        tasks += [asyncio.create_task(_forever(loop)) for loop in loops]
        yield unit
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        server.stop()


def _media_path(options: Options, evidence: Evidence) -> MediaPath | None:
    if not options.fast_path:
        return None
    # Compiled kernels take a while to load, which the plain server need not wait for.
    from sidetone.voice_sfu.infrastructure.fastpath.start import start  # noqa: PLC0415

    return start(options.rates, evidence)


def _listen(server: SfuServer, options: Options) -> int:
    try:
        return server.listen(options.host, options.port)
    except OSError as error:
        raise StartError(
            f"UDP port {options.port} of {options.host} cannot be opened: {error}; "
            "stop what uses it, or choose another port"
        ) from None


def _address(host: str, port: int, identity: Identity) -> Address:
    return Address(host, port, identity.spki_sha256, identity.certificate_sha256())


async def _keep_certificate(unit: Unit, clock: Clock) -> NoReturn:
    while True:
        await asyncio.sleep(_CERTIFICATE_CHECK_SECONDS)
        await unit.refresh_certificate(clock.now_ms())


async def _forever(loop: Callable[[], Awaitable[NoReturn]]) -> NoReturn:
    while True:
        try:
            await loop()
        except Exception:
            _log.exception("background_work_failed")
            await asyncio.sleep(_RESTART_SECONDS)
