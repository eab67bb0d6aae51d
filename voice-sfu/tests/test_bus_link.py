"""What a running unit tells of its rooms on the bus, and what it does when it is told."""

import asyncio

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import MemberPutOut, RoomChanged
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.voice_control import Error
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
