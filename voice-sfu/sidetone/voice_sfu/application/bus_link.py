"""What a forwarding unit says and hears on the bus."""

import asyncio
import time
from typing import NoReturn

import msgspec
import structlog

from sidetone.bus import Bus
from sidetone.protocol.events import MemberPutOut, NodeAlive, RoomChanged, VoiceRights
from sidetone.protocol.questions import BriefNode
from sidetone.protocol.refusals import Refusal
from sidetone.voice_sfu.application.node import Node
from sidetone.voice_sfu.domain.load import Load

HEARTBEAT_SECONDS = 0.5
# How often it is told who is in each room, whether or not something changed.
ROOMS_TOLD_EVERY_SECONDS = 1.0
BRIEFING_EVERY_SECONDS = 5.0
_RETRY_SECONDS = 1.0
# Rooms that come and go at once are told in one heartbeat.
_HEARTBEAT_GAP_SECONDS = 0.05

_log = structlog.get_logger()


class Address(msgspec.Struct, frozen=True):
    """Where clients reach this unit, and how they know it."""

    host: str
    port: int
    spki_sha256: bytes
    certificate_sha256: list[bytes]


class BusLink:
    """Keeps the node briefed and the voice service informed.

    The bus delivers at most once and does not say when it was away, so the node is briefed every
    few seconds: a change of rights that got lost is made good then, and while nobody answers the
    door closes by itself.
    """

    def __init__(self, bus: Bus, node: Node, address: Address) -> None:
        self.address = address
        self.briefed = asyncio.Event()
        self._bus = bus
        self._node = node
        self._load = Load()
        self._rooms_told_at = -ROOMS_TOLD_EVERY_SECONDS

    async def listen(self) -> None:
        """Hear of changed rights and of other units; to be awaited before the first briefing."""
        await self._bus.subscribe(VoiceRights, self._rights_changed)
        await self._bus.subscribe(MemberPutOut, self._put_out)
        await self._bus.subscribe(NodeAlive, self._unit_heard)

    async def keep_briefed(self) -> NoReturn:
        """Ask for a briefing now and every few seconds."""
        while True:
            wait_seconds = await self._brief()
            await asyncio.sleep(wait_seconds)

    async def keep_alive(self) -> NoReturn:
        """Announce this unit and who is in its rooms: now, again and again, and at each change."""
        while True:
            self._node.rooms_changed.clear()
            self._node.handle_timer()
            await self.announce()
            await self._tell_rooms()
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await self._node.rooms_changed.wait()
                await asyncio.sleep(_HEARTBEAT_GAP_SECONDS)
            except TimeoutError:
                pass

    async def announce(self) -> None:
        """Announce this unit as it is at this moment."""
        self._load.note(time.process_time(), asyncio.get_running_loop().time())
        alive = NodeAlive(
            node=self._node.node,
            host=self.address.host,
            port=self.address.port,
            spki_sha256=self.address.spki_sha256,
            certificate_sha256=self.address.certificate_sha256,
            connections=self._node.connections(),
            rooms=self._node.rooms(),
            draining=self._node.draining,
            cpu_percent=self._load.percent,
        )
        await self._publish(alive)

    async def _tell_rooms(self) -> None:
        now = asyncio.get_running_loop().time()
        everything = now - self._rooms_told_at >= ROOMS_TOLD_EVERY_SECONDS
        if everything:
            self._rooms_told_at = now
        for room in self._node.told(only_changed=not everything):
            await self._publish(room)

    async def _publish(self, event: NodeAlive | RoomChanged) -> None:
        try:
            await self._bus.publish(event)
        except Refusal as refusal:
            _log.warning("heartbeat_lost", code=refusal.code, detail=refusal.detail)

    async def _brief(self) -> float:
        try:
            briefing = await self._bus.ask(BriefNode(self._node.node))
        except Refusal as refusal:
            _log.warning("briefing_failed", code=refusal.code, detail=refusal.detail)
            return _RETRY_SECONDS
        self._node.brief(briefing)
        self.briefed.set()
        return BRIEFING_EVERY_SECONDS

    async def _put_out(self, event: MemberPutOut) -> None:
        self._node.put_out(event)

    async def _unit_heard(self, alive: NodeAlive) -> None:
        self._node.hear_unit(alive)

    async def _rights_changed(self, rights: VoiceRights) -> None:
        self._node.change_rights(rights)
