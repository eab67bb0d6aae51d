"""What only a store of messages apart from the database can get wrong, on a real CQL engine."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from services.chat.tests.stage import MovedClock
from sidetone.chat.application.messages import NewMessage, Outdated
from sidetone.chat.domain.reading import Reading, id_at
from sidetone.chat.infrastructure.cql_leftovers import CqlLeftovers
from sidetone.chat.infrastructure.cql_log import CqlLog
from sidetone.chat.infrastructure.cql_messages import CqlMessages
from sidetone.chat.infrastructure.cql_migrations import cql_steps, migrate_cql
from sidetone.chat.infrastructure.cql_read_marks import CqlReadMarks
from sidetone.chat.infrastructure.cql_rows import bucket_of
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.own_search import NoSearch
from sidetone.protocol.events import Fact, MessageEdited, MessageSent
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import StorageError
from sidetone.storage.migrations import migrate
from tests.cassandra_engine import start_cassandra
from tests.cql import cql_url, open_cql
from tests.surroundings import open_surroundings

ALICE, BOB = UserId(uuid7()), UserId(uuid7())
BUCKET_MS = 1 << 30

pytestmark = pytest.mark.cql


@dataclass
class Shelf:
    """A channel of one server, and two processes that write in it."""

    around: Surroundings
    session: CqlSession
    facts: list[Fact] = field(default_factory=list[Fact])
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    server: ServerId = field(default_factory=lambda: ServerId(uuid7()))
    channel: ChannelId = field(default_factory=lambda: ChannelId(uuid7()))

    async def open(self) -> None:
        around = self.around
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        await migrate_cql(self.session, around.database)
        await around.database.execute(
            """
            INSERT INTO servers (id, kind, name, owner, description, generation, audit_number,
                audit_hash, created_at_ms)
            VALUES (:id, 'community', 'Home', :id, '', 1, 0, :none, 0)
            """,
            {"id": self.server, "none": b""},
        )

        async def note(fact: Fact) -> None:
            async with self.more:
                self.facts.append(fact)
                self.more.notify_all()

        await around.journal.follow(note)
        self.outbox = await Outbox.open(around, "chat")
        self.log, self.messages = self.process(self.session)

    def process(
        self, session: CqlSession, clock: MovedClock | None = None
    ) -> tuple[CqlLog, CqlMessages]:
        """Return chat as another process has it."""
        mine = clock or self.around.clock
        log = CqlLog(self.around.database, self.outbox, session, NoSearch(), mine)
        return log, CqlMessages(session, log, mine)

    def new(self, text: str, id_: UUID | None = None, nonce: str | None = None) -> NewMessage:
        message = Message(
            MessageId(id_ or uuid7()), self.server, self.channel, ALICE, text, nonce=nonce
        )
        return NewMessage(message, self.channel, generation=1)

    async def say(self, text: str, id_: UUID | None = None, nonce: str | None = None) -> Message:
        return await self.messages.add(self.new(text, id_, nonce))

    async def texts(self, messages: Sequence[Message]) -> list[str]:
        return [message.text for message in messages]

    async def told(self, kind: type, count: int) -> list[Fact]:
        """Return the facts of *kind*, once there are *count* of them."""
        async with self.more:
            await self.more.wait_for(lambda: len(self.heard(kind)) >= count)
        return self.heard(kind)

    def heard(self, kind: type) -> list[Fact]:
        return [fact for fact in self.facts if isinstance(fact.event, kind)]

    async def logged(self) -> int:
        rows = await self.around.database.fetch("SELECT number FROM message_log LIMIT 100", {})
        return len(rows)


@asynccontextmanager
async def open_shelf(url: str | None = None) -> AsyncGenerator[Shelf]:
    async with open_cql(url) as session, open_surroundings("distributed") as around:
        shelf = Shelf(around, session)
        await shelf.open()
        yield shelf


@pytest.fixture
async def shelf() -> AsyncGenerator[Shelf]:
    async with open_shelf() as shelf:
        yield shelf


def at(time_ms: int, number: int = 0) -> UUID:
    return UUID(int=id_at(time_ms).int | 7 << 76 | number)


# --- Buckets ---


async def test_pages_go_both_ways_across_the_edges_of_buckets_and_empty_ones(
    shelf: Shelf,
) -> None:
    edge = 1_500 * BUCKET_MS
    times = [edge - 2, edge - 1, edge, edge + 1, edge + 40 * BUCKET_MS, edge + 41 * BUCKET_MS - 1]
    ids = [at(time_ms) for time_ms in times]
    assert len({bucket_of(id_) for id_ in ids}) == 3
    for id_ in ids:
        await shelf.say(str(times[ids.index(id_)]), id_)
    names = [str(time_ms) for time_ms in times]
    for limit in (1, 2, 3, 4, 100):
        back: list[str] = []
        mark: MessageId | None = None
        while page := await shelf.messages.before(shelf.channel, mark, limit, BOB):
            assert len(page) <= limit
            back += [message.text for message in page]
            mark = page[-1].id
        assert back == names[::-1]
        forth: list[str] = []
        mark = MessageId(UUID(int=0))
        while page := await shelf.messages.after(shelf.channel, mark, limit, BOB):
            forth += [message.text for message in page[::-1]]
            mark = page[0].id
        assert forth == names
    # A mark need not be a message.
    page = await shelf.messages.before(shelf.channel, id_at(edge), 2, BOB)
    assert await shelf.texts(page) == names[1::-1]


async def test_unread_is_counted_across_buckets_and_stops_at_the_mark(shelf: Shelf) -> None:
    marks = CqlReadMarks(shelf.session, shelf.log)
    edge = 1_500 * BUCKET_MS
    ids = [at(edge + number * BUCKET_MS // 2) for number in range(7)]
    for id_ in ids:
        await shelf.say("hi", id_)
    reading = Reading(shelf.channel, MessageId(UUID(int=0)), [BOB])
    assert [state.unread for state in await marks.states(BOB, [reading])] == [7]
    for seen, id_ in enumerate(ids, start=1):
        state = await marks.mark(BOB, reading, MessageId(id_), backwards=False)
        assert state.unread == 7 - seen
    assert [state.unread for state in await marks.states(ALICE, [reading])] == [0]


async def test_hundreds_of_removed_messages_in_a_row_do_not_hide_the_rest(
    shelf: Shelf,
) -> None:
    start = 1_500 * BUCKET_MS
    first = await shelf.say("first", at(start - 1))
    doomed = [shelf.new(f"{n}", at(start + n)) for n in range(400)]
    await asyncio.gather(*(shelf.messages.add(new) for new in doomed))
    last = await shelf.say("last", at(start + 2_000))
    for part in range(0, 400, 100):
        async with shelf.messages.change(shelf.server, shelf.channel) as change:
            await change.remove([new.message for new in doomed[part : part + 100]])
    page = await shelf.messages.before(shelf.channel, None, 50, BOB)
    assert await shelf.texts(page) == ["last", "first"]
    page = await shelf.messages.after(shelf.channel, first.id, 50, BOB)
    assert page == [last]


# --- Changes at the same time ---


async def test_an_edit_wins_over_the_first_write_whatever_the_clocks_say(shelf: Shelf) -> None:
    late = await shelf.say("from a clock that is far ahead", at(4_000_000_000_000))
    _, slow = shelf.process(shelf.session, MovedClock())
    for text in ("one", "two", "three"):
        async with slow.change(shelf.server, shelf.channel) as change:
            before = await change.find(late.id)
            await change.save(Message(**{**before_of(before), "text": text}))
        found = await shelf.messages.find(shelf.channel, late.id, BOB)
        assert found.text == text
    async with slow.change(shelf.server, shelf.channel) as change:
        await change.remove([await change.find(late.id)])
    with pytest.raises(NotFound):
        await shelf.messages.find(shelf.channel, late.id, BOB)


def before_of(message: Message) -> dict[str, object]:
    return {name: getattr(message, name) for name in Message.__struct_fields__}


async def test_of_many_who_react_at_once_in_two_processes_none_is_forgotten(
    shelf: Shelf,
) -> None:
    sent = await shelf.say("vote")
    processes = [shelf.messages, shelf.process(shelf.session)[1]]

    async def react(number: int) -> None:
        async with processes[number % 2].change(shelf.server, shelf.channel) as change:
            await change.put_reaction(sent.id, UserId(uuid7()), "👍", number)

    await asyncio.gather(*(react(number) for number in range(8)))
    found = await shelf.messages.find(shelf.channel, sent.id, BOB)
    assert [reaction.count for reaction in found.reactions] == [8]


async def test_a_change_that_is_refused_leaves_no_trace(shelf: Shelf) -> None:
    sent = await shelf.say("stays")

    async def break_off() -> None:
        async with shelf.messages.change(shelf.server, shelf.channel) as change:
            await change.remove([await change.find(sent.id)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    with pytest.raises(Outdated):
        async with shelf.messages.change(shelf.server, shelf.channel, 7):
            pass
    assert await shelf.messages.find(shelf.channel, sent.id, BOB) == sent
    assert await shelf.logged() == 0


# --- Nonces ---


async def test_one_nonce_in_two_processes_is_one_message_told_once(shelf: Shelf) -> None:
    processes = [shelf.messages, shelf.process(shelf.session)[1]]
    sent = await asyncio.gather(
        *(processes[n % 2].add(shelf.new(f"{n}", nonce="same")) for n in range(12))
    )
    again = await shelf.say("much later", nonce="same")
    assert len({message.id for message in [*sent, again]}) == 1
    await shelf.say("mark")
    await shelf.told(MessageSent, 2)
    assert len(await shelf.told(MessageSent, 2)) == 2
    page = await shelf.messages.before(shelf.channel, None, 50, BOB)
    assert len(page) == 2


async def test_the_nonce_of_a_removed_message_can_be_used_again(shelf: Shelf) -> None:
    first = await shelf.say("first", nonce="n")
    async with shelf.messages.change(shelf.server, shelf.channel) as change:
        await change.remove([first])
    second = await shelf.say("second", nonce="n")
    assert second.id != first.id
    assert await shelf.messages.by_nonce(shelf.channel, ALICE, "n") == second


# --- Processes and engines that die ---


async def log_and_die(shelf: Shelf, new: NewMessage) -> None:
    """Log a message as a process does that is killed before it writes to CQL."""
    entry = shelf.messages.entry_of(new)
    await shelf.around.database.execute_many(
        """
        INSERT INTO message_log (id, place, author, nonce, logged_at_ms, entry)
        VALUES (:id, :place, :author, :nonce, :now_ms, :entry)
        """,
        [shelf.log.row_of(entry)],
    )


async def test_what_a_dead_process_logged_is_written_and_told_once(shelf: Shelf) -> None:
    new = shelf.new("unfinished", nonce="n")
    await log_and_die(shelf, new)
    # Whoever asks with the same nonce gets it before it can be read.
    assert await shelf.say("again", nonce="n") == new.message
    now_ms = shelf.around.clock.now_ms() + 1
    done = await asyncio.gather(*(shelf.log.finish_left_behind(now_ms) for _ in range(3)))
    assert max(done) == 1
    assert await shelf.messages.before(shelf.channel, None, 9, BOB) == [new.message]
    await shelf.say("mark")
    assert len(await shelf.told(MessageSent, 2)) == 2
    assert await shelf.logged() == 0


async def test_who_changes_a_channel_finishes_first_what_was_logged_there(shelf: Shelf) -> None:
    new = shelf.new("unfinished")
    await log_and_die(shelf, new)
    async with shelf.messages.change(shelf.server, shelf.channel) as change:
        found = await change.find(new.message.id)
        await change.save(Message(**{**before_of(found), "text": "edited", "edited_at_ms": 1}))
    (edited,) = await shelf.told(MessageEdited, 1)
    (sent,) = await shelf.told(MessageSent, 1)
    assert shelf.facts.index(sent) < shelf.facts.index(edited)
    # Written once more by who was thought dead: nothing changes.
    found = await shelf.messages.find(shelf.channel, new.message.id, BOB)
    assert found.text == "edited"


async def test_a_kill_of_the_engine_loses_nothing_and_it_comes_back_by_itself() -> None:
    with start_cassandra() as engine:
        async with open_shelf(cql_url(engine.url)) as shelf:
            before = await shelf.say("before")
            engine.kill()
            refused = 0
            with pytest.raises(Unavailable):
                await shelf.messages.find(shelf.channel, before.id, BOB)
            for number in range(3):
                try:
                    await shelf.say(f"{number}", nonce=f"{number}")
                except Unavailable:
                    refused += 1
            assert refused == 3
            await asyncio.to_thread(engine.start, 120.0)
            async with asyncio.timeout(60):
                for number in range(3):
                    while True:
                        try:
                            await shelf.say(f"{number}", nonce=f"{number}")
                        except Unavailable:
                            await asyncio.sleep(0.1)
                        else:
                            break
            page = await shelf.messages.before(shelf.channel, None, 9, BOB)
            assert await shelf.texts(page) == ["2", "1", "0", "before"]
            await shelf.log.finish_left_behind(shelf.around.clock.now_ms() + 1)
            assert len(await shelf.told(MessageSent, 4)) == 4


# --- Leftovers, schema, URLs ---


async def test_a_channel_that_is_gone_leaves_nothing_in_any_table(shelf: Shelf) -> None:
    leftovers = CqlLeftovers(shelf.around.database, shelf.session, shelf.log, NoSearch())
    for number in range(5):
        id_ = at(1_500 * BUCKET_MS + number * BUCKET_MS // 2)
        await shelf.messages.add(
            NewMessage(
                Message(
                    MessageId(id_), shelf.server, shelf.channel, ALICE, "x", nonce=f"{number}"
                ),
                shelf.channel,
                [BOB],
                1,
            )
        )
        async with shelf.messages.change(shelf.server, shelf.channel) as change:
            await change.put_reaction(MessageId(id_), BOB, "👍", 1)
    assert await leftovers.channels(9) == [shelf.channel]
    assert [await leftovers.clear(shelf.channel, 2) for _ in range(3)] == [2, 2, 1]
    assert await leftovers.channels(9) == []
    for table in ("buckets", "mentions", "pins"):
        query = f"SELECT channel FROM {table} WHERE channel = :channel LIMIT 9"
        assert await shelf.session.fetch(query, {"channel": shelf.channel}) == []
    for table in ("messages", "reactions"):
        query = f"SELECT * FROM {table} WHERE channel = :channel AND bucket = :bucket LIMIT 9"
        for bucket in range(1_500, 1_504):
            values = {"channel": shelf.channel, "bucket": bucket}
            assert await shelf.session.fetch(query, values) == []
    assert await shelf.messages.by_nonce(shelf.channel, ALICE, "3") is None


async def test_the_schema_is_made_once_and_knows_itself(shelf: Shelf) -> None:
    await asyncio.gather(*(migrate_cql(shelf.session, shelf.around.database) for _ in range(3)))
    steps = await cql_steps(shelf.session)
    assert [(step.name, step.applied) for step in steps] == [("0001_messages.cql", True)]


@pytest.mark.parametrize(
    "url", ["", "cql://", "cql://host", "http://host/k", "cql://host:x/k", "cql://host/k;drop"]
)
async def test_a_url_that_cannot_be_read_is_one_clear_line(url: str) -> None:
    with pytest.raises(StorageError, match="write cql://"):
        await CqlSession.open(url)


async def test_a_store_that_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(StorageError, match="check that it runs") as refused:
        await CqlSession.open("cql://somebody:secret@127.0.0.1:1/sidetone")
    assert "secret" not in str(refused.value)
