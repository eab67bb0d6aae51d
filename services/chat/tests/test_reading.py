"""History, read states, threads and search, over HTTP and on both sets of engines."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from services.chat.tests.stage_messages import STAGES, Stage, Tavern, any_id, open_stage
from sidetone.permissions import Permission
from sidetone.protocol.events import MessageEdited, ReadMarked, ServerChanged, ToUsers
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.questions import ReadStatesOf
from sidetone.protocol.servers import Channel


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def written(tavern: Tavern, count: int) -> list[Message]:
    """Return *count* messages, the newest first, in a channel of their own."""
    tavern.channel = await tavern.new_channel("hall")
    said = [await tavern.owner.say(tavern.channel, f"{number}") for number in range(count)]
    return said[::-1]


# --- History ---


async def test_history_goes_back_page_by_page_and_forth_again(stage: Stage) -> None:
    tavern = await stage.tavern()
    said = await written(tavern, 7)
    back: list[Message] = []
    before: dict[str, str] = {}
    for size in (3, 3, 1):
        page, mark = await tavern.guest.page(tavern.channel, limit=3, **before)
        assert len(page) == size
        back += page
        before = {"before": mark or ""}
    assert mark is None
    assert back == said
    page, mark = await tavern.guest.page(tavern.channel, limit=4, after=said[-1].id)
    assert page == said[2:6]
    page, mark = await tavern.guest.page(tavern.channel, limit=4, after=mark)
    assert (page, mark) == (said[:2], None)


async def test_around_a_message_stands_what_came_before_and_after(stage: Stage) -> None:
    tavern = await stage.tavern()
    said = await written(tavern, 7)
    page, mark = await tavern.guest.page(tavern.channel, limit=3, around=said[3].id)
    assert page == said[2:5]
    assert mark == str(said[4].id)
    page, _ = await tavern.guest.page(tavern.channel, limit=4, around=said[0].id)
    assert page == said[:4]
    page, _ = await tavern.guest.page(tavern.channel, limit=4, around=said[6].id)
    assert page == said[4:]


async def test_an_empty_channel_has_an_empty_history(stage: Stage) -> None:
    tavern = await stage.tavern()
    await written(tavern, 0)
    for mark in ({}, {"before": any_id()}, {"after": any_id()}, {"around": any_id()}):
        assert await tavern.guest.page(tavern.channel, **mark) == ([], None)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"limit": 0}, 400),
        ({"limit": 101}, 400),
        ({"before": "x"}, 400),
        ({"before": str(any_id()), "after": str(any_id())}, 422),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    stage: Stage, params: dict[str, object], status: int
) -> None:
    tavern = await stage.tavern()
    answer = await tavern.guest.ask("GET", f"/channels/{tavern.channel}/messages", params=params)
    assert answer.status_code == status


async def test_history_takes_a_right_and_a_stranger_finds_none(stage: Stage) -> None:
    tavern = await stage.tavern()
    (sent,) = await written(tavern, 1)
    await tavern.overwrite("everyone", deny=int(Permission.READ_HISTORY))
    paths = [
        f"/channels/{tavern.channel}/messages",
        f"/channels/{tavern.channel}/messages/{sent.id}",
        f"/channels/{tavern.channel}/pins",
        f"/channels/{tavern.channel}/messages/{sent.id}/reactions/👍",
    ]
    for path in paths:
        assert (await tavern.guest.ask("GET", path)).status_code == 403
        assert (await stage.person().ask("GET", path)).status_code == 404


async def test_a_message_is_not_found_in_another_channel(stage: Stage) -> None:
    tavern = await stage.tavern()
    (sent,) = await written(tavern, 1)
    other = await tavern.new_channel("other")
    answer = await tavern.guest.ask("GET", f"/channels/{other}/messages/{sent.id}")
    assert answer.status_code == 404


# --- Read states ---


async def mark(
    tavern: Tavern, message: MessageId, channel: ChannelId | None = None, **more: object
) -> ReadState:
    answer = await tavern.guest.ask(
        "PUT",
        f"/channels/{channel or tavern.channel}/read",
        json={"message": str(message), **more},
    )
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ReadState)


async def test_what_others_wrote_waits_until_it_is_read(stage: Stage) -> None:
    tavern = await stage.tavern()
    said = await written(tavern, 5)
    await tavern.guest.say(tavern.channel, "own")
    assert await tavern.guest.reading(tavern.channel) == ReadState(tavern.channel, None, 5, 0)
    assert (await tavern.owner.reading(tavern.channel)).unread == 1
    assert await mark(tavern, said[2].id) == ReadState(tavern.channel, said[2].id, 2, 0)
    assert await tavern.guest.reading(tavern.channel) == ReadState(
        tavern.channel, said[2].id, 2, 0
    )
    question = ReadStatesOf(tavern.guest.user)
    states = await stage.around.bus.ask(question)
    assert ReadState(tavern.channel, said[2].id, 2, 0) in states


async def test_a_mark_moves_forward_unless_it_is_set_back_on_purpose(stage: Stage) -> None:
    tavern = await stage.tavern()
    said = await written(tavern, 4)
    await mark(tavern, said[0].id)
    assert (await mark(tavern, said[3].id)).last_read == said[0].id
    back = await mark(tavern, said[3].id, backwards=True)
    assert (back.last_read, back.unread) == (said[3].id, 3)
    told = await stage.heard(ReadMarked)
    assert [event.state.unread for event in told] == [0, 3]
    audience = next(f.audience for f in stage.facts if isinstance(f.event, ReadMarked))
    assert audience == ToUsers([tavern.guest.user])


async def test_reading_into_the_future_does_not_hide_what_comes(stage: Stage) -> None:
    tavern = await stage.tavern()
    await written(tavern, 1)
    future = MessageId(type(any_id())(int=(1 << 128) - 1))
    assert (await mark(tavern, future)).unread == 0
    await tavern.owner.say(tavern.channel, "later")
    # The clock of ids may stand still for a millisecond.
    assert (await tavern.guest.reading(tavern.channel)).unread in {0, 1}
    state = await tavern.guest.reading(tavern.channel)
    assert state.last_read is not None
    assert state.last_read < future


async def test_what_was_written_before_one_came_is_not_unread(stage: Stage) -> None:
    tavern = await stage.tavern()
    await written(tavern, 3)
    late = await tavern.newcomer()
    assert (await late.reading(tavern.channel)).unread == 0
    await tavern.owner.say(tavern.channel, "welcome")
    assert (await late.reading(tavern.channel)).unread == 1


async def test_calls_are_counted_once_per_message_and_not_ones_own(stage: Stage) -> None:
    tavern = await stage.tavern()
    await written(tavern, 0)
    await tavern.owner.say(tavern.channel, f"<@{tavern.guest.user}> and @everyone")
    await tavern.owner.say(tavern.channel, "@here")
    last = await tavern.owner.say(tavern.channel, "nobody")
    assert await tavern.guest.reading(tavern.channel) == ReadState(tavern.channel, None, 3, 2)
    await tavern.guest.say(tavern.channel, "I see")
    mine = await tavern.owner.reading(tavern.channel)
    assert (mine.unread, mine.mentions) == (1, 0)
    assert await mark(tavern, last.id) == ReadState(tavern.channel, last.id, 0, 0)


async def test_counting_ends_at_a_hundred(stage: Stage) -> None:
    tavern = await stage.tavern()
    await written(tavern, 103)
    assert (await tavern.guest.reading(tavern.channel)).unread == 100


async def test_two_hundred_channels_are_counted_in_one_question(stage: Stage) -> None:
    tavern = await stage.tavern()
    channels = [await tavern.new_channel(f"c{number}") for number in range(201)]
    for channel in channels[::2]:
        await tavern.owner.say(channel, f"<@{tavern.guest.user}>")
    states = {s.channel: s for s in await tavern.guest.get("/read-states", list[ReadState])}
    for number, channel in enumerate(channels):
        wanted = None if number % 2 else ReadState(channel, None, 1, 1)
        assert states.get(channel) == wanted


async def test_a_hidden_channel_has_no_read_state(stage: Stage) -> None:
    tavern = await stage.tavern()
    (sent,) = await written(tavern, 1)
    await tavern.overwrite("everyone", deny=int(Permission.VIEW_CHANNEL))
    assert (await tavern.guest.reading(tavern.channel)).unread == 0
    path = f"/channels/{tavern.channel}/read"
    answer = await tavern.guest.ask("PUT", path, json={"message": str(sent.id)})
    assert answer.status_code == 404


# --- Threads ---


async def thread_at(tavern: Tavern, message: Message, name: str = "side talk") -> Channel:
    path = f"/channels/{tavern.channel}/messages/{message.id}/thread"
    answer = await tavern.guest.ask("POST", path, json={"name": name})
    assert answer.status_code == 201, answer.text
    return msgspec.json.decode(answer.content, type=Channel)


async def listed(tavern: Tavern, **params: object) -> list[ChannelId]:
    path = f"/channels/{tavern.channel}/threads"
    answer = await tavern.guest.ask("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    channels = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])["items"]
    return [channel.id for channel in msgspec.json.decode(channels, type=list[Channel])]


async def test_a_thread_hangs_at_a_message_and_is_a_channel(stage: Stage) -> None:
    tavern = await stage.tavern()
    (origin,) = await written(tavern, 1)
    thread = await thread_at(tavern, origin)
    assert (thread.kind, thread.parent, thread.origin) == ("thread", tavern.channel, origin.id)
    assert thread.creator == tavern.guest.user
    await tavern.owner.say(thread.id, "in here")
    assert await tavern.guest.texts(thread.id) == ["in here"]
    assert await listed(tavern) == [thread.id]
    page, _ = await tavern.guest.page(tavern.channel)
    assert [(m.kind, m.thread) for m in page] == [
        ("thread_opened", thread.id),
        ("text", thread.id),
    ]
    again = await tavern.guest.ask(
        "POST", f"/channels/{tavern.channel}/messages/{origin.id}/thread", json={"name": "again"}
    )
    assert again.status_code == 409
    assert any(event.message.thread == thread.id for event in await stage.heard(MessageEdited))
    assert any(thread in event.channels for event in await stage.heard(ServerChanged))


async def test_a_thread_is_seen_by_who_sees_its_channel(stage: Stage) -> None:
    tavern = await stage.tavern()
    (origin,) = await written(tavern, 1)
    thread = await thread_at(tavern, origin)
    await tavern.overwrite("everyone", deny=int(Permission.VIEW_CHANNEL))
    assert (await tavern.guest.post(thread.id, text="hi")).status_code == 404
    archive = await tavern.owner.ask("PATCH", f"/threads/{thread.id}", json={"archived": True})
    assert archive.status_code == 200
    assert (await tavern.guest.post(thread.id, text="hi")).status_code == 404
    path = f"/channels/{thread.id}/messages"
    assert (await tavern.guest.ask("GET", path)).status_code == 404


async def test_an_archived_thread_can_be_read_and_reopened_but_not_written(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, other = tavern.guests
    (origin,) = await written(tavern, 1)
    thread = await thread_at(tavern, origin)
    said = await guest.say(thread.id, "last words")
    path = f"/threads/{thread.id}"
    assert (await other.ask("PATCH", path, json={"archived": True})).status_code == 403
    assert (await guest.ask("PATCH", path, json={"archived": True})).status_code == 200
    assert await guest.texts(thread.id) == ["last words"]
    assert (await guest.post(thread.id, text="more")).status_code == 409
    edit = await guest.ask(
        "PATCH", f"/channels/{thread.id}/messages/{said.id}", json={"text": "x"}
    )
    assert edit.status_code == 409
    assert await listed(tavern) == []
    assert await listed(tavern, archived=True) == [thread.id]
    assert (await other.ask("PATCH", path, json={"archived": False})).status_code == 200
    await other.say(thread.id, "back again")
    assert await listed(tavern) == [thread.id]


async def test_who_opened_a_thread_renames_it_and_nobody_else(stage: Stage) -> None:
    tavern = await stage.tavern(guests=2)
    guest, other = tavern.guests
    (origin,) = await written(tavern, 1)
    thread = await thread_at(tavern, origin)
    path = f"/threads/{thread.id}"
    assert (await other.ask("PATCH", path, json={"name": "mine"})).status_code == 403
    renamed = await guest.ask("PATCH", path, json={"name": "ours"})
    assert renamed.json()["name"] == "ours"
    not_one = await guest.ask("PATCH", f"/threads/{tavern.channel}", json={"name": "x"})
    assert not_one.status_code == 409


async def test_threads_take_a_right_and_a_text_channel(stage: Stage) -> None:
    tavern = await stage.tavern()
    (origin,) = await written(tavern, 1)
    thread = await thread_at(tavern, origin)
    inner = await tavern.guest.say(thread.id, "deeper")
    path = f"/channels/{thread.id}/messages/{inner.id}/thread"
    assert (await tavern.guest.ask("POST", path, json={"name": "x"})).status_code == 409
    await tavern.overwrite("everyone", deny=int(Permission.CREATE_THREADS))
    said = await tavern.guest.say(tavern.channel, "other")
    path = f"/channels/{tavern.channel}/messages/{said.id}/thread"
    assert (await tavern.guest.ask("POST", path, json={"name": "x"})).status_code == 403


# --- Search ---


async def found(tavern: Tavern, **params: object) -> list[str]:
    path = f"/servers/{tavern.server.id}/search"
    answer = await tavern.guest.ask("GET", path, params=params)
    assert answer.status_code == 200, answer.text
    items = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])["items"]
    return [message.text for message in msgspec.json.decode(items, type=list[Message])]


async def test_a_search_finds_only_what_one_may_read() -> None:
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        await tavern.owner.say(tavern.channel, "apples here")
        secret = await tavern.new_channel("secret")
        hall, tavern.channel = tavern.channel, secret
        await tavern.overwrite("everyone", deny=int(Permission.VIEW_CHANNEL))
        await tavern.owner.say(secret, "apples hidden")
        blind = await tavern.new_channel("blind")
        tavern.channel = blind
        await tavern.overwrite("everyone", deny=int(Permission.READ_HISTORY))
        await tavern.owner.say(blind, "apples unread")
        assert await found(tavern, q="apples") == ["apples here"]
        path = f"/servers/{tavern.server.id}/search"
        for channel, status in ((secret, 404), (blind, 403), (hall, 200)):
            params = {"q": "apples", "in": str(channel)}
            answer = await tavern.guest.ask("GET", path, params=params)
            assert answer.status_code == status
        stranger = await stage.person().ask("GET", path, params={"q": "apples"})
        assert stranger.status_code == 404
        elsewhere = await stage.tavern()
        params = {"q": "apples", "in": str(elsewhere.channel)}
        assert (await tavern.guest.ask("GET", path, params=params)).status_code == 404


async def test_a_search_is_narrowed_by_author_place_kind_and_time() -> None:
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        first = await tavern.owner.say(tavern.channel, "see https://a.example")
        await tavern.guest.say(tavern.channel, "see nothing")
        thread = await thread_at(tavern, first)
        await tavern.guest.say(thread.id, "see the side")
        assert await found(tavern, q="see", **{"from": tavern.owner.user}) == [first.text]
        assert await found(tavern, has="link") == [first.text]
        assert await found(tavern, q="see", **{"in": thread.id}) == ["see the side"]
        everything = ["see the side", "see nothing", first.text]
        assert await found(tavern, q="see", **{"in": tavern.channel}) == everything
        now_ms = stage.around.clock.now_ms()
        assert await found(tavern, q="see", after=now_ms + 60_000) == []
        assert await found(tavern, q="see", before=now_ms + 60_000) == everything
        archive = await tavern.guest.ask("PATCH", f"/threads/{thread.id}", json={"archived": True})
        assert archive.status_code == 200
        # The line that told of the thread says its name.
        assert await found(tavern, q="side") == ["see the side", "side talk"]


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 422),
        ({"q": "..."}, 422),
        ({"q": "x" * 201}, 422),
        ({"has": "gold"}, 400),
        ({"q": "x", "cursor": "y"}, 422),
        ({"q": "x", "limit": 51}, 400),
    ],
)
async def test_a_question_without_sense_is_refused(params: dict[str, object], status: int) -> None:
    async with open_stage("embedded") as stage:
        tavern = await stage.tavern()
        path = f"/servers/{tavern.server.id}/search"
        answer = await tavern.guest.ask("GET", path, params=params)
        assert answer.status_code == status


async def test_without_a_search_engine_one_is_told_so() -> None:
    async with open_stage("distributed") as stage:
        tavern = await stage.tavern()
        path = f"/servers/{tavern.server.id}/search"
        answer = await tavern.guest.ask("GET", path, params={"q": "x"})
        assert (answer.status_code, answer.json()["code"]) == (503, "search_missing")
