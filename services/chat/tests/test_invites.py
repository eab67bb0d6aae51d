"""Ways into a server, over both topologies."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.domain.invite import INVITES_MAX, LIFETIME_SECONDS_MAX, USES_MAX
from sidetone.permissions import EVERYONE
from sidetone.protocol.refusals import Conflict, Invalid, NotFound
from sidetone.protocol.servers import CreateInvite, Server


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def test_a_code_lets_its_holder_in(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite())
    ben = stage.stranger()

    assert await stage.invites.accept(invite.code, ben) == server

    assert await stage.see.of(ben) == [server]
    lounge = await stage.place(server, "voice")
    (fact,) = await stage.announced_rights()
    assert (fact.channel, fact.permissions) == (lounge.id, {ben: int(EVERYONE)})
    assert fact.generation == (await stage.see.rights(ben, lounge.id)).generation


async def test_every_member_may_invite(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    ben, cy = await stage.newcomer(server), stage.stranger()
    invite = await stage.invites.create(server.id, ben, CreateInvite())
    assert await stage.invites.accept(invite.code, cy) == server


async def test_codes_cannot_be_guessed(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    codes = {
        (await stage.invites.create(server.id, server.owner, CreateInvite())).code
        for _ in range(100)
    }
    assert len(codes) == 100
    # Five bits for each letter of base 32.
    assert {len(code) * 5 for code in codes} == {80}


async def test_accepting_again_takes_no_use(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite(uses_max=2))
    ben = stage.stranger()
    for _ in range(3):
        assert await stage.invites.accept(invite.code, ben) == server
    assert (await stage.invites.invites.find(invite.code)).uses_left == 1
    (rights,) = await stage.announced_rights()
    assert set(rights.permissions) == {ben}


async def test_the_last_use_can_be_repeated_by_who_took_it(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite(uses_max=1))
    ben = stage.stranger()
    await stage.invites.accept(invite.code, ben)
    assert await stage.invites.accept(invite.code, ben) == server


async def test_all_codes_that_do_not_work_are_refused_alike(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    used = await stage.invites.create(server.id, server.owner, CreateInvite(uses_max=1))
    old = await stage.invites.create(server.id, server.owner, CreateInvite(lifetime_seconds=60))
    await stage.invites.accept(used.code, stage.stranger())
    stage.clock.ms += 60_000
    answers: set[tuple[str, str]] = set()
    for code in (used.code, old.code, "a" * 16, "", "\0", "x" * 10_000):
        with pytest.raises(NotFound) as caught:
            await stage.invites.accept(code, stage.stranger())
        answers.add((caught.value.code, caught.value.detail))
    assert {code for code, _ in answers} == {"invite_unknown"}
    assert len(answers) == 1
    assert len(await stage.everybody(server)) == 2


async def test_an_invite_works_until_its_end(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite(lifetime_seconds=60))
    assert invite.expires_at_ms == stage.clock.ms + 60_000
    stage.clock.ms += 59_999
    assert await stage.invites.accept(invite.code, stage.stranger()) == server


async def test_a_crowd_takes_no_more_uses_than_there_are(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite(uses_max=3))
    results = await asyncio.gather(
        *[stage.invites.accept(invite.code, stage.stranger()) for _ in range(12)],
        return_exceptions=True,
    )
    assert len([result for result in results if isinstance(result, Server)]) == 3
    assert len([result for result in results if isinstance(result, NotFound)]) == 9
    assert len(await stage.everybody(server)) == 4


async def test_one_person_on_many_tabs_takes_one_use(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    invite = await stage.invites.create(server.id, server.owner, CreateInvite(uses_max=5))
    ben = stage.stranger()
    results = await asyncio.gather(*[stage.invites.accept(invite.code, ben) for _ in range(8)])
    assert results == [server] * 8
    assert (await stage.invites.invites.find(invite.code)).uses_left == 4


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (CreateInvite(uses_max=0), "uses_out_of_range"),
        (CreateInvite(uses_max=USES_MAX + 1), "uses_out_of_range"),
        (CreateInvite(lifetime_seconds=0), "lifetime_out_of_range"),
        (CreateInvite(lifetime_seconds=LIFETIME_SECONDS_MAX + 1), "lifetime_out_of_range"),
    ],
)
async def test_an_invite_that_could_not_work_is_not_made(
    stage: Stage, wish: CreateInvite, code: str
) -> None:
    server = await stage.new_server(stage.stranger())
    with pytest.raises(Invalid) as caught:
        await stage.invites.create(server.id, server.owner, wish)
    assert caught.value.code == code


async def test_dead_invites_make_room_for_new_ones(stage: Stage) -> None:
    server = await stage.new_server(stage.stranger())
    short = CreateInvite(lifetime_seconds=60)
    for _ in range(INVITES_MAX):
        await stage.invites.create(server.id, server.owner, short)
    with pytest.raises(Conflict, match="invites_too_many"):
        await stage.invites.create(server.id, server.owner, short)
    stage.clock.ms += 60_000
    assert await stage.invites.create(server.id, server.owner, short)
