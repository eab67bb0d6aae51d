"""Timed joins: from the click to the first sound of somebody else."""

import asyncio

from sidetone.all_in_one.demo.cast import Actor
from sidetone.client.call import Call
from sidetone.protocol.ids import ChannelId

FIRST_AUDIO_SECONDS_MAX = 10.0
# A join after a quiet second is committed at once; that is the case to time.
QUIET_SECONDS = 1.1


async def first_audio_ms(call: Call) -> float | None:
    """Wait for the first sound in *call*; None when nothing came within ten seconds."""
    deadline = asyncio.get_running_loop().time() + FIRST_AUDIO_SECONDS_MAX
    while call.steps.first_audio_ms is None:
        if asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(0.01)
    return call.steps.first_audio_ms


async def timed_joins(
    guest: Actor, witness: Call, channel: ChannelId, count: int
) -> list[float | None]:
    """Let *guest* join and leave *count* times; return the click-to-first-audio of each.

    *witness* is a member who stays: the next join waits until the leave has been committed.
    """
    times: list[float | None] = []
    for _ in range(count):
        members = len(witness.participants)
        async with guest.join(channel) as call:
            times.append(await first_audio_ms(call))
        await settled(witness, members)
        await asyncio.sleep(QUIET_SECONDS)
    return times


async def settled(witness: Call, members: int, seconds_max: float = 10.0) -> None:
    """Wait until the group that *witness* sees has exactly *members* members."""
    async with asyncio.timeout(seconds_max):
        while len(witness.participants) != members:
            await asyncio.sleep(0.02)
