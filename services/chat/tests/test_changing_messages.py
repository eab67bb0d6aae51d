"""Editing, deleting, pinning and reacting, over HTTP and on both sets of engines."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from services.chat.tests.stage_messages import (
    STAGES,
    Person,
    Stage,
    Tavern,
    any_id,
    new_file,
    open_stage,
)
from sidetone.permissions import Permission
from sidetone.protocol.events import (
    MessageEdited,
    MessagesDeleted,
    ReactionChanged,
)
from sidetone.protocol.ids import MessageId, UserId
from sidetone.protocol.messages import Message, Reaction


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


def path_of(tavern: Tavern, message: MessageId) -> str:
    return f"/channels/{tavern.channel}/messages/{message}"


async def let_manage(tavern: Tavern, person: Person) -> None:
    await tavern.overwrite(person.user, allow=int(Permission.MANAGE_MESSAGES))


# --- Editing ---


async def test_an_edit_is_answered_kept_and_told(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, "teh")
    answer = await tavern.guest.ask("PATCH", path_of(tavern, sent.id), json={"text": "the"})
    edited = msgspec.json.decode(answer.content, type=Message)
    assert (answer.status_code, edited.text) == (200, "the")
    assert edited.edited_at_ms is not None
    assert answer.headers["etag"] == f'"{edited.edited_at_ms}"'
    assert await tavern.owner.get(path_of(tavern, sent.id), Message) == edited
    assert await stage.heard(MessageEdited) == [MessageEdited(edited)]


async def test_only_the_author_edits_and_only_what_people_wrote(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, "mine")
    refused = await tavern.owner.ask("PATCH", path_of(tavern, sent.id), json={"text": "his"})
    assert refused.status_code == 403
    await tavern.owner.ask("PUT", f"/channels/{tavern.channel}/pins/{sent.id}")
    page, _ = await tavern.owner.page(tavern.channel)
    notice = next(message for message in page if message.kind == "message_pinned")
    refused = await tavern.owner.ask("PATCH", path_of(tavern, notice.id), json={"text": "x"})
    assert refused.status_code == 409
    unknown = await tavern.owner.ask(
        "PATCH", path_of(tavern, MessageId(any_id())), json={"text": "x"}
    )
    assert unknown.status_code == 404


async def test_of_two_edits_of_one_version_one_wins(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, "zero")
    read = await tavern.guest.ask("GET", path_of(tavern, sent.id))
    match = {"if-match": read.headers["etag"]}
    answers = await asyncio.gather(
        *(
            tavern.guest.ask("PATCH", path_of(tavern, sent.id), json={"text": text}, headers=match)
            for text in ("one", "two")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert answers[0].json().get("code", "") + answers[1].json().get("code", "") == "stale_version"


async def test_an_edit_changes_whom_it_calls(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, other = tavern.guests
    sent = await guest.say(tavern.channel, f"<@{tavern.owner.user}>")
    assert (await tavern.owner.reading(tavern.channel)).mentions == 1
    await guest.ask("PATCH", path_of(tavern, sent.id), json={"text": f"<@{other.user}>"})
    assert (await tavern.owner.reading(tavern.channel)).mentions == 0
    assert (await other.reading(tavern.channel)).mentions == 1


# --- Deleting ---


async def test_one_deletes_ones_own_and_a_moderator_anybodys(stage: Stage) -> None:
    tavern = await stage.tavern(guests=3)
    guest, other, moderator = tavern.guests
    await let_manage(tavern, moderator)
    first, second = [await guest.say(tavern.channel, text) for text in ("one", "two")]
    assert (await other.ask("DELETE", path_of(tavern, first.id))).status_code == 403
    assert (await guest.ask("DELETE", path_of(tavern, first.id))).status_code == 204
    assert (await moderator.ask("DELETE", path_of(tavern, second.id))).status_code == 204
    assert (await moderator.ask("DELETE", path_of(tavern, second.id))).status_code == 404
    assert await guest.texts(tavern.channel) == []
    told = await stage.heard(MessagesDeleted)
    assert [event.messages for event in told] == [[first.id], [second.id]]


async def test_many_are_deleted_at_once_and_those_gone_are_left_out(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, moderator = tavern.guests
    await let_manage(tavern, moderator)
    written = [await guest.say(tavern.channel, f"{number}") for number in range(5)]
    elsewhere = await guest.say(await tavern.new_channel(), "safe")
    doomed = [*(message.id for message in written[:3]), elsewhere.id, any_id()]
    path = f"/channels/{tavern.channel}/messages/delete"
    body = {"messages": [str(message) for message in doomed]}
    assert (await guest.ask("POST", path, json=body)).status_code == 403
    assert (await moderator.ask("POST", path, json=body)).status_code == 204
    assert await guest.texts(tavern.channel) == ["4", "3"]
    assert await guest.texts(elsewhere.channel) == ["safe"]
    (told,) = await stage.heard(MessagesDeleted)
    assert set(told.messages) == {message.id for message in written[:3]}
    too_many = {"messages": [str(any_id()) for _ in range(101)]}
    assert (await moderator.ask("POST", path, json=too_many)).status_code == 422


async def test_with_a_message_goes_all_that_hangs_at_it(stage: Stage) -> None:
    tavern = await stage.tavern()
    file = new_file()
    stage.neighbours.files = {file.id: file}
    sent = await tavern.guest.say(
        tavern.channel, f"<@{tavern.owner.user}>", attachments=[str(file.id)]
    )
    await tavern.owner.ask("PUT", f"{path_of(tavern, sent.id)}/reactions/👍")
    await tavern.guest.ask("DELETE", path_of(tavern, sent.id))
    for table in ("mentions", "reactions", "reaction_kinds"):
        rows = await stage.around.database.fetch(f"SELECT * FROM {table} LIMIT 1", {})
        assert list(rows) == []
    # The sweep tells media.
    rows = await stage.around.database.fetch("SELECT file FROM file_drops LIMIT 9", {})
    assert [row[0] for row in rows] == [file.id]


# --- Pins ---


async def test_a_pin_is_listed_told_and_announced_by_the_server(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, "keep")
    pin = f"/channels/{tavern.channel}/pins/{sent.id}"
    assert (await tavern.guest.ask("PUT", pin)).status_code == 403
    for _ in range(2):
        assert (await tavern.owner.ask("PUT", pin)).status_code == 204
    await tavern.guest.ask("PUT", f"{path_of(tavern, sent.id)}/reactions/👍")
    pins = await tavern.guest.get(f"/channels/{tavern.channel}/pins", list[Message])
    assert [(each.id, each.pinned) for each in pins] == [(sent.id, True)]
    assert pins[0].reactions == [Reaction("👍", 1, mine=True)]
    notices = [m for m in (await tavern.guest.page(tavern.channel))[0] if m.kind != "text"]
    pinned = [n for n in notices if n.kind == "message_pinned"]
    assert [(n.author, n.reply_to) for n in pinned] == [(tavern.owner.user, sent.id)]
    edit = await tavern.guest.ask("PATCH", path_of(tavern, sent.id), json={"text": "kept"})
    assert edit.json()["pinned"]
    assert (await tavern.owner.ask("DELETE", pin)).status_code == 204
    assert await tavern.guest.get(f"/channels/{tavern.channel}/pins", list[Message]) == []
    told = [event.message.pinned for event in await stage.heard(MessageEdited)]
    assert told == [True, True, False]


async def test_the_latest_pin_comes_first_and_there_are_at_most_fifty(stage: Stage) -> None:
    tavern = await stage.tavern()
    written = [await tavern.owner.say(tavern.channel, f"{number}") for number in range(51)]
    for message in written[:50]:
        answer = await tavern.owner.ask("PUT", f"/channels/{tavern.channel}/pins/{message.id}")
        assert answer.status_code == 204
    full = await tavern.owner.ask("PUT", f"/channels/{tavern.channel}/pins/{written[50].id}")
    assert full.status_code == 409
    pins = await tavern.guest.get(f"/channels/{tavern.channel}/pins", list[Message])
    assert [pin.id for pin in pins] == [message.id for message in written[49::-1]]


# --- Reactions ---


async def test_reactions_are_counted_once_each(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, other = tavern.guests
    sent = await guest.say(tavern.channel, "funny")
    for person, emoji in ((guest, "👍"), (guest, "👍"), (other, "👍"), (other, "❤️")):
        answer = await person.ask("PUT", f"{path_of(tavern, sent.id)}/reactions/{emoji}")
        assert answer.status_code == 204
    found = next(m for m in (await guest.page(tavern.channel))[0] if m.id == sent.id)
    assert found.reactions == [Reaction("👍", 2, mine=True), Reaction("❤️", 1)]
    await guest.ask("DELETE", f"{path_of(tavern, sent.id)}/reactions/👍")
    await guest.ask("DELETE", f"{path_of(tavern, sent.id)}/reactions/👍")
    await other.ask("DELETE", f"{path_of(tavern, sent.id)}/reactions/❤️")
    found = await guest.get(path_of(tavern, sent.id), Message)
    assert found.reactions == [Reaction("👍", 1)]
    told = [(e.user, e.emoji, e.added, e.count) for e in await stage.heard(ReactionChanged)]
    assert told == [
        (guest.user, "👍", True, 1),
        (other.user, "👍", True, 2),
        (other.user, "❤️", True, 1),
        (guest.user, "👍", False, 1),
        (other.user, "❤️", False, 0),
    ]


async def test_many_who_react_at_once_are_all_counted(stage: Stage) -> None:
    tavern = await stage.tavern(guests=8)
    sent = await tavern.owner.say(tavern.channel, "vote")
    path = f"{path_of(tavern, sent.id)}/reactions/👍"
    await asyncio.gather(*(guest.ask("PUT", path) for guest in tavern.guests))
    found = await tavern.owner.get(path_of(tavern, sent.id), Message)
    assert found.reactions == [Reaction("👍", 8)]
    users: list[UserId] = []
    cursor = {}
    for size in (3, 3, 2):
        answer = await tavern.owner.ask("GET", path, params={"limit": 3, **cursor})
        page = answer.json()
        assert len(page["items"]) == size
        users += [UserId(each) for each in page["items"]]
        cursor = {"cursor": page["next"]}
    assert cursor == {"cursor": None}
    assert sorted(users) == sorted(str(guest.user) for guest in tavern.guests)


async def test_who_may_not_add_reactions_may_join_one(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.owner.say(tavern.channel, "hi")
    await tavern.overwrite("everyone", deny=int(Permission.ADD_REACTIONS))
    path = f"{path_of(tavern, sent.id)}/reactions"
    assert (await tavern.guest.ask("PUT", f"{path}/👍")).status_code == 403
    await tavern.owner.ask("PUT", f"{path}/👍")
    assert (await tavern.guest.ask("PUT", f"{path}/👍")).status_code == 204


async def test_a_message_holds_twenty_kinds(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.owner.say(tavern.channel, "hi")
    path = f"{path_of(tavern, sent.id)}/reactions"
    for number in range(20):
        answer = await tavern.owner.ask("PUT", f"{path}/{chr(0x1F600 + number)}")
        assert answer.status_code == 204
    assert (await tavern.guest.ask("PUT", f"{path}/👍")).status_code == 409
    assert (await tavern.guest.ask("PUT", f"{path}/{chr(0x1F600)}")).status_code == 204
    assert (await tavern.guest.ask("PUT", f"{path}/nonsense")).status_code == 422


async def test_a_moderator_takes_the_reaction_of_another(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.owner.say(tavern.channel, "hi")
    path = f"{path_of(tavern, sent.id)}/reactions/👎"
    await tavern.guest.ask("PUT", path)
    assert (await tavern.guest.ask("DELETE", f"{path}/{tavern.owner.user}")).status_code == 403
    assert (await tavern.owner.ask("DELETE", f"{path}/{tavern.guest.user}")).status_code == 204
    assert (await tavern.owner.get(path_of(tavern, sent.id), Message)).reactions == []
