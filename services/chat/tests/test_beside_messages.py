"""What goes on beside the requests: previews, notices, sweeps, and what facts bring."""

from collections.abc import AsyncGenerator

import msgspec
import pytest
from uuid_utils.compat import uuid7

from services.chat.tests.stage_messages import STAGES, Stage, Tavern, new_file, open_stage
from sidetone.chat.app import Writing
from sidetone.chat.infrastructure.own_search import own_search
from sidetone.permissions import Permission
from sidetone.protocol.calls import Call
from sidetone.protocol.events import (
    AccountClosed,
    CallChanged,
    Fact,
    MessageEdited,
    ServerChanged,
    Services,
)
from sidetone.protocol.files import LinkPreview
from sidetone.protocol.ids import CallId, ChannelId, FactId, UserId
from sidetone.protocol.messages import Message
from tests.waiting import until

PAGE = LinkPreview("https://a.example/page", "A page", "of words")


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def writing_of(stage: Stage) -> Writing:
    """Return the use cases of another process of chat, which does nothing by itself."""
    ground = stage.other_process()
    return Writing(ground, await own_search(stage.around.database), stage.cql)


async def rows_of(stage: Stage, table: str) -> int:
    rows = await stage.around.database.fetch(f"SELECT COUNT(*) FROM {table}", {})
    return msgspec.convert(rows[0][0], int)


async def notices(tavern: Tavern, kind: str, channel: ChannelId | None = None) -> list[Message]:
    page, _ = await tavern.owner.page(channel or tavern.channel)
    return [message for message in page if message.kind == kind]


def arrived(stage: Stage) -> set[UserId]:
    """Return whom the facts name as members."""
    changes = [fact.event for fact in stage.facts if isinstance(fact.event, ServerChanged)]
    return {member.user for change in changes for member in change.members}


# --- Previews ---


async def test_a_link_is_previewed_after_the_message_was_sent(stage: Stage) -> None:
    tavern = await stage.tavern()
    stage.neighbours.previews = {PAGE.url: PAGE}
    sent = await tavern.guest.say(
        tavern.channel, f"look {PAGE.url} https://b.example/none <https://c.example>"
    )
    assert sent.previews == []
    await until(lambda: any(isinstance(f.event, MessageEdited) for f in stage.facts))
    (told,) = await stage.heard(MessageEdited)
    assert (told.message.previews, told.message.edited_at_ms) == ([PAGE], None)
    path = f"/channels/{tavern.channel}/messages/{sent.id}"
    assert (await tavern.owner.get(path, Message)).previews == [PAGE]
    edited = await tavern.guest.ask("PATCH", path, json={"text": "no link any more"})
    assert edited.json()["previews"] == []


async def test_a_preview_of_what_was_edited_meanwhile_is_thrown_away(stage: Stage) -> None:
    tavern = await stage.tavern()
    writing = await writing_of(stage)
    sent = await tavern.guest.say(tavern.channel, PAGE.url)
    path = f"/channels/{tavern.channel}/messages/{sent.id}"
    await tavern.guest.ask("PATCH", path, json={"text": "something else"})
    stage.neighbours.previews = {PAGE.url: PAGE}
    await writing.previews.preview(sent)
    assert (await tavern.guest.get(path, Message)).previews == []
    await tavern.guest.ask("DELETE", path)
    await writing.previews.preview(sent)


async def test_a_slow_page_is_asked_again(stage: Stage) -> None:
    tavern = await stage.tavern()
    stage.neighbours.previews = {PAGE.url: PAGE}
    stage.neighbours.slow_pages = 1
    sent = await tavern.guest.say(tavern.channel, PAGE.url)
    await until(lambda: any(isinstance(f.event, MessageEdited) for f in stage.facts))
    (told,) = await stage.heard(MessageEdited)
    assert (told.message.id, told.message.previews) == (sent.id, [PAGE])


async def test_who_may_not_embed_links_gets_no_preview(stage: Stage) -> None:
    tavern = await stage.tavern()
    stage.neighbours.previews = {PAGE.url: PAGE}
    await tavern.overwrite(tavern.guest.user, deny=int(Permission.EMBED_LINKS))
    await tavern.guest.say(tavern.channel, PAGE.url)
    mine = await tavern.owner.say(tavern.channel, PAGE.url)
    await until(lambda: any(isinstance(f.event, MessageEdited) for f in stage.facts))
    assert [event.message.id for event in await stage.heard(MessageEdited)] == [mine.id]


async def test_too_many_links_at_once_are_let_go(stage: Stage) -> None:
    tavern = await stage.tavern()
    writing = await writing_of(stage)
    sent = await tavern.guest.say(tavern.channel, "hi")
    for _ in range(1_001):
        writing.previews.look_at(sent)
    assert writing.previews.waiting.full()


# --- Notices ---


async def test_a_newcomer_is_welcomed_once_where_they_can_read_it(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    await until(lambda: arrived(stage) >= {guest.user for guest in tavern.guests})
    writing = await writing_of(stage)
    for fact in list(stage.facts):
        # Another process hears the same facts.
        await writing.facts.hear(fact)
    welcomed = await notices(tavern, "member_joined")
    assert {notice.author for notice in welcomed} == {guest.user for guest in tavern.guests}
    assert len(welcomed) == 2


async def test_who_hears_of_an_arrival_early_looks_again(stage: Stage) -> None:
    tavern = await stage.tavern(guests=0)
    writing = await writing_of(stage)
    places = writing.facts.notices.places
    before = await places.community(tavern.server.id)
    newcomer = await tavern.newcomer()
    assert newcomer.user not in before.members
    await until(lambda: newcomer.user in arrived(stage))
    changes = [fact for fact in stage.facts if isinstance(fact.event, ServerChanged)]
    await writing.facts.hear(changes[-1])
    assert newcomer.user in (await places.community(tavern.server.id)).members
    assert len(await notices(tavern, "member_joined")) == 1


async def test_a_nickname_is_no_arrival(stage: Stage) -> None:
    tavern = await stage.tavern()
    await until(lambda: tavern.guest.user in arrived(stage))
    path = f"/servers/{tavern.server.id}/members/{tavern.guest.user}"
    answer = await tavern.owner.ask("PATCH", path, json={"nickname": "Bo"})
    assert answer.status_code == 200, answer.text
    writing = await writing_of(stage)
    for fact in list(stage.facts):
        await writing.facts.hear(fact)
    assert len(await notices(tavern, "member_joined")) == 1


async def test_a_call_that_is_over_leaves_one_line(stage: Stage) -> None:
    tavern = await stage.tavern()
    writing = await writing_of(stage)
    call = Call(
        CallId(uuid7()), tavern.server.id, tavern.channel, tavern.guest.user, 1_000, "open"
    )
    over = msgspec.structs.replace(call, outcome="missed", ended_at_ms=31_000)
    for state in (call, over, over):
        await writing.facts.hear(Fact(FactId(uuid7()), Services(), CallChanged(state)))
    (line,) = await notices(tavern, "call")
    assert (line.author, line.call) == (tavern.guest.user, over)


# --- What is gone ---


async def test_a_deleted_channel_leaves_nothing_behind(stage: Stage) -> None:
    tavern = await stage.tavern()
    doomed = await tavern.new_channel("doomed")
    file = new_file()
    stage.neighbours.files = {file.id: file}
    sent = await tavern.guest.say(
        doomed, f"<@{tavern.owner.user}>", attachments=[str(file.id)], nonce="n"
    )
    path = f"/channels/{doomed}/messages/{sent.id}"
    await tavern.owner.ask("PUT", f"{path}/reactions/👍")
    await tavern.owner.ask("PUT", f"/channels/{doomed}/read", json={"message": str(sent.id)})
    stays = await tavern.guest.say(tavern.channel, "stays")
    answer = await tavern.owner.ask("DELETE", f"/channels/{doomed}")
    assert answer.status_code == 204, answer.text
    await until(lambda: stage.neighbours.dropped)
    assert stage.neighbours.dropped == [file.id]
    await (await writing_of(stage)).sweep.sweep()
    for table in ("mentions", "reactions", "reaction_kinds", "read_states", "file_drops"):
        assert await rows_of(stage, table) == 0
    assert await tavern.guest.texts(tavern.channel) == [stays.text]
    table = "messages" if stage.cql is None else "message_channels"
    channels = await stage.around.database.fetch(f"SELECT DISTINCT channel FROM {table}", {})
    assert len(channels) == 1


async def test_a_long_channel_is_cleared_in_parts(stage: Stage) -> None:
    tavern = await stage.tavern()
    doomed = await tavern.new_channel("doomed")
    for number in range(7):
        await tavern.guest.say(doomed, f"{number}")
    leftovers = (await writing_of(stage)).sweep.leftovers
    assert await leftovers.channels(10) == []
    await stage.around.database.execute("DELETE FROM channels WHERE id = :id", {"id": doomed})
    assert await leftovers.channels(10) == [doomed]
    assert [await leftovers.clear(doomed, 3) for _ in range(4)] == [3, 3, 1, 0]
    assert await leftovers.channels(10) == []


async def test_a_thread_gone_quiet_is_archived_and_a_lively_one_is_not(stage: Stage) -> None:
    tavern = await stage.tavern()
    threads: list[ChannelId] = []
    for text in ("quiet", "lively"):
        origin = await tavern.guest.say(tavern.channel, text)
        path = f"/channels/{tavern.channel}/messages/{origin.id}/thread"
        answer = await tavern.guest.ask("POST", path, json={"name": text})
        threads.append(ChannelId(type(uuid7())(answer.json()["id"])))
    quiet, lively = threads
    said = await tavern.guest.say(lively, "still here")
    sweep = (await writing_of(stage)).sweep
    idle = await sweep.threads.threads.idle(said.id, 10)
    assert [thread.id for thread in idle] == [quiet]
    # Nothing is a week old yet.
    assert await sweep.threads.archive_idle() == 0


async def test_a_closed_account_leaves_its_messages_and_no_marks(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, "remember me")
    path = f"/channels/{tavern.channel}/read"
    await tavern.guest.ask("PUT", path, json={"message": str(sent.id)})
    writing = await writing_of(stage)
    closed = AccountClosed(UserId(tavern.guest.user))
    await writing.facts.hear(Fact(FactId(uuid7()), Services(), closed))
    assert await rows_of(stage, "read_states") == 0
    assert await tavern.owner.texts(tavern.channel) == ["remember me"]


async def test_what_a_banned_member_wrote_lately_is_removed_and_the_rest_stays(
    stage: Stage,
) -> None:
    tavern = await stage.tavern(guests=2)
    flooder, other = tavern.guests
    attic = await tavern.new_channel()
    for number in range(120):
        await flooder.say((tavern.channel, attic)[number % 2], f"spam {number}")
    await other.say(tavern.channel, "fine")
    writing = await writing_of(stage)
    since_ms = stage.around.clock.now_ms() + 60_000
    await writing.recent.remove(tavern.server.id, flooder.user, since_ms)
    assert len(await flooder.texts(attic, limit=100)) == 60
    await writing.recent.remove(tavern.server.id, flooder.user, 0)
    assert await other.texts(tavern.channel) == ["fine"]
    assert await other.texts(attic) == []


# --- Hits ---


async def test_hits_of_any_channels_come_back_in_their_order(stage: Stage) -> None:
    tavern = await stage.tavern()
    attic = await tavern.new_channel()
    said = [
        await tavern.guest.say((tavern.channel, attic)[number % 2], f"{number}")
        for number in range(53)
    ]
    await tavern.owner.ask("PUT", f"/channels/{attic}/messages/{said[1].id}/reactions/👍")
    hits = [(message.channel, message.id) for message in said[::-1]]
    gone = (attic, said[0].id)
    messages = (await writing_of(stage)).messages
    found = await messages.every([gone, *hits], tavern.owner.user)
    assert [message.text for message in found] == [message.text for message in said[::-1]]
    assert [m.text for m in found if m.reactions] == ["1"]
    assert found[-2].reactions[0].mine
