"""Conversations of two and of groups, over both topologies."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.domain.server import IN_CONVERSATION
from sidetone.permissions import Permission
from sidetone.protocol.events import (
    AccountClosed,
    Fact,
    RelationshipChanged,
    RelationshipEnded,
    Services,
    ToUsers,
)
from sidetone.protocol.ids import FactId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import (
    CreateChannel,
    CreateConversation,
    CreateRole,
    EditServer,
    ServerState,
)
from sidetone.protocol.social import Relationship


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


def befriend(stage: Stage, *users: UserId) -> None:
    stage.town.friends |= {frozenset({one, other}) for one in users for other in users}


async def group(stage: Stage, *users: UserId) -> ServerState:
    befriend(stage, *users)
    state, _ = await stage.conversations.open(users[0], CreateConversation(list(users[1:])))
    return state


async def test_two_have_one_conversation_whoever_opens_it(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    state, new = await stage.conversations.open(ada, CreateConversation([ben]))
    again, again_new = await stage.conversations.open(ben, CreateConversation([ada, ben]))
    assert (new, again_new) == (True, False)
    assert again == state
    assert {member.user for member in state.members} == {ada, ben}
    (channel,) = state.channels
    assert (state.server.kind, channel.kind) == ("direct", "direct")
    for user in (ada, ben):
        assert await stage.may(user, channel.id) == IN_CONVERSATION
    assert await stage.see.of(ada) == []


async def test_two_who_open_it_at_once_get_the_same(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    results = await asyncio.gather(
        *[stage.conversations.open(ada, CreateConversation([ben])) for _ in range(3)],
        *[stage.conversations.open(ben, CreateConversation([ada])) for _ in range(3)],
    )
    assert len({state.server.id for state, _ in results}) == 1
    assert [new for _, new in results].count(True) == 1


async def test_who_is_blocked_opens_nothing(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    stage.town.blocked.add(frozenset({ada, ben}))
    for one, other in ((ada, ben), (ben, ada)):
        with pytest.raises(Forbidden, match="contact_blocked"):
            await stage.conversations.open(one, CreateConversation([other]))


async def test_nobody_talks_to_who_does_not_exist(stage: Stage) -> None:
    ada, ghost = stage.stranger(), stage.stranger()
    stage.town.strangers_to_auth.add(ghost)
    with pytest.raises(NotFound, match="user_unknown"):
        await stage.conversations.open(ada, CreateConversation([ghost]))


async def test_a_conversation_has_two_to_ten(stage: Stage) -> None:
    ada = stage.stranger()
    for others in ([], [ada], [stage.stranger() for _ in range(10)]):
        with pytest.raises(Invalid, match="users_out_of_range"):
            await stage.conversations.open(ada, CreateConversation(others))


async def test_a_group_is_for_friends(stage: Stage) -> None:
    ada, ben, cy = stage.stranger(), stage.stranger(), stage.stranger()
    befriend(stage, ada, ben)
    with pytest.raises(Forbidden, match="friends_only"):
        await stage.conversations.open(ada, CreateConversation([ben, cy]))
    stage.clock.ms += 30_000
    state = await group(stage, ada, ben, cy)
    assert state.server.kind == "group"
    eve = stage.stranger()
    with pytest.raises(Forbidden, match="friends_only"):
        await stage.conversations.add(state.server.id, ben, eve)
    stage.clock.ms += 30_000
    befriend(stage, ben, eve)
    await stage.conversations.add(state.server.id, ben, eve)
    await stage.conversations.add(state.server.id, ben, eve)
    found = await stage.conversations.one(state.server.id, eve)
    assert {member.user for member in found.members} == {ada, ben, cy, eve}


async def test_who_opened_a_group_takes_others_out_and_all_may_leave(stage: Stage) -> None:
    ada, ben, cy = stage.stranger(), stage.stranger(), stage.stranger()
    server = (await group(stage, ada, ben, cy)).server.id
    with pytest.raises(Forbidden, match="owner_only"):
        await stage.conversations.remove(server, ben, cy)
    await stage.conversations.remove(server, ada, cy)
    with pytest.raises(NotFound):
        await stage.conversations.one(server, cy)
    await stage.conversations.remove(server, ada, ada)
    left = await stage.conversations.one(server, ben)
    assert left.server.owner == ben
    await stage.conversations.remove(server, ben, ben)
    with pytest.raises(NotFound):
        await stage.conversations.one(server, ben)
    assert (await stage.conversations.of(ben, None, 10)).items == []


async def test_a_conversation_of_two_stays_as_it_is(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    state, _ = await stage.conversations.open(ada, CreateConversation([ben]))
    server = state.server.id
    befriend(stage, ada, ben)
    for attempt in (
        stage.conversations.remove(server, ada, ben),
        stage.conversations.remove(server, ada, ada),
        stage.conversations.add(server, ada, stage.stranger()),
        stage.conversations.rename(server, ada, "us"),
        stage.members.remove(server, ada, ada),
        stage.members.remove(server, ada, ben),
    ):
        with pytest.raises(Conflict):
            await attempt


async def test_nobody_rules_in_a_conversation(stage: Stage) -> None:
    ada, ben, cy = stage.stranger(), stage.stranger(), stage.stranger()
    state = await group(stage, ada, ben, cy)
    server = state.server.id
    for attempt in (
        stage.servers.edit(server, ada, EditServer(name="mine"), None),
        stage.servers.delete(server, ada),
        stage.servers.transfer(server, ada, ben),
        stage.channels.create(server, ada, CreateChannel("more", "text")),
        stage.channels.delete(state.channels[0].id, ada),
        stage.roles.create(server, ada, CreateRole("mods")),
    ):
        with pytest.raises(Forbidden):
            await attempt
    assert Permission.MANAGE_MESSAGES not in await stage.may(ada, state.channels[0].id)


async def test_a_group_is_named_by_its_members(stage: Stage) -> None:
    ada, ben, cy = stage.stranger(), stage.stranger(), stage.stranger()
    server = (await group(stage, ada, ben, cy)).server.id
    assert (await stage.conversations.rename(server, cy, " The  Three ")).name == "The Three"
    assert (await stage.conversations.one(server, ada)).server.name == "The Three"


async def test_conversations_come_in_pages_newest_first(stage: Stage) -> None:
    ada = stage.stranger()
    made: list[ServerId] = []
    for _ in range(5):
        state, _ = await stage.conversations.open(ada, CreateConversation([stage.stranger()]))
        made.append(state.server.id)
    await stage.new_server(ada)
    first = await stage.conversations.of(ada, None, 3)
    assert [state.server.id for state in first.items] == made[:1:-1]
    assert first.next == str(made[2])
    second = await stage.conversations.of(ada, made[2], 3)
    assert [state.server.id for state in second.items] == made[1::-1]
    assert second.next is None


async def test_a_community_is_no_conversation(stage: Stage) -> None:
    server = await stage.new_server()
    for attempt in (
        stage.conversations.one(server.id, server.owner),
        stage.conversations.rename(server.id, server.owner, "mine"),
        stage.conversations.remove(server.id, server.owner, server.owner),
    ):
        with pytest.raises(NotFound, match="conversation_unknown"):
            await attempt


async def test_what_stands_between_two_is_asked_every_half_minute(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    for _ in range(3):
        await stage.ground.contacts.between(ada, [ben])
    assert stage.town.asked == 1
    stage.town.blocked.add(frozenset({ada, ben}))
    assert not (await stage.ground.contacts.between(ada, [ben]))[ben].blocked
    stage.clock.ms += 30_000
    assert (await stage.ground.contacts.between(ada, [ben]))[ben].blocked
    assert stage.town.asked == 2


async def test_a_change_between_two_is_heard_at_once(stage: Stage) -> None:
    ada, ben = stage.stranger(), stage.stranger()
    await stage.ground.contacts.between(ada, [ben])
    for event in (
        RelationshipChanged(Relationship(ada, "blocked", stage.clock.ms)),
        RelationshipEnded(ada),
    ):
        stage.town.blocked ^= {frozenset({ada, ben})}
        before = (await stage.ground.contacts.between(ada, [ben]))[ben].blocked
        await stage.ground.hear(Fact(FactId(stage.clock.new_id()), ToUsers([ben]), event))
        assert (await stage.ground.contacts.between(ada, [ben]))[ben].blocked is not before


async def test_a_closed_account_is_a_member_of_nothing_and_owns_nothing(stage: Stage) -> None:
    ada = stage.stranger()
    lone, kept = await stage.new_server(ada), await stage.new_server(ada)
    ben, cy = await stage.newcomer(kept), await stage.newcomer(kept)
    role = await stage.roles.create(kept.id, ada, CreateRole("mods"))
    await stage.roles.give(kept.id, ada, cy, role.id)
    trio = (await group(stage, ada, ben, cy)).server.id
    two, _ = await stage.conversations.open(ada, CreateConversation([ben]))

    closed = Fact(FactId(stage.clock.new_id()), Services(), AccountClosed(ada))
    for _ in range(2):
        await stage.ground.hear(closed)

    assert await stage.ground.servers.of(ada) == []
    with pytest.raises(NotFound):
        await stage.ground.servers.state(lone.id)
    state = await stage.see.state(kept.id, ben)
    assert state.server.owner == cy
    assert {member.user for member in state.members} == {ben, cy}
    assert (await stage.conversations.one(trio, cy)).server.owner == ben
    alone = await stage.conversations.one(two.server.id, ben)
    assert [member.user for member in alone.members] == [ben]
