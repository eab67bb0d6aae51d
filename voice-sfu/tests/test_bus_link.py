"""What a running unit tells of its rooms on the bus, and what it does when it is told."""

import asyncio

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import MemberPutOut, NodeAlive, RoomChanged
from sidetone.protocol.ids import DeviceId, NodeId, UserId
from sidetone.protocol.voice_control import Error, Move
from sidetone.voice_sfu.app import Unit
from tests.load.sfu_stage import CHANNEL, VoiceDesk, connected


async def until_inside(rooms: asyncio.Queue[RoomChanged], devices: set[DeviceId]) -> None:
    async with asyncio.timeout(10):
        while {member.device for member in (await rooms.get()).members} != devices:
            pass


async def test_it_is_told_again_and_again_who_is_in_a_room(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    rooms: asyncio.Queue[RoomChanged] = asyncio.Queue()
    await bus.subscribe(RoomChanged, rooms.put)
    ann, user = DeviceId(CHANNEL), UserId(CHANNEL)
    async with connected(unit.port) as client:
        await client.join(desk.ticket(unit.node.node, device=ann, user=user))
        for _ in range(3):
            await until_inside(rooms, {ann})
        await bus.publish(MemberPutOut(CHANNEL, user))
        assert (await client.told(Error)).code == "put_out"
        await until_inside(rooms, set())


async def test_a_room_that_another_unit_holds_too_moves_there(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    lower = NodeId(unit.node.node - 1)
    alive = NodeAlive(lower, "127.0.0.1", 1, b"", [], 1, [CHANNEL], draining=False)
    async with connected(unit.port) as client:
        await client.join(desk.ticket(unit.node.node))
        moved = asyncio.create_task(client.told(Move))
        async with asyncio.timeout(10):
            while not moved.done():
                await bus.publish(alive)
                await asyncio.wait([moved], timeout=0.1)
        assert (await moved).reason == "room_elsewhere"
