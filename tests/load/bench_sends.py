"""How fast messages are kept: a batch of rows and facts per transaction, with the relay beside.

Run it with ``python -m tests.load.bench_sends embedded`` or ``distributed``. PostgreSQL writes
with fsync here. Figures are those of the database and the outbox alone, without HTTP.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from uuid import UUID

import uvloop

from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Fact, InChannel, MessageSent
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.batches import Batcher
from sidetone.storage.memory import MemoryKeyValue
from tests import engines
from tests.surroundings import open_database_at, open_nats_journal

SCHEMA = """
CREATE TABLE lines (
    id UUID PRIMARY KEY, channel UUID NOT NULL, author UUID NOT NULL, content TEXT NOT NULL
);
CREATE INDEX lines_by_channel ON lines (channel, id);
"""
INSERT = "INSERT INTO lines VALUES (:id, :channel, :author, :content)"
SERVER, CHANNEL, AUTHOR = ServerId(UUID(int=1)), ChannelId(UUID(int=2)), UserId(UUID(int=3))


@asynccontextmanager
async def opened(topology: str) -> AsyncGenerator[Surroundings]:
    """Open surroundings on a disk that keeps what it is told to keep."""
    async with AsyncExitStack() as stack:
        if topology == "embedded":
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-"))
            database = await stack.enter_async_context(open_database_at(Path(folder) / "db"))
            journal = MemoryJournal()
            stack.push_async_callback(journal.close)
        else:
            postgres = stack.enter_context(engines.start_postgres(durable=True))
            database = await stack.enter_async_context(open_database_at(postgres.url))
            nats = stack.enter_context(engines.start_nats())
            journal = await stack.enter_async_context(open_nats_journal(nats.url))
        tasks, bus = Tasks(), MemoryBus()
        stack.push_async_callback(bus.close)
        stack.push_async_callback(tasks.close)
        store = MemoryKeyValue()
        yield Surroundings(database, store, bus, journal, SystemClock(), tasks)


class Sends:
    """Keeps messages in batches, and notes how long each took to be kept and to be told."""

    def __init__(self, around: Surroundings, outbox: Outbox) -> None:
        self._clock, self._outbox = around.clock, outbox
        self.batcher = Batcher[Message](self._write)
        self.kept_ms: list[float] = []
        self.told_ms: list[float] = []
        self._sent: dict[MessageId, float] = {}

    async def _write(self, messages: Sequence[Message]) -> None:
        async with self._outbox.transaction() as rows:
            await rows.execute_many(
                INSERT,
                [
                    {"id": m.id, "channel": m.channel, "author": m.author, "content": m.text}
                    for m in messages
                ],
            )
            for message in messages:
                rows.announce(InChannel(SERVER, CHANNEL), MessageSent(message))

    async def send(self) -> None:
        """Send one message."""
        id_ = MessageId(self._clock.new_id())
        self._sent[id_] = before = time.perf_counter()
        await self.batcher.add(Message(id_, SERVER, CHANNEL, AUTHOR, "x" * 100))
        self.kept_ms.append((time.perf_counter() - before) * 1_000)

    async def hear(self, fact: Fact) -> None:
        """Note when a message was told."""
        if isinstance(fact.event, MessageSent):
            before = self._sent.pop(fact.event.message.id)
            self.told_ms.append((time.perf_counter() - before) * 1_000)


def shown(name: str, figures_ms: Sequence[float]) -> str:
    """Return the median and the 99th percentile."""
    return f"{name} p50 {median(figures_ms):.2f} p99 {quantiles(figures_ms, n=100)[98]:.2f} ms"


async def at_rate(sends: Sends, per_second: int, seconds: float) -> None:
    """Send evenly, whether or not earlier ones are kept."""
    start, tasks = time.perf_counter(), set[asyncio.Task[None]]()
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, start + number / per_second - time.perf_counter()))
        tasks.add(asyncio.create_task(sends.send()))
    await asyncio.gather(*tasks)


async def flat_out(sends: Sends, at_once: int, seconds: float) -> float:
    """Send from *at_once* senders that wait for each message; return messages per second."""
    end, count = time.perf_counter() + seconds, 0

    async def sender() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await sends.send()
            count += 1

    await asyncio.gather(*(sender() for _ in range(at_once)))
    return count / seconds


async def main(topology: str) -> None:
    """Measure and print."""
    async with opened(topology) as around:
        await around.database.run_script(SCHEMA)
        sends = Sends(around, await Outbox.open(around, "chat"))
        await around.journal.follow(sends.hear)
        await at_rate(sends, 200, 1)
        for per_second in (200, 1_000):
            sends.kept_ms, sends.told_ms = [], []
            await at_rate(sends, per_second, 5)
            await asyncio.sleep(0.5)
            kept, told = shown("kept", sends.kept_ms), shown("told", sends.told_ms)
            print(f"{topology} {per_second}/s: {kept}, {told}")
        for at_once in (64, 256):
            sends.kept_ms = []
            most = await flat_out(sends, at_once, 5)
            print(f"{topology} {at_once} at once: {most:,.0f}/s, {shown('kept', sends.kept_ms)}")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1] if len(sys.argv) > 1 else "embedded"))
