import asyncio
from uuid import UUID

import pytest

from sidetone.bus.inbox import INBOX_EVENTS_MAX
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import Unavailable

CHANNEL, USER = ChannelId(UUID(int=1)), UserId(UUID(int=2))


def rights(generation: int) -> VoiceRights:
    return VoiceRights(channel=CHANNEL, user=USER, perms=1, generation=generation)


async def test_a_stalled_subscriber_misses_what_its_inbox_cannot_hold() -> None:
    bus = MemoryBus()
    release, heard = asyncio.Event(), list[int]()

    async def stall(event: VoiceRights) -> None:
        await release.wait()
        heard.append(event.generation)
        if event.generation == INBOX_EVENTS_MAX - 1:
            done.set()

    done = asyncio.Event()
    await bus.subscribe(VoiceRights, stall)
    for generation in range(INBOX_EVENTS_MAX + 50):
        await bus.publish(rights(generation))
    release.set()
    await done.wait()
    assert heard == list(range(INBOX_EVENTS_MAX))
    await bus.close()


async def test_closing_ends_handlers_and_answerers() -> None:
    bus = MemoryBus()
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(event: VoiceRights) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def answer(question: WhatMayUserDo) -> ChannelRights:
        return ChannelRights(permissions=1, generation=1)

    await bus.subscribe(VoiceRights, hang)
    await bus.answer(WhatMayUserDo, answer)
    await bus.publish(rights(1))
    await started.wait()
    await bus.close()
    assert ended.is_set()
    with pytest.raises(Unavailable, match="nobody_answers"):
        await bus.ask(WhatMayUserDo(user=USER, channel=CHANNEL))


async def test_a_subscription_survives_a_handler_whose_wait_was_cancelled() -> None:
    bus = MemoryBus()
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def handle(event: VoiceRights) -> None:
        if event.generation == 1:
            inner = asyncio.get_running_loop().create_future()
            inner.cancel()
            await inner
        heard.put_nowait(event.generation)

    await bus.subscribe(VoiceRights, handle)
    await bus.publish(rights(1))
    await bus.publish(rights(2))
    assert await heard.get() == 2
    await bus.close()


async def test_what_was_queued_is_not_heard_after_unsubscribing() -> None:
    bus = MemoryBus()
    release, heard = asyncio.Event(), list[int]()

    async def stall(event: VoiceRights) -> None:
        heard.append(event.generation)
        started.set()
        await release.wait()

    started = asyncio.Event()
    unsubscribe = await bus.subscribe(VoiceRights, stall)
    for generation in range(3):
        await bus.publish(rights(generation))
    await started.wait()
    await unsubscribe()
    release.set()
    for _ in range(10):
        await asyncio.sleep(0)
    assert heard == [0]
    await bus.close()
