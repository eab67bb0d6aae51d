"""Who is there, from the sessions of the gateways to what others are told."""

import asyncio

from services.presence.tests.stage import FAST, OPEN, Stage, open_stage
from sidetone.presence.app import Policy, build
from sidetone.protocol.events import Around, SessionOpened, ToUsers
from sidetone.protocol.ids import ServerId
from sidetone.protocol.questions import PeopleOf, PresencesOf

POLICY = Policy(timing=FAST, relationship_changes=OPEN, presence_changes=OPEN)


async def test_who_comes_is_told_to_those_around(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    await stage.befriend(ada, ben)
    await stage.opened(ada)
    presence, signal = await stage.signal()
    assert (presence.user, presence.status) == (ada, "online")
    assert signal.audience == Around(ada, [ben])
    assert await stage.around.bus.ask(PresencesOf([ada, ben])) == [presence]


async def test_a_client_that_vanishes_is_offline_soon(stage: Stage) -> None:
    ada = stage.user()
    await stage.opened(ada)
    await stage.seen("online")
    gone = await stage.seen("offline")
    assert gone.last_seen_ms is not None
    assert gone.last_seen_ms % 60_000 == 0
    assert await stage.around.bus.ask(PresencesOf([ada])) == []


async def test_signs_of_life_keep_one_there(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    session = await stage.opened(ada)
    await stage.seen("online")
    for _ in range(4):
        await stage.alive((session, ada))
        await asyncio.sleep(FAST.grace_ms / 1000)
    assert stage.signals.empty()
    # Also a session that nobody told of when it opened.
    other = await stage.opened(ben)
    assert (await stage.seen("online")).user == ben
    await stage.alive((session, ada), (other, ben))
    assert len(await stage.around.bus.ask(PresencesOf([ada, ben]))) == 2


async def test_who_says_goodbye_is_offline_at_once(stage: Stage) -> None:
    ada = stage.user()
    one, other = await stage.opened(ada), await stage.opened(ada)
    await stage.seen("online")
    await stage.closed(one, ada, left=True)
    await stage.alive((other, ada))
    assert len(await stage.around.bus.ask(PresencesOf([ada]))) == 1
    await stage.closed(other, ada, left=True)
    await stage.seen("offline")


async def test_a_dropped_socket_that_comes_back_in_time_is_no_news(stage: Stage) -> None:
    ada = stage.user()
    session = await stage.opened(ada)
    await stage.seen("online")
    await stage.closed(session, ada, left=False)
    await stage.around.bus.publish(SessionOpened(session, ada))
    # What comes under two subjects may come in either order: the next sign of life settles it.
    for _ in range(3):
        await stage.alive((session, ada))
        await asyncio.sleep(0.5 * FAST.grace_ms / 1000)
    assert stage.signals.empty()
    await stage.closed(session, ada, left=False)
    await stage.seen("offline")


async def test_who_is_invisible_looks_offline_to_others_only(stage: Stage) -> None:
    ada = stage.user()
    answer = await stage.send(ada, "PUT", "/me", {"status": "invisible", "text": "reading"})
    assert answer.json() == {
        "status": "invisible",
        "text": "reading",
        "game": "",
        "clears_at_ms": None,
    }
    presence, signal = await stage.signal()
    assert (presence.status, signal.audience) == ("invisible", ToUsers([ada]))
    session = await stage.opened(ada)
    await stage.alive((session, ada))
    await asyncio.sleep(0.3)
    assert await stage.around.bus.ask(PresencesOf([ada])) == []
    assert (await stage.around.bus.ask(PeopleOf(ada))).own.status == "invisible"
    assert stage.signals.empty()
    await stage.closed(session, ada, left=True)
    await asyncio.sleep(0.3)
    assert stage.signals.empty()


async def test_going_invisible_looks_like_going(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    stage.servers = {ada: [ServerId(ada)], ben: [ServerId(ada)]}
    await stage.opened(ada)
    await stage.seen("online")
    await stage.send(ada, "PUT", "/me", {"status": "invisible"})
    told = [await stage.signal() for _ in range(3)]
    assert [(one.status, signal.audience) for one, signal in told] == [
        ("invisible", ToUsers([ada])),
        ("offline", Around(ada, [])),
        # What is heard last is true: the user hears what those around them hear.
        ("invisible", ToUsers([ada])),
    ]
    found = (await stage.send(ben, "GET", f"/users/{ada}")).json()
    assert found["status"] == "offline"
    assert found["last_seen_ms"] % 60_000 == 0


async def test_texts_and_games_are_seen_until_they_go(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    await stage.befriend(ada, ben)
    session = await stage.opened(ada)
    await stage.seen("online")
    clears_at_ms = stage.clock.now_ms() + 600
    body = {"status": "dnd", "text": "raid", "game": "Zork", "clears_at_ms": clears_at_ms}
    await stage.send(ada, "PUT", "/me", body)
    told = [await stage.signal(), await stage.signal()]
    assert {(one.status, one.text, one.game) for one, _ in told} == {("dnd", "raid", "Zork")}
    await stage.alive((session, ada))
    assert (await stage.send(ben, "GET", f"/users/{ada}")).json()["text"] == "raid"
    cleared = await stage.seen("dnd")
    assert (cleared.text, cleared.game) == ("", "")
    assert (await stage.send(ada, "GET", "/me")).json()["text"] == ""


async def test_strangers_cannot_ask(stage: Stage) -> None:
    ada, ben, eve = stage.user(), stage.user(), stage.user()
    server = ServerId(ada)
    stage.servers = {ada: [server], ben: [server], eve: [ServerId(eve)]}
    assert (await stage.send(ben, "GET", f"/users/{ada}")).json()["status"] == "offline"
    assert (await stage.send(eve, "GET", f"/users/{ada}")).status_code == 404
    assert (await stage.send(ada, "GET", f"/users/{ada}")).status_code == 200


async def test_what_cannot_be_shown_is_refused(stage: Stage) -> None:
    ada = stage.user()
    long = await stage.send(ada, "PUT", "/me", {"text": "x" * 129})
    assert (long.status_code, long.json()["code"]) == (422, "status_text_too_long")
    assert (await stage.send(ada, "PUT", "/me", {"status": "offline"})).status_code == 400


async def test_three_replicas_tell_a_change_once(stage: Stage) -> None:
    for _ in range(2):
        await build(stage.around, POLICY)
    users = [stage.user() for _ in range(10)]
    sessions = [(await stage.opened(user), user) for user in users]
    came = [(await stage.seen("online")).user for _ in users]
    assert sorted(came) == sorted(users)
    await stage.alive(*sessions)
    await asyncio.sleep(0.3)
    for session, user in sessions:
        await stage.closed(session, user, left=True)
    went = [(await stage.seen("offline")).user for _ in users]
    assert sorted(went) == sorted(users)
    await asyncio.sleep(0.3)
    assert stage.signals.empty()


async def test_who_went_while_presence_was_away_is_told_afterwards() -> None:
    async with open_stage("embedded", POLICY) as stage:
        ada = stage.user()
        await stage.opened(ada)
        await stage.seen("online")
        # Nothing of this process is left but the store.
        await stage.around.tasks.close()
        await asyncio.sleep(1.1 * FAST.alive_ms / 1000)
        assert stage.signals.empty()
        await build(stage.around, POLICY)
        await stage.seen("offline")
