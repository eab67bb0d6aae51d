"""A Discord server becomes one of ours: once, whole, with its times, and told what is missing."""

import tracemalloc
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.chat.tests.discord import (
    ADA,
    BEN,
    GUILD,
    channel,
    message,
    role,
    snowflake,
    user,
    write,
)
from services.chat.tests.stage_messages import Person, Stage, open_stage
from sidetone.all_in_one.luggage import NoLuggage
from sidetone.chat.app import importing
from sidetone.chat.application.archive import Skipped
from sidetone.chat.application.import_server import Report
from sidetone.chat.domain.imported import channel_id, message_id, server_id, time_ms
from sidetone.chat.infrastructure.discord_export import DiscordExport
from sidetone.protocol.events import MessageSent
from sidetone.protocol.messages import Message, Persona
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel, ServerState
from tests.surroundings import TOPOLOGIES

AT = 1_600_000_000_000
HALL, VOICE, CATEGORY = snowflake(AT - 9), snowflake(AT - 8), snowflake(AT - 7)
FIRST, SECOND, THIRD = snowflake(AT, 1), snowflake(AT, 2), snowflake(AT + 60_000)


@dataclass
class Import:
    stage: Stage
    owner: Person
    folder: Path

    async def run(self) -> Report:
        skipped: Skipped = {}
        export = DiscordExport.open(self.folder, skipped)
        bring = await importing(self.stage.around, NoLuggage())
        return await bring(export, self.owner.user, skipped)

    async def state(self) -> ServerState:
        return await self.owner.get(f"/servers/{server_id(GUILD)}/state", ServerState)

    async def history(self, snowflake_: str) -> list[Message]:
        path = f"/channels/{channel_id(GUILD, int(snowflake_))}/messages"
        return (await self.owner.get(path, Page[Message], limit=100)).items[::-1]


@pytest.fixture(params=TOPOLOGIES)
async def imported(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Import]:
    async with open_stage(request.param) as stage:
        yield Import(stage, stage.person(), tmp_path / "export")


def ada(*roles: dict[str, Any]) -> dict[str, Any]:
    return user(ADA, "Ada", *roles)


def write_tavern(folder: Path) -> None:
    """Write a server with all that an export holds."""
    inside = {"categoryId": CATEGORY, "category": "Old talk"}
    emoji = {"id": "", "name": "👍", "code": "thumbsup", "isAnimated": False, "imageUrl": ""}
    ours = {**emoji, "id": str(GUILD + 7), "name": "wave"}
    write(
        folder,
        channel(HALL, "hall", topic="All\nsorts", **inside),
        message(FIRST, "Where is <@9999999999999999>?", ada(role(5, "Smiths", 2)), isPinned=True),
        message(
            SECOND,
            f"<@{ADA}> here",
            user(BEN, "Ben", role(6, "Bards", 1)),
            type="Reply",
            reference={"messageId": FIRST, "channelId": HALL, "guildId": str(GUILD)},
            timestampEdited="2020-09-13T12:26:42.5+00:00",
            mentions=[ada()],
            reactions=[
                {"emoji": emoji, "count": 2, "users": [ada(), user(BEN, "Ben")]},
                {"emoji": ours, "count": 1, "users": []},
            ],
        ),
        message(snowflake(AT + 1), "joined", ada(), type="GuildMemberJoin"),
        message(
            THIRD,
            "",
            ada(),
            attachments=[
                {"id": "1", "url": "https://a.example/x.png", "fileName": "x.png"},
                {"id": "2", "url": "files/y.png", "fileName": "y.png"},
            ],
        ),
    )
    write(folder, channel(VOICE, "Lounge", "GuildVoiceChat", **inside))
    write(
        folder,
        channel(SECOND, "a side", "GuildPublicThread", categoryId=HALL, category="hall"),
        message(snowflake(AT + 5), "beside", ada()),
    )
    write(folder, channel(snowflake(AT + 2), "x", "DirectTextChat"))
    (folder / "notes.json").write_text('{"other": 1}')


async def test_a_server_with_all_that_an_export_holds(imported: Import) -> None:
    write_tavern(imported.folder)
    report = await imported.run()
    assert (report.channels, report.threads, report.roles) == (3, 1, 2)
    assert (report.messages, report.new_messages) == (4, 4)
    assert report.skipped == {
        "attachments (their names stand in the text)": 2,
        "channels of the kind DirectTextChat": 1,
        "files that are no channel of an export": 1,
        "lines of the platform (GuildMemberJoin)": 1,
        "reactions with emoji of the server": 1,
    }
    state = await imported.state()
    assert state.server.name == "The Old Tavern"
    assert [(each.kind, each.name, each.topic) for each in state.channels] == [
        ("category", "Old talk", ""),
        ("text", "hall", "All sorts"),
        ("voice", "Lounge", ""),
    ]
    assert {each.parent for each in state.channels[1:]} == {state.channels[0].id}
    ranks = [(each.name, each.permissions) for each in state.roles[1:]]
    assert ranks == [("Bards", 0), ("Smiths", 0)]
    assert state.roles[1].color == 0xE91E63


async def test_messages_keep_who_said_them_and_when(imported: Import) -> None:
    write_tavern(imported.folder)
    await imported.run()
    first, second, third = await imported.history(HALL)
    assert [each.text for each in (first, second)] == ["Where is @unknown?", "@Ada here"]
    assert third.text == "[x.png] <https://a.example/x.png>\n[y.png]"
    assert [each.persona for each in (first, second)] == [Persona("Ada"), Persona("Ben")]
    assert first.author == third.author != second.author
    assert (first.pinned, second.pinned) == (True, False)
    assert [first.id.int >> 80, third.id.int >> 80] == [AT, AT + 60_000]
    assert second.reply_to == first.id
    assert second.edited_at_ms == 1_600_000_002_500
    assert [(one.emoji, one.count, one.mine) for one in second.reactions] == [("👍", 2, False)]
    (beside,) = await imported.history(SECOND)
    assert beside.text == "beside"
    threads = await imported.owner.get(
        f"/channels/{channel_id(GUILD, int(HALL))}/threads", Page[Channel], archived="true"
    )
    assert [each.id for each in threads.items] == [second.thread]
    # Nobody is told of what was said years ago.
    assert await imported.stage.heard(MessageSent) == []


async def test_to_import_again_makes_nothing_twice_and_goes_on(imported: Import) -> None:
    lines = [message(snowflake(AT + n), f"line {n}", ada()) for n in range(1_200)]
    path = write(imported.folder, channel(HALL, "hall"), *lines)
    whole = path.read_text()
    path.write_text(whole[: len(whole) * 2 // 3])
    with pytest.raises(Invalid, match="export_broken"):
        await imported.run()
    broken_off = len(await imported.stage.around.database.fetch("SELECT id FROM messages", {}))
    assert 0 < broken_off < 1_200
    path.write_text(whole)
    report = await imported.run()
    assert (report.messages, report.new_messages) == (1_200, 1_200 - broken_off)
    write(
        imported.folder,
        channel(HALL, "hall"),
        message(snowflake(AT + 9_999), "new", ada()),
        part="2",
    )
    report = await imported.run()
    assert (report.messages, report.new_messages) == (1_201, 1)
    assert [each.text for each in (await imported.history(HALL))[-2:]] == ["line 1199", "new"]
    stored = await imported.stage.around.database.fetch("SELECT COUNT(*) FROM messages", {})
    assert stored == [(1_201,)]


async def test_what_members_changed_since_stays(imported: Import) -> None:
    write(imported.folder, channel(HALL, "hall"), message(FIRST, "old", ada(role(5, "Smiths", 1))))
    await imported.run()
    state = await imported.state()
    hall, smiths = state.channels[0], state.roles[1]
    await imported.owner.ask("PATCH", f"/channels/{hall.id}", json={"name": "great hall"})
    path = f"/servers/{state.server.id}/roles/{smiths.id}"
    await imported.owner.ask("PATCH", path, json={"permissions": 1})
    said = await imported.owner.say(hall.id, "new")
    report = await imported.run()
    assert (report.new_messages, report.roles) == (0, 1)
    after = await imported.state()
    assert after.channels[0].name == "great hall"
    assert after.roles[1] == msgspec.structs.replace(smiths, permissions=1)
    assert [each.text for each in await imported.history(HALL)] == ["old", said.text]


async def test_two_servers_in_one_folder_are_refused(imported: Import) -> None:
    write(imported.folder, channel(HALL, "hall"))
    write(imported.folder, channel(VOICE, "other"), guild=GUILD + 1)
    with pytest.raises(Invalid, match="export_mixed"):
        await imported.run()
    (imported.folder / "empty").mkdir()
    with pytest.raises(Invalid, match="export_empty"):
        DiscordExport.open(imported.folder / "empty", {})


async def test_a_forum_whose_threads_alone_were_exported_is_a_channel(imported: Import) -> None:
    forum = {"categoryId": HALL, "category": "questions"}
    write(imported.folder, channel(FIRST, "how?", "GuildPublicThread", **forum))
    write(imported.folder, channel(SECOND, "whispers", "GuildPrivateThread", **forum))
    report = await imported.run()
    assert (report.channels, report.threads) == (1, 1)
    assert report.skipped == {"channels of the kind GuildPrivateThread": 1}
    assert [each.name for each in (await imported.state()).channels] == ["questions"]


async def found(person: Person, server: object, **params: object) -> list[str]:
    """Return what a search finds, one to a page, so that cursors are tried as well."""
    texts: list[str] = []
    while True:
        answer = await person.ask(
            "GET", f"/servers/{server}/search", params={"q": "word", "limit": 1, **params}
        )
        page = msgspec.json.decode(answer.content, type=Page[Message])
        texts += [each.text for each in page.items]
        if page.next is None:
            return texts
        params["cursor"] = page.next


async def test_old_and_new_are_found_in_the_order_of_their_time(tmp_path: Path) -> None:
    """The index of a data folder counts messages as they come, and the past comes late."""
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        for number in range(3):
            await tavern.owner.say(tavern.channel, f"word now {number}")
        lines = [message(snowflake(AT + n * 1_000), f"word {n}", ada()) for n in range(4)]
        write(tmp_path, channel(HALL, "hall"), *lines[2:])
        write(tmp_path, channel(VOICE, "other"), *lines[:2])
        imported = Import(stage, tavern.owner, tmp_path)
        await imported.run()
        server = server_id(GUILD)
        hall = channel_id(GUILD, int(HALL))
        await tavern.owner.say(hall, "word late")
        assert await found(tavern.owner, server) == [
            "word late",
            *(f"word {n}" for n in (3, 2, 1, 0)),
        ]
        since = await found(tavern.owner, server, after=AT + 1_500)
        assert since == ["word late", "word 3", "word 2"]
        assert await found(tavern.owner, server, before=AT + 1_500) == ["word 1", "word 0"]
        for after in ({}, {"after": AT}, {"after": AT + 5_000}):
            now = await found(tavern.owner, tavern.server.id, **after)
            assert now == ["word now 2", "word now 1", "word now 0"]


def test_the_size_of_an_export_needs_no_memory(tmp_path: Path) -> None:
    lines = [message(snowflake(AT + n), "x" * 400, ada()) for n in range(8_000)]
    path = write(tmp_path, channel(HALL, "hall"), *lines)
    del lines
    assert path.stat().st_size > 6_000_000
    export = DiscordExport.open(tmp_path, {})
    tracemalloc.start()
    try:
        assert sum(1 for _ in export.messages(int(HALL), {})) == 8_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_ids_keep_the_time_and_the_order() -> None:
    ids = [int(snowflake(AT + n, n)) for n in range(100)]
    made = [message_id(GUILD, id_) for id_ in ids]
    assert made == sorted(made)
    assert [id_.int >> 80 for id_ in made] == [time_ms(id_) for id_ in ids]
    assert {(id_.version, id_.variant) for id_ in made} == {(7, "specified in RFC 4122")}
    assert made[0] != message_id(GUILD + 1, ids[0])
