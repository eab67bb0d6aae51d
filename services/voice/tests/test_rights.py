"""How a change of rights becomes a watermark and reaches the units, over both databases."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from importlib.resources import files
from typing import Literal

import pytest
from typing_extensions import override

from services.voice.tests.stage import MovedClock, room
from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tickets import Perm
from sidetone.permissions import ALL, Permission
from sidetone.protocol.events import Fact, RightsChanged, Services, VoiceRights
from sidetone.protocol.ids import ChannelId, FactId, ServerId, UserId
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.protocol.servers import ServerState
from sidetone.runtime.communities import Communities
from sidetone.storage import Database
from sidetone.storage.migrations import migrate
from sidetone.voice.application.brief_node import BriefNode
from sidetone.voice.application.follow_rights import FollowRights
from sidetone.voice.application.places import Places
from sidetone.voice.application.ports import Watermarks
from sidetone.voice.domain.rights import perms_of
from sidetone.voice.domain.ticket_keys import KEPT_AFTER_MS, PUBLISHED_BEFORE_MS
from sidetone.voice.infrastructure.sql import MEMORY_MS, SqlTicketKeys, SqlWatermarks
from tests.surroundings import database_place, open_database, open_database_at

ADA, BEN = UserId(room(1)), UserId(room(2))
LOUNGE, HALL = room(11), room(12)
LISTEN = Permission.VIEW_CHANNEL | Permission.CONNECT


async def migrated(database: Database) -> Database:
    await migrate(database, "voice", files("sidetone.voice") / "migrations")
    return database


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest) -> AsyncGenerator[Database]:
    async with open_database(request.param) as database:
        yield await migrated(database)


@pytest.fixture
async def bus() -> AsyncGenerator[MemoryBus]:
    bus = MemoryBus()
    yield bus
    await bus.close()


@pytest.fixture
async def heard(bus: MemoryBus) -> asyncio.Queue[VoiceRights]:
    heard: asyncio.Queue[VoiceRights] = asyncio.Queue()
    await bus.subscribe(VoiceRights, heard.put)
    return heard


def following(watermarks: Watermarks, bus: MemoryBus, clock: MovedClock) -> FollowRights:
    """Return a follower that knows no server: every channel is one that is gone."""

    async def load(_: ServerId) -> ServerState:
        raise NotFound("server_unknown", "planted")

    class NoPlaces(Places):
        @override
        async def server_of(self, channel: ChannelId) -> ServerId:
            raise NotFound("channel_unknown", "planted")

    places = NoPlaces(bus, Communities(load))
    return FollowRights(places, watermarks, bus, clock)


def changed(channel: ChannelId, generation: int, user: UserId, bits: int) -> Fact:
    change = RightsChanged(channel, generation, {user: bits})
    return Fact(FactId(channel), Services(), change)


async def take(heard: asyncio.Queue[VoiceRights], count: int) -> list[VoiceRights]:
    async with asyncio.timeout(30):
        return [await heard.get() for _ in range(count)]


def test_every_bit_of_a_ticket_has_its_permission() -> None:
    assert perms_of(ALL) == Perm(sum(Perm)) & ~Perm.DEAFENED
    assert perms_of(Permission.NONE) == Perm(0)


def test_without_connect_a_ticket_says_nothing() -> None:
    assert perms_of(ALL & ~Permission.CONNECT) == Perm(0)


async def test_a_change_is_stored_and_then_told_to_the_units(
    database: Database, bus: MemoryBus, heard: asyncio.Queue[VoiceRights]
) -> None:
    clock, watermarks = MovedClock(), SqlWatermarks(database)
    await following(watermarks, bus, clock)(changed(LOUNGE, 7, ADA, int(LISTEN)))
    expected = VoiceRights(LOUNGE, ADA, int(Perm.CONNECT), 7)
    assert await take(heard, 1) == [expected]
    assert await watermarks.recent(clock.ms) == [expected]


async def test_a_unit_is_briefed_with_keys_and_recent_changes(database: Database) -> None:
    clock, watermarks = MovedClock(), SqlWatermarks(database)
    keys = await SqlTicketKeys.open(database, clock)
    brief = BriefNode(keys, watermarks, clock)
    kicked = VoiceRights(LOUNGE, ADA, 0, 7)
    await watermarks.raise_to([kicked], clock.ms)

    briefing = await brief()
    assert briefing.watermarks == [kicked]
    assert list(briefing.ticket_keys) == [1]

    clock.ms += MEMORY_MS + 1
    assert (await brief()).watermarks == []


async def test_old_watermarks_are_dropped(database: Database) -> None:
    watermarks = SqlWatermarks(database)
    await watermarks.raise_to([VoiceRights(LOUNGE, ADA, 0, 7)], 0)
    await watermarks.raise_to([VoiceRights(LOUNGE, BEN, 0, 8)], MEMORY_MS + 1)
    assert len(await database.fetch("SELECT member FROM voice_rights LIMIT 10", {})) == 1


async def test_an_older_change_that_comes_late_undoes_nothing(
    database: Database, bus: MemoryBus, heard: asyncio.Queue[VoiceRights]
) -> None:
    clock, watermarks = MovedClock(), SqlWatermarks(database)
    follow = following(watermarks, bus, clock)
    await follow(changed(LOUNGE, 8, ADA, 0))
    await take(heard, 1)
    await follow(changed(LOUNGE, 7, ADA, int(LISTEN)))
    await follow(changed(HALL, 8, ADA, 0))
    assert [rights.channel for rights in await take(heard, 1)] == [HALL]
    stored = {one.channel: one.perms for one in await watermarks.recent(clock.ms)}
    assert stored == {LOUNGE: 0, HALL: 0}


async def test_thousands_of_changes_are_carried_without_loss(
    database: Database, bus: MemoryBus, heard: asyncio.Queue[VoiceRights]
) -> None:
    follow = following(SqlWatermarks(database), bus, MovedClock())
    users = [UserId(room(1_000 + number)) for number in range(2_500)]
    change = RightsChanged(LOUNGE, 5, dict.fromkeys(users, 0))
    await follow(Fact(FactId(LOUNGE), Services(), change))
    assert {one.user for one in await take(heard, len(users))} == set(users)


class LostWatermarks:
    """A database that cannot be reached."""

    async def raise_to(self, *_: object) -> Sequence[VoiceRights]:
        raise Unavailable("database_unavailable", "planted")

    async def recent(self, _: int) -> Sequence[VoiceRights]:
        return []


async def test_a_kick_reaches_the_units_even_without_a_database(
    bus: MemoryBus, heard: asyncio.Queue[VoiceRights]
) -> None:
    follow = following(LostWatermarks(), bus, MovedClock())
    with pytest.raises(Unavailable):
        await follow(changed(LOUNGE, 7, ADA, 0))
    assert await take(heard, 1) == [VoiceRights(LOUNGE, ADA, 0, 7)]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_services_that_start_at_once_share_one_key(
    kind: Literal["sqlite", "postgres"],
) -> None:
    with database_place(kind) as place:
        async with (
            open_database_at(place) as one,
            open_database_at(place) as two,
            open_database_at(place) as three,
        ):
            starts = [migrated(database) for database in (one, two, three)]
            opened = [SqlTicketKeys.open(await start, MovedClock()) for start in starts]
            keys = await asyncio.gather(*opened)
            assert len({str(each.public_keys()) for each in keys}) == 1
            again = await SqlTicketKeys.open(one, MovedClock())
            assert again.public_keys() == keys[0].public_keys()


async def test_a_new_ticket_key_is_published_before_it_signs_and_the_old_one_kept(
    database: Database,
) -> None:
    clock = MovedClock()
    keys = await SqlTicketKeys.open(database, clock)
    other = await SqlTicketKeys.open(database, clock)
    clock.ms += 10 * PUBLISHED_BEFORE_MS
    made = await keys.rotate()
    await other.look()
    assert list(other.public_keys()) == [1, made.kid]
    assert (keys.kid, other.kid) == (1, 1)
    clock.ms += PUBLISHED_BEFORE_MS
    assert (keys.kid, other.kid) == (made.kid, made.kid)
    await other.look()
    assert list(other.public_keys()) == [1, made.kid]
    clock.ms += KEPT_AFTER_MS
    await other.look()
    assert list(other.public_keys()) == [made.kid]
    again = await keys.rotate()
    assert again.kid == made.kid + 1
