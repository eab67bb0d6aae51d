"""A request's id goes wherever what it set off goes, and into the logs there."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest
import structlog

from sidetone.bus import Bus
from sidetone.protocol.events import Fact, NodeLost, Origin
from sidetone.protocol.ids import NodeId, UserId
from sidetone.protocol.questions import ServersOf
from tests.contracts.listening import SERVER, fact
from tests.surroundings import open_buses, open_journals

REQUEST = "a-request-of-its-own"


class Memory:
    """Remembers which request the log would name."""

    def __init__(self) -> None:
        self._seen: asyncio.Queue[object] = asyncio.Queue()

    async def hear(self, _: object) -> None:
        await self._seen.put(structlog.contextvars.get_contextvars().get("request"))

    async def next(self) -> object:
        async with asyncio.timeout(30):
            return await self._seen.get()


@pytest.fixture(params=["memory", "local", "nats"])
async def ends(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Bus, Bus]]:
    async with open_buses(request.param) as both:
        yield both


async def test_an_event_carries_the_request(ends: tuple[Bus, Bus]) -> None:
    here, there = ends
    memory = Memory()
    await there.subscribe(NodeLost, memory.hear)
    with structlog.contextvars.bound_contextvars(request=REQUEST):
        await here.publish(NodeLost(NodeId(1)))
    await here.publish(NodeLost(NodeId(2)))
    assert [await memory.next(), await memory.next()] == [REQUEST, None]


async def test_a_question_carries_the_request(ends: tuple[Bus, Bus]) -> None:
    here, there = ends
    memory = Memory()

    async def answer(question: ServersOf) -> list[object]:
        await memory.hear(question)
        return []

    await there.answer(ServersOf, answer)
    with structlog.contextvars.bound_contextvars(request=REQUEST):
        await here.ask(ServersOf(UserId(SERVER)))
    await here.ask(ServersOf(UserId(SERVER)))
    assert [await memory.next(), await memory.next()] == [REQUEST, None]


@pytest.mark.parametrize("kind", ["memory", "nats"])
async def test_a_fact_carries_the_request(kind: str) -> None:
    async with open_journals(kind) as (here, there):  # pyright: ignore[reportArgumentType]
        memory = Memory()
        await there.follow(memory.hear)
        await here.record([msgspec.structs.replace(fact(1), origin=Origin(REQUEST)), fact(2)])
        assert [await memory.next(), await memory.next()] == [REQUEST, None]


def test_a_fact_of_an_earlier_version_has_no_origin() -> None:
    packet = msgspec.msgpack.encode(fact(1))
    assert b"origin" not in packet
    assert msgspec.msgpack.decode(packet, type=Fact).origin == Origin()
