"""Writing in channels, over HTTP and on both sets of engines."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from services.chat.tests.stage_messages import (
    GENEROUS,
    STAGES,
    Stage,
    any_id,
    new_file,
    open_stage,
)
from sidetone.permissions import Permission
from sidetone.protocol.events import (
    Fact,
    InChannel,
    MessageSent,
    RelationshipChanged,
    ToUsers,
    TypingStarted,
)
from sidetone.protocol.ids import FactId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import ServerState
from sidetone.protocol.social import Relationship
from sidetone.runtime.limits import Limit
from tests.waiting import until


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def test_a_message_is_answered_kept_and_told(stage: Stage) -> None:
    tavern = await stage.tavern()
    sent = await tavern.guest.say(tavern.channel, " hello\r\nthere ")
    assert (sent.text, sent.author, sent.kind) == ("hello\nthere", tavern.guest.user, "text")
    assert sent in (await tavern.owner.page(tavern.channel))[0]
    assert MessageSent(sent) in await stage.heard(MessageSent)
    told = next(fact for fact in stage.facts if fact.event == MessageSent(sent))
    assert told.audience == InChannel(tavern.server.id, tavern.channel)


@pytest.mark.parametrize("text", ["", " \n\t ", "x" * 4001, "bell \x07", "nul \x00", "\u200b"])
async def test_what_says_nothing_or_too_much_is_refused(stage: Stage, text: str) -> None:
    tavern = await stage.tavern()
    answer = await tavern.guest.post(tavern.channel, text=text)
    assert answer.status_code == 422
    assert await tavern.guest.texts(tavern.channel) == []


async def test_a_retry_with_the_same_nonce_is_the_same_message(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    first = await tavern.guest.say(tavern.channel, "once", nonce="n1")
    again = await tavern.guest.post(tavern.channel, text="twice", nonce="n1")
    assert again.status_code == 200
    assert msgspec.json.decode(again.content, type=Message) == first
    # The nonce is the author's own, and the channel's.
    await tavern.guests[1].say(tavern.channel, "mine", nonce="n1")
    await tavern.guest.say(await tavern.new_channel(), "there", nonce="n1")
    assert await tavern.guest.texts(tavern.channel) == ["mine", "once"]


async def test_ten_retries_at_once_store_one_message(stage: Stage) -> None:
    tavern = await stage.tavern()
    answers = await asyncio.gather(
        *(tavern.guest.post(tavern.channel, text="once", nonce="n1") for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    sent = [told for told in await stage.heard(MessageSent) if told.message.text == "once"]
    assert len(sent) == 1


async def test_many_at_once_are_all_kept_and_told_once(stage: Stage) -> None:
    tavern = await stage.tavern(guests=3)
    texts = {f"{number}" for number in range(60)}
    await asyncio.gather(
        *(tavern.guests[int(text) % 3].say(tavern.channel, text) for text in texts)
    )
    assert set(await tavern.owner.texts(tavern.channel, limit=100)) == texts
    told = [t.message.text for t in await stage.heard(MessageSent) if t.message.kind == "text"]
    assert sorted(told) == sorted(texts)


async def test_a_stranger_finds_no_channel_and_a_silenced_member_no_right(stage: Stage) -> None:
    tavern = await stage.tavern()
    assert (await stage.person().post(tavern.channel, text="hi")).status_code == 404
    assert (await tavern.guest.post(any_id(), text="hi")).status_code == 404  # pyright: ignore[reportArgumentType]
    await tavern.overwrite(tavern.guest.user, deny=int(Permission.SEND_MESSAGES))
    assert (await tavern.guest.post(tavern.channel, text="hi")).status_code == 403
    await tavern.overwrite(tavern.guest.user, deny=int(Permission.VIEW_CHANNEL))
    assert (await tavern.guest.post(tavern.channel, text="hi")).status_code == 404
    category = await tavern.new_channel(kind="category")
    assert (await tavern.owner.post(category, text="hi")).status_code == 409


async def test_a_right_that_another_process_took_away_is_noticed_at_once(stage: Stage) -> None:
    tavern = await stage.tavern()
    await tavern.guest.say(tavern.channel, "before")
    other = stage.other_process()
    async with other.changes.of(tavern.server.id) as change:
        channel = change.draft.before.channels[tavern.channel]
        (everyone,) = change.draft.before.roles.values()
        change.draft.put(
            msgspec.structs.replace(everyone, permissions=int(Permission.VIEW_CHANNEL))
        )
        change.draft.put(msgspec.structs.replace(channel, topic="quiet"))
    # Nobody relays what the other process stored, so this one decides on what it remembers.
    assert (await tavern.guest.post(tavern.channel, text="after")).status_code == 403
    assert await tavern.owner.texts(tavern.channel) == ["before"]


async def test_a_change_in_between_that_takes_nothing_away_is_no_obstacle(stage: Stage) -> None:
    tavern = await stage.tavern()
    other = stage.other_process()
    async with other.changes.of(tavern.server.id) as change:
        channel = change.draft.before.channels[tavern.channel]
        change.draft.put(msgspec.structs.replace(channel, topic="loud"))
    await tavern.guest.say(tavern.channel, "still here")


async def test_who_is_called_is_found_by_the_server(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, other = tavern.guests
    text = (
        f"<@{other.user}> <@{str(other.user).upper()}> <@{any_id()}> `<@{tavern.owner.user}>` "
        f"@everyone <@&{tavern.server.id}>"
    )
    sent = await guest.say(tavern.channel, text)
    assert (sent.mentions, sent.mentioned_roles, sent.mentions_everyone) == (
        [other.user],
        [],
        False,
    )
    assert (await tavern.owner.say(tavern.channel, "@here")).mentions_everyone


async def test_an_answer_calls_whom_it_answers(stage: Stage) -> None:
    tavern = await stage.tavern()
    asked = await tavern.guest.say(tavern.channel, "who?")
    answer = await tavern.owner.say(tavern.channel, "me", reply_to=str(asked.id))
    assert (answer.reply_to, answer.mentions) == (asked.id, [tavern.guest.user])
    elsewhere = await tavern.new_channel()
    refused = await tavern.owner.post(elsewhere, text="me", reply_to=str(asked.id))
    assert refused.status_code == 404


async def test_files_are_claimed_and_carried(stage: Stage) -> None:
    tavern = await stage.tavern()
    files = [new_file(), new_file("cat.webp", "image/webp")]
    stage.neighbours.files = {file.id: file for file in files}
    ids = [str(file.id) for file in files]
    sent = await tavern.guest.say(tavern.channel, "", attachments=ids)
    assert sent.attachments == files
    assert sent in (await tavern.owner.page(tavern.channel))[0]
    unknown = await tavern.guest.post(tavern.channel, text="x", attachments=[str(any_id())])
    assert unknown.status_code == 404
    eleven = [str(any_id()) for _ in range(11)]
    many = await tavern.guest.post(tavern.channel, text="x", attachments=eleven)
    assert many.status_code == 422
    await tavern.overwrite("everyone", deny=int(Permission.ATTACH_FILES))
    assert (await tavern.guest.post(tavern.channel, attachments=ids)).status_code == 403


async def test_a_slow_channel_makes_wait_but_not_who_may_pass(stage: Stage) -> None:
    tavern = await stage.tavern()
    await tavern.edit_channel(slow_mode_seconds=60)
    first = await tavern.guest.say(tavern.channel, "one", nonce="n1")
    refused = await tavern.guest.post(tavern.channel, text="two")
    assert refused.status_code == 429
    assert 50 <= int(refused.headers["retry-after"]) <= 60
    again = await tavern.guest.post(tavern.channel, text="one", nonce="n1")
    assert (again.status_code, again.json()["id"]) == (200, str(first.id))
    for text in ("one", "two"):
        await tavern.owner.say(tavern.channel, text)


async def test_a_flood_of_one_author_is_stopped_and_hurts_nobody_else() -> None:
    policy = msgspec.structs.replace(GENEROUS, messages_per_channel=Limit(5, 5_000))
    async with open_stage("embedded", policy) as stage:
        tavern = await stage.tavern(guests=2)
        answers = [await tavern.guest.post(tavern.channel, text=f"{n}") for n in range(7)]
        assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 2
        assert "retry-after" in answers[-1].headers
        await tavern.guests[1].say(tavern.channel, "calm")
        await tavern.guest.say(await tavern.new_channel(), "elsewhere")


async def test_typing_is_told_to_who_sees_the_channel(stage: Stage) -> None:
    tavern = await stage.tavern()
    answer = await tavern.guest.ask("POST", f"/channels/{tavern.channel}/typing")
    assert answer.status_code == 204
    await until(lambda: stage.signals)
    (signal,) = stage.signals
    assert signal.audience == InChannel(tavern.server.id, tavern.channel)
    assert signal.event == TypingStarted(tavern.channel, tavern.guest.user)
    await tavern.overwrite("everyone", deny=int(Permission.SEND_MESSAGES))
    refused = await tavern.guest.ask("POST", f"/channels/{tavern.channel}/typing")
    assert refused.status_code == 403


async def test_who_blocked_each_other_cannot_write_to_each_other(stage: Stage) -> None:
    one, other = stage.person(), stage.person()
    opened = await one.ask("POST", "/conversations", json={"users": [str(other.user)]})
    assert opened.status_code == 201, opened.text
    state = msgspec.json.decode(opened.content, type=ServerState)
    channel = state.channels[0].id
    sent = await one.say(channel, "hello")
    assert (await other.reading(channel)).unread == 1
    assert (await stage.person().post(channel, text="me too")).status_code == 404
    stage.neighbours.blocked = {other.user}
    ended = Fact(
        FactId(any_id()),
        ToUsers([one.user]),
        RelationshipChanged(Relationship(other.user, "blocked", 1)),
    )
    await stage.around.journal.record([ended])
    await until(lambda: ended in stage.facts)
    answer = await one.post(channel, text="are you there?")
    assert (answer.status_code, answer.json()["code"]) == (403, "contact_blocked")
    assert await other.texts(channel) == [sent.text]
