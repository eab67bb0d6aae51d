"""What chat's key may do on the real engine, and what it may not."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest
from typesense.exceptions import RequestUnauthorized
from uuid_utils.compat import uuid7

from sidetone.chat.infrastructure.search_index import Entry
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Unavailable
from tests import engines

QUESTION = {"q": "*", "query_by": "words"}
CHANNEL = ChannelId(uuid7())
ENTRY = Entry(
    Message(MessageId(uuid7()), ServerId(uuid7()), CHANNEL, UserId(uuid7()), "hello"), CHANNEL
)

Open: TypeAlias = Callable[..., Typesense]


@pytest.fixture
async def open_engine() -> AsyncGenerator[Open]:
    """Give what opens the engine with a key; each test has collections and keys of its own."""
    alias = f"messages_{uuid7().hex}"
    async with AsyncExitStack() as stack:

        def open_engine(key: str = engines.TYPESENSE_API_KEY, alias: str = alias) -> Typesense:
            engine = Typesense.connect(engines.typesense_url(), key, alias)
            stack.push_async_callback(engine.close)
            return engine

        yield open_engine


async def filled(engine: Typesense) -> str:
    collection = await engine.create()
    await engine.use(collection)
    await engine.write(collection, [ENTRY], [])
    return collection


async def test_a_search_key_finds_messages(open_engine: Open) -> None:
    await filled(open_engine())
    key = uuid7().hex
    with pytest.raises(Unavailable):
        await open_engine(key).ask(QUESTION)
    for _ in range(2):
        await open_engine().admit(key)
        (found,) = await open_engine(key).ask(QUESTION)
        assert found["id"] == ENTRY.message.id.hex


WRITES: dict[str, Callable[[Typesense, str], Awaitable[object]]] = {
    "put": lambda engine, collection: engine.write(collection, [ENTRY], []),
    "remove": lambda engine, collection: engine.write(collection, [], [ENTRY.message.id]),
    "create": lambda engine, _: engine.create(),
    "use": lambda engine, collection: engine.use(collection),
    "drop": lambda engine, collection: engine.drop_others(collection),
    "list": lambda engine, _: engine.current(),
    "admit": lambda engine, _: engine.admit(uuid7().hex),
}


@pytest.mark.parametrize("write", WRITES)
async def test_a_search_key_can_do_nothing_else(open_engine: Open, write: str) -> None:
    collection, key = await filled(open_engine()), uuid7().hex
    await open_engine().admit(key)
    with pytest.raises(RequestUnauthorized):
        await WRITES[write](open_engine(key), collection)
    assert len(await open_engine(key).ask(QUESTION)) == 1
    assert await open_engine().current() == collection


async def test_a_search_key_finds_nothing_in_other_collections(open_engine: Open) -> None:
    other, key = f"other_{uuid7().hex}", uuid7().hex
    await filled(open_engine(alias=other))
    await open_engine().admit(key)
    with pytest.raises(Unavailable):
        await open_engine(key, other).ask(QUESTION)


async def test_the_next_search_key_ends_the_one_before_and_no_other(open_engine: Open) -> None:
    first, second, elsewhere = (uuid7().hex for _ in range(3))
    other = f"other_{uuid7().hex}"
    for alias, key in ((None, first), (other, elsewhere), (None, second)):
        engine = open_engine() if alias is None else open_engine(alias=alias)
        await filled(engine)
        await engine.admit(key)
    with pytest.raises(Unavailable):
        await open_engine(first).ask(QUESTION)
    assert await open_engine(second).ask(QUESTION)
    assert await open_engine(elsewhere, other).ask(QUESTION)


async def test_the_engines_own_key_stays_what_it_is(open_engine: Open) -> None:
    """As where chat still has the key of the indexer."""
    await open_engine().admit(engines.TYPESENSE_API_KEY)
    await filled(open_engine())
