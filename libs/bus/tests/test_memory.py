import asyncio
from uuid import UUID

import pytest

from sidetone.bus.following import REPEATS_SECONDS
from sidetone.bus.inbox import INBOX_EVENTS_MAX
from sidetone.bus.memory import FACTS_MAX, MemoryBus, MemoryJournal
from sidetone.protocol.events import Fact, VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import Unavailable
from tests.contracts.listening import Follower, fact

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


async def test_a_full_follower_makes_the_journal_wait_and_changes_no_order() -> None:
    journal, gate = MemoryJournal(), asyncio.Event()
    slow, quick = Follower(), Follower()

    async def wait_at_the_gate(told: Fact) -> None:
        await gate.wait()
        await slow(told)

    await journal.follow(wait_at_the_gate)
    await journal.follow(quick)
    recordings = [
        asyncio.create_task(journal.record([fact(start + number) for number in range(FACTS_MAX)]))
        for start in range(0, 3 * FACTS_MAX, FACTS_MAX)
    ]
    await quick.wait_for_count(FACTS_MAX)
    assert not recordings[-1].done()
    gate.set()
    await asyncio.gather(*recordings)
    heard = await slow.wait_for_count(3 * FACTS_MAX)
    assert heard == await quick.wait_for_count(3 * FACTS_MAX) == list(range(3 * FACTS_MAX))
    await journal.close()


async def test_a_follower_that_ends_lets_a_waiting_journal_go() -> None:
    journal, gate, rest = MemoryJournal(), asyncio.Event(), Follower()

    async def wait_at_the_gate(_: Fact) -> None:
        await gate.wait()

    unsubscribe = await journal.follow(wait_at_the_gate)
    await journal.follow(rest)
    facts = [fact(number) for number in range(2 * FACTS_MAX)]
    recording = asyncio.create_task(journal.record(facts))
    await rest.wait_for_count(FACTS_MAX)
    assert not recording.done()
    await unsubscribe()
    async with asyncio.timeout(10):
        await recording
        await rest.wait_for_count(2 * FACTS_MAX)
    await journal.close()


async def test_a_repeat_is_a_repeat_for_two_minutes() -> None:
    now = [1_000.0]
    journal, follower = MemoryJournal(lambda: now[0]), Follower()
    await journal.follow(follower)
    old = fact(1)
    await journal.record([old])
    now[0] += REPEATS_SECONDS - 1
    await journal.record([old])
    now[0] += 2
    await journal.record([old, fact(2)])
    assert await follower.wait_for(2) == [1, 1, 2]
    await journal.close()


async def test_closing_the_journal_ends_a_handler_that_hangs() -> None:
    journal, ended, begun = MemoryJournal(), asyncio.Event(), asyncio.Event()

    async def hang(_: Fact) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    await journal.follow(hang)
    await journal.record([fact(1)])
    await begun.wait()
    await journal.close()
    assert ended.is_set()
