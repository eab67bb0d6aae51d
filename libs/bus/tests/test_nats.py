import asyncio
from uuid import UUID

import msgspec
import nats
import pytest
import structlog.testing

from sidetone.bus.answers import Reply
from sidetone.bus.nats import NatsBus
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import Invalid, Unavailable, refusal_of
from tests import engines
from tests.cable import cable

CHANNEL, USER = ChannelId(UUID(int=1)), UserId(UUID(int=2))
QUESTION = WhatMayUserDo(user=USER, channel=CHANNEL)

GARBAGE = [
    b"",
    b"\xc1garbage",
    msgspec.msgpack.encode({"type": "other"}),
    b"\x81\xa4type\xa2\xff\xfe",
    b"\x81\xa1x" + b"\x91" * 100_000,
]


def rights(generation: int) -> VoiceRights:
    return VoiceRights(channel=CHANNEL, user=USER, perms=7, generation=generation)


async def answer(question: WhatMayUserDo) -> ChannelRights:
    return ChannelRights(permissions=1, generation=1)


async def test_after_a_cut_the_bus_works_again_and_says_so() -> None:
    back, heard = asyncio.Event(), asyncio.Queue[int]()

    async def reconnected() -> None:
        back.set()

    async def hear(event: VoiceRights) -> None:
        heard.put_nowait(event.generation)

    other = await NatsBus.connect(engines.nats_url())
    async with cable(engines.nats_url()) as (wire, url):
        bus = await NatsBus.connect(url, reconnected)
        await bus.subscribe(VoiceRights, hear)
        await bus.answer(WhatMayUserDo, answer)
        await other.publish(rights(1))
        assert await heard.get() == 1
        await wire.cut()
        await back.wait()
        await bus.publish(rights(2))
        assert await heard.get() == 2
        assert (await other.ask(QUESTION)).permissions == 1
        await bus.close()
    await other.close()


async def test_an_absent_server_is_told_without_the_password() -> None:
    with pytest.raises(Unavailable, match="bus_unreachable") as refused:
        await NatsBus.connect("nats://someone:hunter2@127.0.0.1:1")
    assert "127.0.0.1" in refused.value.detail
    assert "hunter2" not in refused.value.detail


async def test_a_closed_bus_is_unavailable() -> None:
    bus = await NatsBus.connect(engines.nats_url())
    unsubscribe = await bus.subscribe(VoiceRights, lambda _: asyncio.sleep(0))
    await bus.close()
    await unsubscribe()
    with pytest.raises(Unavailable, match="bus_lost"):
        await bus.ask(QUESTION)
    with pytest.raises(Unavailable, match="bus_lost"):
        await bus.publish(rights(1))
    with pytest.raises(Unavailable, match="bus_lost"):
        await bus.answer(WhatMayUserDo, answer)


async def test_answerers_of_one_question_share_the_load() -> None:
    buses = [await NatsBus.connect(engines.nats_url()) for _ in range(2)]
    asked = [0, 0]
    for number, bus in enumerate(buses):

        async def count(question: WhatMayUserDo, number: int = number) -> ChannelRights:
            asked[number] += 1
            return ChannelRights(permissions=1, generation=1)

        await bus.answer(WhatMayUserDo, count)
    for _ in range(60):
        await buses[0].ask(QUESTION)
    assert sum(asked) == 60
    assert min(asked) > 0
    for bus in buses:
        await bus.close()


async def test_what_cannot_be_read_hurts_nobody() -> None:
    heard = asyncio.Queue[int]()

    async def hear(event: VoiceRights) -> None:
        heard.put_nowait(event.generation)

    bus = await NatsBus.connect(engines.nats_url())
    await bus.subscribe(VoiceRights, hear)
    await bus.answer(WhatMayUserDo, answer)
    stranger = await nats.connect(engines.nats_url())
    with structlog.testing.capture_logs() as logs:
        for garbage in GARBAGE:
            await stranger.publish(VoiceRights.subject, garbage)
        replies = [await stranger.request(WhatMayUserDo.subject, garbage) for garbage in GARBAGE]
        await bus.publish(rights(3))
        assert await heard.get() == 3
    for reply in replies:
        problem = msgspec.msgpack.decode(reply.data, type=Reply).problem
        assert problem is not None
        assert isinstance(refusal_of(problem), Invalid)
    assert [entry["event"] for entry in logs] == ["event_malformed"] * len(GARBAGE)
    await stranger.close()
    await bus.close()


async def test_a_question_that_was_taken_is_answered_although_the_bus_is_closed() -> None:
    taken, released = asyncio.Event(), asyncio.Event()

    async def answer_at_last(question: WhatMayUserDo) -> ChannelRights:
        taken.set()
        await released.wait()
        return ChannelRights(permissions=5, generation=1)

    leaving, asker = [await NatsBus.connect(engines.nats_url()) for _ in range(2)]
    await leaving.answer(WhatMayUserDo, answer_at_last)
    asking = asyncio.create_task(asker.ask(QUESTION))
    await taken.wait()
    closing = asyncio.create_task(leaving.close())
    staying = await NatsBus.connect(engines.nats_url())
    await staying.answer(WhatMayUserDo, answer)

    async def is_answered_by_who_stays() -> bool:
        async with asyncio.timeout(1):
            return (await asker.ask(QUESTION)).permissions == 1

    # The one that leaves takes no further question, and the other answers all of them.
    assert [await is_answered_by_who_stays() for _ in range(8)] == [True] * 8
    released.set()
    assert (await asking).permissions == 5
    await closing
    for bus in (asker, staying):
        await bus.close()
