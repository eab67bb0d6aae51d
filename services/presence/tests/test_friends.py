"""Friends, requests and blocks, over HTTP, with everything that is told of them."""

import asyncio

import pytest

from services.presence.tests.stage import OPEN, Stage, open_stage
from sidetone.presence.app import Policy
from sidetone.presence.application.change_relationship import Bounds
from sidetone.protocol.events import AccountClosed, Fact, Services
from sidetone.protocol.ids import FactId
from sidetone.protocol.questions import Contact, MayContact, PeopleOf
from sidetone.protocol.refusals import Invalid
from sidetone.runtime.limits import Limit


async def test_a_request_is_accepted_and_both_are_told(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    asked = await stage.make(ada, "friend", ben)
    assert (asked.status_code, asked.json()["kind"]) == (200, "outgoing")
    assert await stage.told(2) == [(ada, ben, "outgoing"), (ben, ada, "incoming")]
    accepted = await stage.make(ben, "friend", ada)
    assert accepted.json()["kind"] == "friend"
    assert await stage.told(2) == [(ben, ada, "friend"), (ada, ben, "friend")]
    people = await stage.around.bus.ask(PeopleOf(ada))
    assert [(one.user, one.kind) for one in people.relationships] == [(ben, "friend")]


async def test_crossing_requests_make_friends_whoever_is_first(stage: Stage) -> None:
    for _ in range(5):
        ada, ben = stage.user(), stage.user()
        answers = await asyncio.gather(
            stage.make(ada, "friend", ben), stage.make(ben, "friend", ada)
        )
        assert [answer.status_code for answer in answers] == [200, 200]
        assert await stage.relationships(ada) == {ben: "friend"}
        assert await stage.relationships(ben) == {ada: "friend"}


async def test_a_storm_of_buttons_leaves_two_views_that_fit(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    presses = [
        press
        for one, other in ((ada, ben), (ben, ada)) * 3
        for press in (
            stage.make(one, "friend", other),
            stage.make(one, "blocked", other),
            stage.end(one, other),
        )
    ]
    answers = await asyncio.gather(*presses)
    assert {answer.status_code for answer in answers} <= {200, 204, 404, 409}
    mine, theirs = await stage.relationships(ada), await stage.relationships(ben)
    assert (mine.get(ben), theirs.get(ada)) in {
        (None, None),
        ("friend", "friend"),
        ("outgoing", "incoming"),
        ("incoming", "outgoing"),
        ("blocked", None),
        (None, "blocked"),
        ("blocked", "blocked"),
        ("blocked", "outgoing"),
        ("outgoing", "blocked"),
    }


async def test_a_request_can_be_declined_and_cancelled(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    for ends, other in ((ada, ben), (ben, ada)):
        await stage.make(ada, "friend", ben)
        assert (await stage.end(ends, other)).status_code == 204
        assert await stage.relationships(ada) == await stage.relationships(ben) == {}
        assert (await stage.end(ends, other)).status_code == 404


async def test_a_blocked_user_learns_nothing(stage: Stage) -> None:
    ada, ben, eve = stage.user(), stage.user(), stage.user()
    await stage.make(ada, "blocked", eve)
    assert await stage.told(1) == [(ada, eve, "blocked")]
    for other in (ada, ben):
        asked = await stage.make(eve, "friend", other)
        assert (asked.status_code, asked.json()["kind"]) == (200, "outgoing")
    assert await stage.relationships(eve) == {ada: "outgoing", ben: "outgoing"}
    assert await stage.relationships(ada) == {eve: "blocked"}
    assert await stage.told(3) == [
        (eve, ada, "outgoing"),
        (eve, ben, "outgoing"),
        (ben, eve, "incoming"),
    ]
    assert (await stage.end(ada, eve)).status_code == 204
    assert await stage.relationships(eve) == {ben: "outgoing"}


async def test_blocking_a_friend_ends_the_friendship(stage: Stage) -> None:
    ada, ben = stage.user(), stage.user()
    await stage.befriend(ada, ben)
    await stage.told(4)
    assert (await stage.make(ada, "blocked", ben)).json()["kind"] == "blocked"
    assert await stage.told(2) == [(ada, ben, "blocked"), (ben, ada, None)]
    refused = await stage.make(ada, "friend", ben)
    assert (refused.status_code, refused.json()["code"]) == (409, "user_blocked")


async def test_services_learn_who_may_reach_whom(stage: Stage) -> None:
    ada, ben, eve, dan = (stage.user() for _ in range(4))
    await stage.befriend(ada, ben)
    await stage.make(eve, "blocked", ada)
    assert await stage.around.bus.ask(MayContact(ada, [ben, eve, dan])) == {
        ben: Contact(friends=True, blocked=False),
        eve: Contact(friends=False, blocked=True),
        dan: Contact(friends=False, blocked=False),
    }
    assert await stage.around.bus.ask(MayContact(ada, [])) == {}
    with pytest.raises(Invalid, match="too_many"):
        await stage.around.bus.ask(MayContact(ada, [ben] * 501))


async def test_nonsense_is_refused(stage: Stage) -> None:
    ada = stage.user()
    stranger = stage.user()
    del stage.users[stranger]
    assert (await stage.make(ada, "friend", ada)).status_code == 422
    assert (await stage.make(ada, "friend", stranger)).status_code == 404
    assert (await stage.make(ada, "enemy", stranger)).status_code == 400
    assert (await stage.send(ada, "GET", "/relationships?cursor=x")).status_code == 422
    assert (await stage.send(ada, "GET", "/relationships?limit=0")).status_code == 400


async def test_long_lists_come_in_pages(stage: Stage) -> None:
    ada = stage.user()
    others = sorted(stage.user() for _ in range(5))
    for other in others:
        await stage.make(ada, "friend", other)
    found: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await stage.send(ada, "GET", f"/relationships?limit=2{cursor}")).json()
        found += [one["user"] for one in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert found == [str(other) for other in others]
    assert page["next"] is None


async def test_the_own_of_a_closed_account_is_forgotten(stage: Stage) -> None:
    ada, ben, eve = stage.user(), stage.user(), stage.user()
    await stage.befriend(ada, ben)
    await stage.make(ada, "blocked", eve)
    await stage.told(5)
    closed = Fact(FactId(stage.clock.new_id()), Services(), AccountClosed(ada))
    await stage.around.journal.record([closed])
    assert (await stage.facts.get()) == closed
    assert await stage.told(1) == [(ben, ada, None)]
    assert await stage.relationships(ada) == await stage.relationships(ben) == {}


async def test_lists_are_bounded() -> None:
    bounds = Bounds(friends_max=1, outgoing_max=2, incoming_max=1, blocked_max=1)
    policy = Policy(bounds, relationship_changes=OPEN)
    async with open_stage("embedded", policy) as stage:
        ada, ben, eve, dan = (stage.user() for _ in range(4))
        await stage.befriend(ada, ben)
        await stage.make(ada, "friend", eve)
        second = await stage.make(dan, "friend", eve)
        assert (second.status_code, second.json()["code"]) == (409, "requests_full")
        assert (await stage.make(eve, "friend", ada)).json()["code"] == "friends_full"
        await stage.make(ada, "friend", dan)
        assert (await stage.make(ada, "friend", stage.user())).json()["code"] == "requests_full"
        assert (await stage.make(ben, "blocked", eve)).status_code == 200
        assert (await stage.make(ben, "blocked", dan)).json()["code"] == "blocked_full"


async def test_who_presses_too_fast_has_to_wait() -> None:
    policy = Policy(relationship_changes=Limit(2, 60_000))
    async with open_stage("embedded", policy) as stage:
        ada, ben = stage.user(), stage.user()
        for _ in range(2):
            await stage.make(ada, "friend", ben)
        refused = await stage.make(ada, "friend", ben)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
