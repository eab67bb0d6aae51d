"""What messages cost: sending and reading history, use cases and engines without HTTP.

Run it with ``python -m tests.load.bench_messages embedded``, ``distributed`` or ``cql``, and the
number of messages in the channel whose history is read, if not a million. PostgreSQL writes with
fsync; Cassandra is one node, which by its default tells the disk every ten seconds.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from random import Random
from statistics import median, quantiles
from uuid import UUID

import uvloop
from uuid_utils.compat import uuid7

from sidetone.chat.app import Ground, Writing
from sidetone.chat.application.messages import NewMessage
from sidetone.chat.application.read_history import ReadHistory
from sidetone.chat.application.send_message import SendMessage
from sidetone.chat.domain.reading import id_at
from sidetone.chat.domain.server import community
from sidetone.chat.infrastructure.cql_migrations import migrate_cql
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.cql_shelf import CqlShelf
from sidetone.chat.infrastructure.message_copies import Copied
from sidetone.chat.infrastructure.message_rows import INSERT_ANYWAY, Held, values_of
from sidetone.chat.infrastructure.own_search import own_search
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.chat.infrastructure.store_patience import StorePatience
from sidetone.protocol import messages
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import Server
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Database
from sidetone.storage.migrations import migrate
from tests.cassandra_engine import start_cassandra
from tests.cql import cql_url, open_cql
from tests.load.bench_sends import opened

PACED_PER_S, PACED_S = 200, 10
FLOOD, FLOOD_AT_ONCE = 20_000, 200
PAGES = 2_000
LINE = "a line of the usual length, with a few words more than one would think"


class Tavern:
    """One server with its owner, who writes and reads."""

    def __init__(self, ground: Ground, writing: Writing) -> None:
        around = ground.around
        self.ground, self.writing = ground, writing
        self.user = UserId(uuid7())
        self.server, self.channel = ServerId(uuid7()), ChannelId(uuid7())
        pace = Limiter(around.store, "messages", Limit(10**9, 1_000), open_when_down=True)
        self.send = SendMessage(
            ground.enter_channel,
            writing.messages,
            writing.media,
            ground.contacts,
            pace,
            StorePatience(around.store),
            around.clock,
            writing.previews.look_at,
        )
        self.history = ReadHistory(ground.enter_channel, writing.messages)

    async def found(self) -> None:
        """Create the server."""
        server = Server(self.server, "tavern", self.user)
        state = community(server, self.channel, ChannelId(uuid7()), 1)
        await self.ground.changes.create(state)

    def _line(self, id_: MessageId) -> Copied:
        message = Message(id_, self.server, self.channel, self.user, LINE)
        return Copied(Held(Entry(message, self.channel), [], None), [])

    async def fill(self, count: int, cql: CqlSession | None) -> list[MessageId]:
        """Put *count* messages into the channel's history, a minute between each."""
        start_ms = self.ground.around.clock.now_ms() - 60_000 * count
        ids = [
            MessageId(UUID(int=id_at(start_ms + 60_000 * number).int | number))
            for number in range(count)
        ]
        if cql is not None:
            shelf = CqlShelf(self.ground.around.database, cql)
            for first in range(0, count, 1_000):
                await shelf.put(self.channel, [self._line(id_) for id_ in ids[first:][:1_000]])
            return ids
        for first in range(0, count, 10_000):
            rows = [
                values_of(
                    NewMessage(
                        Message(id_, self.server, self.channel, self.user, LINE), self.channel
                    )
                )
                for id_ in ids[first : first + 10_000]
            ]
            await self.ground.around.database.execute_many(INSERT_ANYWAY, rows)
        return ids


async def timed(work: Awaitable[object], into: list[float]) -> None:
    began = time.perf_counter()
    await work
    into.append((time.perf_counter() - began) * 1_000)


async def paced(one: Callable[[], Awaitable[object]]) -> list[float]:
    """Do *one* at a steady rate, whether the last is done or not."""
    took_ms: list[float] = []
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(PACED_PER_S * PACED_S):
            await asyncio.sleep(began + number / PACED_PER_S - time.perf_counter())
            group.create_task(timed(one(), took_ms))
    return took_ms


async def flooded(one: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return how many are done per second, and the CPU time of each in microseconds."""
    cpu, began = time.process_time(), time.perf_counter()

    async def lane() -> None:
        for _ in range(FLOOD // FLOOD_AT_ONCE):
            await one()

    await asyncio.gather(*(lane() for _ in range(FLOOD_AT_ONCE)))
    seconds = time.perf_counter() - began
    return FLOOD / seconds, (time.process_time() - cpu) / FLOOD * 1e6


def told(what: str, took_ms: list[float]) -> None:
    cuts = quantiles(took_ms, n=100)
    print(f"{what}: p50 {median(took_ms):.2f} ms, p99 {cuts[98]:.2f} ms", flush=True)


@asynccontextmanager
async def opened_cql(topology: str, database: Database) -> AsyncGenerator[CqlSession | None]:
    """Open a Cassandra of the bench's own, if that is what is measured."""
    if topology != "cql":
        yield None
        return
    with start_cassandra() as engine:
        async with open_cql(cql_url(engine.url)) as session:
            await migrate_cql(session, database)
            yield session


async def main(topology: str, history: int) -> None:
    async with (
        opened("distributed" if topology == "cql" else topology) as around,
        opened_cql(topology, around.database) as cql,
    ):
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        ground = Ground(around, await Outbox.open(around, "chat"))
        writing = Writing(ground, await own_search(around.database), cql)
        await writing.index.begin(around.tasks)
        tavern = Tavern(ground, writing)
        await tavern.found()
        wish = messages.SendMessage(LINE)

        async def one() -> None:
            await tavern.send(tavern.user, tavern.channel, wish)

        told(f"send at {PACED_PER_S}/s", await paced(one))
        per_s, cpu_us = await flooded(one)
        print(f"send at most load: {per_s:.0f}/s, {cpu_us:.0f} us of CPU each")
        ids = await tavern.fill(history, cql)
        random = Random(1)
        took_ms: list[float] = []
        for _ in range(PAGES):
            marks = (random.choice(ids), None, None)
            await timed(tavern.history.page(tavern.user, tavern.channel, marks, 50), took_ms)
        told(f"history of 50 out of {history + FLOOD + PACED_PER_S * PACED_S}", took_ms)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000))
