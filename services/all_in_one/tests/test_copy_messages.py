"""``sidetone admin copy-messages`` on real stores: there, back, and after a kill in between."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from uuid import UUID

import msgspec
import pytest
from uuid_utils.compat import uuid7

from sidetone.chat.domain.reading import id_at
from sidetone.chat.infrastructure.cql_migrations import migrate_cql
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.cql_shelf import CqlShelf
from sidetone.chat.infrastructure.message_copies import Copied, Copy, sum_of
from sidetone.chat.infrastructure.message_rows import Held, Kind
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.chat.infrastructure.sql_shelf import SqlShelf
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FileId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.storage import Database, StorageError
from sidetone.storage.migrations import migrate
from tests.cql import cql_url, open_cql
from tests.surroundings import fresh_postgres, open_database_at

SIDETONE = [sys.executable, "-m", "sidetone.all_in_one", "admin", "copy-messages"]
START_MS = 1_500 << 30

pytestmark = pytest.mark.cql
ALICE, BOB = UserId(uuid7()), UserId(uuid7())


@dataclass
class Stores:
    """An empty database, a connection to CQL, and both as shelves."""

    url: str
    database: Database
    session: CqlSession

    def __post_init__(self) -> None:
        self.sql = SqlShelf(self.database)
        self.cql = CqlShelf(self.database, self.session)
        self.server = ServerId(uuid7())

    async def new_channel(self) -> ChannelId:
        channel = ChannelId(uuid7())
        await self.database.execute(
            """
            INSERT INTO channels (id, server, name, kind, position, topic, slow_mode_seconds,
                archived)
            VALUES (:id, :server, 'hall', 'text', 0, '', 0, :no)
            """,
            {"id": channel, "server": self.server, "no": False},
        )
        return channel

    def command(self, source: str, target: str) -> list[str]:
        places = ["--database", self.url, "--messages", cql_url()]
        return [*SIDETONE, "--from", source, "--to", target, *places]

    async def run(self, source: str, target: str) -> str:
        """Run the command and return what it said."""
        ran = await asyncio.to_thread(
            subprocess.run,
            self.command(source, target),
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@asynccontextmanager
async def open_stores() -> AsyncGenerator[Stores]:
    async with open_cql() as session:
        with fresh_postgres() as url:
            async with open_database_at(url) as database:
                await migrate(database, "chat", files("sidetone.chat") / "migrations")
                await migrate_cql(session, database)
                stores = Stores(url, database, session)
                await database.execute(
                    """
                    INSERT INTO servers (id, kind, name, owner, description, generation,
                        audit_number, audit_hash, created_at_ms)
                    VALUES (:id, 'community', 'Home', :id, '', 1, 0, :none, 0)
                    """,
                    {"id": stores.server, "none": b""},
                )
                yield stores


@pytest.fixture
async def stores() -> AsyncGenerator[Stores]:
    async with open_stores() as stores:
        yield stores


def copied(stores: Stores, channel: ChannelId, number: int) -> Copied:
    """Return a message that has a bit of everything, by its number."""
    message = Message(
        id=MessageId(UUID(int=id_at(START_MS + (number << 26)).int | number)),
        server=stores.server,
        channel=channel,
        author=ALICE,
        text=f"number {number}",
        edited_at_ms=number if number % 3 == 0 else None,
        mentions=[BOB] if number % 4 == 0 else [],
        attachments=[File(FileId(UUID(int=number)), "a.txt", "text/plain", 1)]
        if number % 5 == 0
        else [],
        pinned=number % 50 == 0,
        nonce=f"{number}" if number % 2 else None,
    )
    kinds, reactions = [], []
    if number % 7 == 0:
        kinds = [Kind("👍", number, 2), Kind("❤️", 5, 1)]
        reactions = [("👍", ALICE), ("👍", BOB), ("❤️", BOB)]
    return Copied(
        Held(Entry(message, channel), kinds, number if message.pinned else None), reactions
    )


async def filled(stores: Stores, count: int) -> ChannelId:
    channel = await stores.new_channel()
    for start in range(0, count, 500):
        page = [copied(stores, channel, n) for n in range(start, min(start + 500, count))]
        await stores.sql.put(channel, page)
    return channel


async def silent_copy(stores: Stores) -> None:
    await Copy(stores.sql, stores.cql, lambda _: None).all()


async def test_all_goes_there_and_back_and_is_the_same(stores: Stores) -> None:
    channels = [await filled(stores, count) for count in (1, 450)]
    marks = [(channel, MessageId(UUID(int=7))) for channel in sorted(channels)]
    for user in (ALICE, BOB):
        await stores.sql.put_marks(user, marks)
    said = await stores.run("sql", "cql")
    assert "2 channels with 451 messages and the read marks of 2 users are the same" in said
    before = [await sum_of(stores.sql, channel) for channel in channels]
    assert [each.count for each in before] == [1, 450]
    for table in ("messages", "mentions", "reactions", "reaction_kinds", "read_states"):
        await stores.database.execute(f"DELETE FROM {table}", {})
    await stores.run("cql", "sql")
    assert [await sum_of(stores.sql, channel) for channel in channels] == before
    rows = await stores.database.fetch("SELECT COUNT(*) FROM mentions", {})
    assert msgspec.convert(rows[0][0], int) == 1 + 113
    assert await stores.sql.marks(ALICE) == marks


async def test_a_copy_that_was_killed_goes_on_where_it_was(stores: Stores) -> None:
    channel = await filled(stores, 6_000)
    process = await asyncio.create_subprocess_exec(
        *stores.command("sql", "cql"), stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(60):
        while len(await stores.cql.last(channel, 600)) < 600:
            assert process.returncode is None
            await asyncio.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    there = len(await stores.cql.last(channel, 10_000))
    assert 600 <= there < 6_000
    said = await stores.run("sql", "cql")
    assert "6000 messages" in said
    assert await sum_of(stores.cql, channel) == await sum_of(stores.sql, channel)


async def test_what_was_changed_since_the_first_copy_is_copied_anew(stores: Stores) -> None:
    channel = await filled(stores, 300)
    await silent_copy(stores)
    for change in (
        "UPDATE messages SET text = 'edited' WHERE nonce = '11'",
        "UPDATE messages SET pinned_at_ms = NULL WHERE pinned_at_ms > 0",
        "DELETE FROM messages WHERE nonce = '13'",
        "DELETE FROM reactions WHERE emoji = '❤️'",
    ):
        await stores.database.execute(change, {})
        await silent_copy(stores)
        there = await sum_of(stores.cql, channel)
        assert there == await sum_of(stores.sql, channel)
    assert there.count == 299


async def test_a_store_with_unfinished_changes_is_not_copied(stores: Stores) -> None:
    await stores.database.execute(
        """
        INSERT INTO message_log (id, place, logged_at_ms, entry) VALUES (:id, :id, 0, :entry)
        """,
        {"id": uuid7(), "entry": b""},
    )
    with pytest.raises(StorageError, match="1 changes of messages are not written yet"):
        await stores.cql.require_done()


async def test_the_command_tells_how_the_tables_stand(stores: Stores) -> None:
    for word in ("up", "status"):
        ran = await asyncio.to_thread(
            subprocess.run,
            [*SIDETONE[:-2], "migrate", "--database", stores.url, word, "--messages", cql_url()],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
    assert "messages: 0001_messages.cql is applied, no way down." in ran.stdout
