"""The index of a cluster: caught up after a pause, built anew under traffic, soon right."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.resources import files

import pytest
from uuid_utils.compat import uuid7

from sidetone.bus.tasks import Tasks
from sidetone.chat.domain.search_query import SearchQuery
from sidetone.chat.infrastructure.search_indexer import AT_ONCE, ask_rebuild, rebuild_under_way
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.protocol.ids import MessageId
from sidetone.runtime.outbox import Outbox
from sidetone.storage.migrations import migrate
from tests.contracts.test_search import (
    HERE,
    SERVER,
    Shelf,
    add_server,
    indexer,
    search_key_of,
    typesense,
)
from tests.surroundings import Topology, open_surroundings


class Index(Shelf):
    """A shelf whose indexers the test starts and kills."""

    alias = ""

    async def settle(self) -> None:
        """Let nobody wait for an indexer that may not run."""

    async def settled(self) -> None:
        await super().settle()

    def start(self) -> Tasks:
        tasks = Tasks()
        tasks.start(indexer(self.around, self.alias).work())
        return tasks

    async def found(self, word: str) -> list[MessageId]:
        """Return all that are found, which may be many."""
        found: list[MessageId] = []
        cursor = None
        while True:
            query = SearchQuery(SERVER, [HERE], [word])
            hits, cursor = await self.index.find(query, cursor, 100)
            found += [message for _, message in hits]
            if cursor is None:
                return found


@asynccontextmanager
async def open_index(topology: Topology) -> AsyncGenerator[Index]:
    async with open_surroundings(topology) as around:
        outbox = await Outbox.open(around, "chat")
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        await add_server(around)
        alias = f"messages_{uuid7().hex}"
        search = TypesenseSearch(typesense(alias, search_key_of(alias)))
        await search.begin(around.tasks)
        index = Index(around, outbox, search)
        index.alias = alias
        yield index


@pytest.fixture(params=["embedded", "distributed"])
async def index(request: pytest.FixtureRequest) -> AsyncGenerator[Index]:
    async with open_index(request.param) as index:
        yield index


async def test_what_happened_while_no_indexer_ran_is_found_once(index: Index) -> None:
    first = index.start()
    before = await index.put("early bird")
    await index.settled()
    await first.close()
    gone = await index.put("early and gone")
    late = await index.put("early too")
    await index.change(before, text="not any more")
    await index.remove(gone)
    assert await index.found("early") == [before]
    again = index.start()
    await index.settled()
    assert await index.found("early") == [late]
    await again.close()


async def test_two_indexers_tell_everything_once(index: Index) -> None:
    one, other = index.start(), index.start()
    written = [await index.put(f"word {number}") for number in range(30)]
    await index.settled()
    assert await index.found("word") == written[::-1]
    for tasks in (one, other):
        await tasks.close()


async def test_searches_and_writes_go_on_while_the_index_is_built_anew(index: Index) -> None:
    tasks = index.start()
    written = [await index.put(f"word {number}") for number in range(AT_ONCE + 30)]
    doomed, edited = written[:5], written[5:10]
    await index.settled()
    engine = typesense(index.alias)
    before = await engine.current()
    done = asyncio.Event()

    async def search() -> int:
        answers = 0
        while not done.is_set():
            # All that was there before the rebuild and stays is found at every moment.
            assert set(written[10:]) <= set(await index.found("word"))
            answers += 1
        return answers

    searching = asyncio.create_task(search())
    async with index.outbox.transaction() as rows:
        assert await ask_rebuild(rows)
        assert not await ask_rebuild(rows)
    added: list[MessageId] = []
    while await rebuild_under_way(index.around.database) is not None:
        added.append(await index.put("word said meanwhile"))
        if doomed:
            await index.remove(doomed.pop())
        if edited:
            await index.change(edited.pop(), text="other things")
    await index.remove(*doomed)
    for message in edited:
        await index.change(message, text="other things")
    await index.settled()
    done.set()
    assert await searching > 0
    assert await index.found("word") == [*added[::-1], *written[:9:-1]]
    assert sorted(await index.found("things")) == sorted(written[5:10])
    after = await engine.current()
    assert after not in {None, before}
    assert before is not None
    assert not await engine.has(before)
    await engine.close()
    await tasks.close()


async def test_a_rebuild_that_was_broken_off_goes_on(index: Index) -> None:
    tasks = index.start()
    written = [await index.put("word") for _ in range(10)]
    await index.settled()
    await tasks.close()
    async with index.outbox.transaction() as rows:
        await ask_rebuild(rows)
    assert await index.found("word") == written[::-1]
    again = index.start()
    await index.settled()
    assert await index.found("word") == written[::-1]
    await again.close()


async def test_an_engine_that_lost_everything_is_filled_again(index: Index) -> None:
    tasks = index.start()
    written = [await index.put("word") for _ in range(10)]
    await index.settled()
    engine = typesense(index.alias)
    # With all it knew who may search.
    await engine.admit(uuid7().hex)
    await engine.drop_others("")
    written.append(await index.put("word"))
    await index.settled()
    assert await index.found("word") == written[::-1]
    await engine.close()
    await tasks.close()
