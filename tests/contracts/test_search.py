"""What every search index does, told once."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

import msgspec
import pytest
from uuid_utils.compat import uuid7

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.messages import NewMessage
from sidetone.chat.domain.reading import id_at
from sidetone.chat.domain.search_query import SearchQuery, Trait, words_of
from sidetone.chat.infrastructure.fts_search import FtsSearch
from sidetone.chat.infrastructure.search_index import SearchIndex
from sidetone.chat.infrastructure.search_indexer import SearchIndexer
from sidetone.chat.infrastructure.sql_message_changes import SqlMessageChange
from sidetone.chat.infrastructure.sql_search_source import SqlSearchSource
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FileId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate
from tests import engines
from tests.surroundings import open_surroundings

PICTURE = File(FileId(UUID(int=1)), "cat.webp", "image/webp", 10)
TEXT_FILE = File(FileId(UUID(int=2)), "notes.txt", "text/plain", 10)
SERVER = ServerId(uuid7())
HERE = ChannelId(uuid7())
ELSEWHERE = ChannelId(uuid7())
ALICE = UserId(uuid7())
_UNSETTLED = "SELECT number FROM search_queue UNION ALL SELECT number FROM search_rebuilds LIMIT 1"


@dataclass
class Shelf:
    """A server with two channels whose messages are indexed."""

    around: Surroundings
    outbox: Outbox
    index: SearchIndex
    told: dict[MessageId, Message] = field(default_factory=dict[MessageId, Message])

    async def put(
        self, text: str, channel: ChannelId = HERE, root: ChannelId | None = None, **other: object
    ) -> MessageId:
        values: dict[str, object] = {
            "id": uuid7(),
            "server": SERVER,
            "channel": channel,
            "author": ALICE,
            "text": text,
            **other,
        }
        message = msgspec.convert(values, Message, str_keys=False)
        async with self.outbox.transaction() as rows:
            change = SqlMessageChange(rows, self.index, message.server, channel)
            assert await change.add(NewMessage(message, root or channel))
        await self.settle()
        self.told[message.id] = message
        return message.id

    async def change(self, message: MessageId, **new: object) -> None:
        changed = msgspec.structs.replace(self.told[message], **new)
        async with self.outbox.transaction() as rows:
            change = SqlMessageChange(rows, self.index, SERVER, changed.channel)
            await change.save(changed, pinned_at_ms=1)
        await self.settle()

    async def remove(self, *messages: MessageId) -> None:
        async with self.outbox.transaction() as rows:
            change = SqlMessageChange(rows, self.index, SERVER, HERE)
            await change.remove([self.told[message] for message in messages])
        await self.settle()

    async def settle(self) -> None:
        """Wait until the index has been told everything."""
        deadline = time.monotonic() + 20
        while await self.around.database.fetch(_UNSETTLED, {}):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)

    async def find(
        self,
        text: str = "",
        channels: Sequence[ChannelId] = (HERE, ELSEWHERE),
        **filters: object,
    ) -> list[MessageId]:
        query = SearchQuery(SERVER, channels, words_of(text), **filters)  # pyright: ignore[reportArgumentType]
        hits, more = await self.index.find(query, None, 100)
        assert more is None
        return [message for _, message in hits]


async def add_server(around: Surroundings) -> None:
    await around.database.execute(
        """
        INSERT INTO servers (id, kind, name, owner, description, generation, audit_number,
            audit_hash, created_at_ms)
        VALUES (:id, 'community', 'Home', :id, '', 1, 0, :none, 0)
        """,
        {"id": SERVER, "none": b""},
    )


@asynccontextmanager
async def open_shelf(kind: str) -> AsyncGenerator[Shelf]:
    async with open_surroundings("embedded") as around:
        outbox = await Outbox.open(around, "chat")
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        await add_server(around)
        if kind == "fts5":
            index = FtsSearch(around.database)
            await index.begin(around.tasks)
            yield Shelf(around, outbox, index)
            return
        alias = f"messages_{uuid7().hex}"
        remote = TypesenseSearch(typesense(alias, search_key_of(alias)))
        await remote.begin(around.tasks)
        around.tasks.start(indexer(around, alias).work())
        yield Shelf(around, outbox, remote)


def typesense(alias: str, key: str = engines.TYPESENSE_API_KEY) -> Typesense:
    return Typesense.connect(engines.typesense_url(), key, alias)


def search_key_of(alias: str) -> str:
    """Return what chat has, which can do nothing until an indexer has admitted it."""
    return f"key of {alias}"


def indexer(around: Surroundings, alias: str) -> SearchIndexer:
    source = SqlSearchSource(around.database)
    return SearchIndexer(around.database, typesense(alias), source, search_key_of(alias))


@pytest.fixture(params=["fts5", "typesense"])
async def shelf(request: pytest.FixtureRequest) -> AsyncGenerator[Shelf]:
    async with open_shelf(request.param) as shelf:
        yield shelf


async def test_words_are_found_whatever_their_case_accents_and_order(shelf: Shelf) -> None:
    wanted = await shelf.put("Das Café öffnet um ACHT, komm!")
    await shelf.put("acht Uhr ist zu früh")
    for question in ("cafe acht", "ACHT Café", "komm offnet", "das um"):
        assert await shelf.find(question) == [wanted]


async def test_every_word_must_be_there(shelf: Shelf) -> None:
    await shelf.put("red apples")
    await shelf.put("green pears")
    assert await shelf.find("red pears") == []


async def test_the_last_word_may_be_the_beginning_of_one(shelf: Shelf) -> None:
    wanted = await shelf.put("the screwdriver is blue")
    assert await shelf.find("screwd") == [wanted]
    assert await shelf.find("screwd blue") == []


async def test_a_slip_of_the_pen_finds_nothing(shelf: Shelf) -> None:
    await shelf.put("keyboard")
    assert await shelf.find("kezboard") == []


async def test_what_looks_like_the_language_of_the_index_is_only_words(shelf: Shelf) -> None:
    wanted = await shelf.put('NOT "this" OR (that) AND *never* near:here -minus')
    for question in ('"this" OR', "NOT this", "(that)", "AND *nev", "near:here", "-minus"):
        assert await shelf.find(question) == [wanted]
    assert await shelf.find("this OR absent") == []


async def test_the_newest_come_first_and_page_by_page(shelf: Shelf) -> None:
    written = [await shelf.put(f"number {number}") for number in range(7)]
    found: list[MessageId] = []
    cursor: str | None = None
    query = SearchQuery(SERVER, [HERE], ["number"])
    for size in (3, 3, 1):
        hits, cursor = await shelf.index.find(query, cursor, 3)
        assert len(hits) == size
        found += [message for _, message in hits]
    assert cursor is None
    assert found == written[::-1]


async def test_messages_of_one_moment_are_told_apart_where_a_page_ends(shelf: Shelf) -> None:
    first = uuid7().int
    # Bits that an index of 63-bit numbers may lose: the lowest, and one at its middle.
    ids = sorted(MessageId(UUID(int=first ^ bits)) for bits in (0, 1, 1 << 61, 1 << 64, 1 << 65))
    for each in ids:
        await shelf.put("at once", id=each)
    found: list[MessageId] = []
    cursor: str | None = None
    for _ in ids:
        hits, cursor = await shelf.index.find(SearchQuery(SERVER, [HERE], ["once"]), cursor, 1)
        found += [message for _, message in hits]
    assert cursor is None
    assert found == ids[::-1]


async def test_only_the_channels_asked_for_are_searched(shelf: Shelf) -> None:
    here = await shelf.put("hello", HERE)
    there = await shelf.put("hello", ELSEWHERE)
    assert await shelf.find("hello", [HERE]) == [here]
    assert await shelf.find("hello", [HERE, ELSEWHERE]) == [there, here]
    assert await shelf.find("hello", []) == []


async def test_hundreds_of_channels_can_be_asked_for(shelf: Shelf) -> None:
    wanted = await shelf.put("hello", HERE)
    many = [ChannelId(uuid7()) for _ in range(700)]
    assert await shelf.find("hello", [*many, HERE]) == [wanted]


async def test_another_server_is_another_world(shelf: Shelf) -> None:
    await shelf.put("hello", HERE)
    query = SearchQuery(ServerId(uuid7()), [HERE], ["hello"])
    assert await shelf.index.find(query, None, 10) == ([], None)


async def test_a_thread_is_found_where_it_hangs(shelf: Shelf) -> None:
    thread = ChannelId(uuid7())
    wanted = await shelf.put("hello", thread, HERE)
    await shelf.put("hello", HERE)
    assert wanted in await shelf.find("hello", [HERE])
    assert await shelf.find("hello", [HERE], thread=thread) == [wanted]
    assert await shelf.find("hello", [ELSEWHERE]) == []


async def test_an_author_is_found_without_any_word(shelf: Shelf) -> None:
    bob = UserId(uuid7())
    wanted = await shelf.put("hello", author=bob)
    await shelf.put("hello")
    assert await shelf.find(author=bob) == [wanted]


@pytest.mark.parametrize(
    ("trait", "other"),
    [
        ("file", {"attachments": [TEXT_FILE]}),
        ("image", {"attachments": [PICTURE]}),
        ("link", {"text": "see https://example.org/x"}),
        ("mention", {"mentions": [ALICE]}),
    ],
)
async def test_what_a_message_has_is_found(
    shelf: Shelf, trait: Trait, other: dict[str, object]
) -> None:
    await shelf.put("nothing")
    wanted = await shelf.put(**{"text": "something", **other})  # pyright: ignore[reportArgumentType]
    assert await shelf.find(traits=frozenset({trait})) == [wanted]
    assert await shelf.find(traits=frozenset({trait, "pin"})) == []


async def test_a_range_of_ids_bounds_the_answer(shelf: Shelf) -> None:
    day_ms = 86_400_000
    ids = [MessageId(UUID(int=id_at(day * day_ms).int | uuid7().int >> 64)) for day in range(1, 5)]
    for id_ in ids:
        await shelf.put("daily", id=id_)
    assert await shelf.find("daily", since=id_at(2 * day_ms)) == ids[:0:-1]
    assert await shelf.find("daily", until=id_at(3 * day_ms)) == ids[1::-1]
    assert await shelf.find("daily", since=id_at(2 * day_ms), until=id_at(3 * day_ms)) == [ids[1]]
    assert await shelf.find("daily", since=id_at(9 * day_ms)) == []


async def test_an_edited_message_is_found_by_what_it_says_now_at_its_old_place(
    shelf: Shelf,
) -> None:
    first = await shelf.put("one fish")
    second = await shelf.put("two fish")
    await shelf.change(first, text="red fish", edited_at_ms=1)
    assert await shelf.find("one") == []
    assert await shelf.find("fish") == [second, first]


async def test_a_message_that_becomes_pinned_is_found_as_such(shelf: Shelf) -> None:
    first = await shelf.put("keep this")
    await shelf.put("not this")
    await shelf.change(first, pinned=True)
    assert await shelf.find(traits=frozenset({"pin"})) == [first]


async def test_a_removed_message_is_not_found(shelf: Shelf) -> None:
    gone = [await shelf.put("same words"), await shelf.put("same words")]
    stays = await shelf.put("same words")
    await shelf.remove(*gone)
    assert await shelf.find("same words") == [stays]


async def test_a_message_that_was_rolled_back_is_not_found(shelf: Shelf) -> None:
    await shelf.put("something else")

    async def break_off() -> None:
        async with shelf.outbox.transaction() as rows:
            change = SqlMessageChange(rows, shelf.index, SERVER, HERE)
            message = Message(MessageId(uuid7()), SERVER, HERE, ALICE, "never said")
            await change.add(NewMessage(message, HERE))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await break_off()
    await shelf.settle()
    assert await shelf.find("never") == []


@pytest.mark.parametrize("cursor", ["", "x", "-1", "9" * 40, "1 || 1"])
async def test_a_cursor_of_somebody_else_is_refused(shelf: Shelf, cursor: str) -> None:
    with pytest.raises(Invalid):
        await shelf.index.find(SearchQuery(SERVER, [HERE]), cursor, 10)


async def test_what_was_said_while_typesense_was_away_is_found_afterwards() -> None:
    async with open_surroundings("embedded") as around:
        outbox = await Outbox.open(around, "chat")
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        await add_server(around)
        alias = f"messages_{uuid7().hex}"
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            away = TypesenseSearch(Typesense.connect(url, "key", alias))
            tasks = Tasks()
            await away.begin(tasks)
            source = SqlSearchSource(around.database)
            in_vain = SearchIndexer(around.database, Typesense.connect(url, "key", alias), source)
            tasks.start(in_vain.work())
            async with outbox.transaction() as rows:
                change = SqlMessageChange(rows, away, SERVER, HERE)
                message = Message(MessageId(uuid7()), SERVER, HERE, ALICE, "still queued")
                await change.add(NewMessage(message, HERE))
            with pytest.raises(Unavailable):
                await away.find(SearchQuery(SERVER, [HERE], ["queued"]), None, 10)
            await tasks.close()
        back = TypesenseSearch(typesense(alias))
        await back.begin(around.tasks)
        around.tasks.start(indexer(around, alias).work())
        shelf = Shelf(around, outbox, back)
        await shelf.settle()
        assert await shelf.find("queued") == [message.id]
