"""Calls in conversations, over HTTP, with the rooms that they fill."""

import asyncio

from services.voice.tests.stage import Stage
from sidetone.protocol.events import AccountClosed, Fact, Services
from sidetone.protocol.ids import FactId
from sidetone.protocol.questions import CallsOf, Contact
from sidetone.protocol.social import Presence
from sidetone.voice.app import build


async def test_a_call_is_taken_talked_in_and_ended(stage: Stage) -> None:
    call = await stage.ring(stage.ada)
    told, users = await stage.call("open")
    assert (told.ringing, set(users)) == ([stage.ben], {stage.ada, stage.ben})
    assert await stage.around.bus.ask(CallsOf(stage.ben)) == [call]
    assert (await stage.do(stage.ben, "accept", call)).status_code == 200
    taken, _ = await stage.call("open")
    assert (taken.ringing, set(taken.joined)) == ([], {stage.ada, stage.ben})
    assert (await stage.do(stage.ben, "accept", call)).json()["code"] == "call_taken"
    await stage.inside(stage.line, stage.ada, stage.ben)
    await asyncio.sleep(1.5)
    assert stage.facts.empty()
    await stage.inside(stage.line)
    ended, _ = await stage.call("ended")
    assert ended.answered_at_ms is not None
    assert ended.ended_at_ms is not None
    assert await stage.around.bus.ask(CallsOf(stage.ben)) == []
    history = (await stage.send(stage.ben, "GET", "/calls")).json()["items"]
    assert [(one["answer"], one["call"]["outcome"]) for one in history] == [("joined", "ended")]
    one = (await stage.send(stage.ben, "GET", f"/calls/{call.id}")).json()
    assert one == history[0]


async def test_coming_into_the_room_is_answering(stage: Stage) -> None:
    await stage.ring(stage.ada)
    await stage.inside(stage.line, stage.ada)
    await stage.inside(stage.line, stage.ada, stage.ben)
    await stage.call("open")
    taken, _ = await stage.call("open")
    assert (taken.ringing, set(taken.joined)) == ([], {stage.ada, stage.ben})


async def test_what_nobody_answers_is_missed(stage: Stage) -> None:
    call = await stage.ring(stage.ada)
    missed, _ = await stage.call("missed")
    assert (missed.id, missed.answered_at_ms) == (call.id, None)
    records = (await stage.send(stage.ben, "GET", f"/calls?channel={stage.line}")).json()["items"]
    assert [one["answer"] for one in records] == ["missed"]
    assert (await stage.send(stage.ben, "GET", f"/calls?channel={stage.hall}")).json() == {
        "items": [],
        "next": None,
    }
    # The line is free again.
    assert (await stage.ring(stage.ben)).id != call.id


async def test_a_call_is_declined_or_cancelled(stage: Stage) -> None:
    declined = await stage.ring(stage.ada)
    assert (await stage.do(stage.ben, "cancel", declined)).status_code == 403
    assert (await stage.do(stage.ben, "decline", declined)).json()["outcome"] == "declined"
    await stage.call("declined")
    cancelled = await stage.ring(stage.ada)
    assert (await stage.do(stage.ada, "cancel", cancelled)).json()["outcome"] == "cancelled"
    await stage.call("cancelled")
    assert (await stage.do(stage.ben, "accept", cancelled)).json()["code"] == "call_over"


async def test_who_call_each_other_at_once_are_in_one_call(stage: Stage) -> None:
    for _ in range(3):
        one, other = await asyncio.gather(stage.ring(stage.ada), stage.ring(stage.ben))
        assert one.id == other.id
        (going_on,) = await stage.around.bus.ask(CallsOf(stage.ada))
        assert set(going_on.joined) == {stage.ada, stage.ben}
        assert (await stage.ring(stage.ada)).id == one.id
        await stage.call("ended")


async def test_who_is_blocked_rings_nobody_and_cannot_tell(stage: Stage) -> None:
    stage.contacts[stage.ben] = Contact(friends=False, blocked=True)
    stage.presences = [Presence(stage.ben, "dnd")]
    call = await stage.ring(stage.ada)
    assert call.ringing == [stage.ben]
    _, users = await stage.call("open")
    assert users == [stage.ada]
    assert await stage.around.bus.ask(CallsOf(stage.ben)) == []
    assert (await stage.do(stage.ben, "accept", call)).status_code == 404
    assert (await stage.send(stage.ben, "GET", f"/calls/{call.id}")).status_code == 404
    _, users = await stage.call("missed")
    assert users == [stage.ada]
    assert (await stage.send(stage.ben, "GET", "/calls")).json()["items"] == []


async def test_who_is_not_to_be_disturbed_finds_the_call_later(stage: Stage) -> None:
    stage.presences = [Presence(stage.ben, "dnd")]
    call = await stage.ring(stage.ada)
    assert call.ringing == []
    await stage.call("missed")
    (record,) = (await stage.send(stage.ben, "GET", "/calls")).json()["items"]
    assert record["answer"] == "missed"


async def test_only_members_call_and_only_in_conversations(stage: Stage) -> None:
    refused = await stage.send(stage.ada, "POST", f"/channels/{stage.lounge}/call")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_a_conversation")
    stranger = await stage.send(stage.eve, "POST", f"/channels/{stage.line}/call")
    assert stranger.status_code in {403, 404}
    call = await stage.ring(stage.ada)
    for what in ("accept", "decline", "cancel"):
        assert (await stage.do(stage.eve, what, call)).status_code == 404
    assert (await stage.send(stage.eve, "GET", f"/calls/{call.id}")).status_code == 404


async def test_history_comes_in_pages_the_latest_first(stage: Stage) -> None:
    calls = []
    for _ in range(3):
        call = await stage.ring(stage.ada)
        await stage.do(stage.ada, "cancel", call)
        calls.append(str(call.id))
    first = (await stage.send(stage.ben, "GET", "/calls?limit=2")).json()
    rest = (await stage.send(stage.ben, "GET", f"/calls?limit=2&cursor={first['next']}")).json()
    found = [one["call"]["id"] for one in first["items"] + rest["items"]]
    assert found == calls[::-1]
    assert rest["next"] is None
    assert (await stage.send(stage.ben, "GET", "/calls?cursor=x")).status_code == 422


async def test_a_call_survives_a_restart(stage: Stage) -> None:
    call = await stage.ring(stage.ada)
    await stage.call("open")
    await stage.around.tasks.close()
    await build(stage.around, stage.policy)
    missed, _ = await stage.call("missed")
    assert missed.id == call.id


async def test_the_history_of_a_closed_account_is_forgotten(stage: Stage) -> None:
    call = await stage.ring(stage.ada)
    await stage.do(stage.ada, "cancel", call)
    closed = Fact(FactId(stage.around.clock.new_id()), Services(), AccountClosed(stage.ben))
    await stage.around.journal.record([closed])
    async with asyncio.timeout(20):
        while (await stage.send(stage.ben, "GET", "/calls")).json()["items"]:
            pass
    assert len((await stage.send(stage.ada, "GET", "/calls")).json()["items"]) == 1
