"""Kicks, bans, timeouts, mutes, reports and the log of it all, over both topologies."""

from collections.abc import AsyncGenerator

import pytest

from services.chat.tests.stage import OPEN_INVITE, Stage, open_stage
from sidetone.chat.domain.member import TIMEOUT_MS_MAX
from sidetone.chat.domain.report import OPEN_REPORTS_MAX
from sidetone.permissions import EVERYONE, IN_TIMEOUT, Permission
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import (
    BanMember,
    CreateReport,
    CreateRole,
    EditMember,
    EditServer,
    Server,
)

POWERS = (
    Permission.KICK_MEMBERS
    | Permission.BAN_MEMBERS
    | Permission.MODERATE_MEMBERS
    | Permission.MUTE_MEMBERS
    | Permission.DEAFEN_MEMBERS
    | Permission.MANAGE_NICKNAMES
)
HOUR_MS = 3_600_000


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def server(stage: Stage) -> Server:
    return await stage.new_server()


@pytest.fixture
async def ben(stage: Stage, server: Server) -> UserId:
    return await stage.newcomer(server)


@pytest.fixture
async def mod(stage: Stage, server: Server) -> UserId:
    user = await stage.newcomer(server)
    role = await stage.roles.create(server.id, server.owner, CreateRole("mods", int(POWERS)))
    await stage.roles.give(server.id, server.owner, user, role.id)
    return user


async def test_a_moderator_acts_upon_those_below_only(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    peer = await stage.newcomer(server)
    (role,) = (await stage.see.member(server.id, mod, mod)).roles
    await stage.roles.give(server.id, server.owner, peer, role)
    for target in (peer, server.owner):
        for attempt in (
            stage.bans.ban(server.id, mod, target, BanMember()),
            stage.members.edit(server.id, mod, target, EditMember(muted=True)),
            stage.members.edit(server.id, mod, target, EditMember(deafened=True)),
            stage.members.edit(server.id, mod, target, EditMember(nickname="pet")),
            stage.members.edit(
                server.id, mod, target, EditMember(timeout_until_ms=stage.clock.ms + HOUR_MS)
            ),
        ):
            with pytest.raises(Forbidden, match="member_above"):
                await attempt
    with pytest.raises(Forbidden, match="member_above"):
        await stage.members.remove(server.id, mod, peer)
    await stage.members.remove(server.id, mod, ben)
    assert ben not in await stage.everybody(server)


async def test_a_plain_member_moderates_nobody(stage: Stage, server: Server, ben: UserId) -> None:
    cy = await stage.newcomer(server)
    for attempt in (
        stage.bans.ban(server.id, ben, cy, BanMember()),
        stage.bans.unban(server.id, ben, cy),
        stage.bans.of(server.id, ben, None, 10),
        stage.members.edit(server.id, ben, cy, EditMember(muted=True)),
        stage.members.edit(server.id, ben, cy, EditMember(deafened=True)),
        stage.members.edit(server.id, ben, cy, EditMember(nickname="pet")),
        stage.members.edit(server.id, ben, cy, EditMember(timeout_until_ms=stage.clock.ms + 1)),
        stage.reports.of(server.id, ben, None, 10),
        stage.audit.of(server.id, ben, None, 10),
        stage.audit.check(server.id, ben),
    ):
        with pytest.raises(Forbidden, match="permission_missing"):
            await attempt


async def test_a_banned_member_is_out_and_cannot_come_back(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    invite = await stage.invites.create(server.id, server.owner, OPEN_INVITE)
    ban = await stage.bans.ban(server.id, mod, ben, BanMember(" spam ", 3_600))
    assert (ban.user, ban.actor, ban.reason) == (ben, mod, "spam")
    assert ben not in await stage.everybody(server)
    assert stage.removed.calls == [(server.id, ben, stage.clock.ms - HOUR_MS)]
    with pytest.raises(Forbidden, match="banned"):
        await stage.invites.accept(invite.code, ben)
    assert (await stage.bans.of(server.id, mod, None, 10)).items == [ban]

    await stage.bans.unban(server.id, mod, ben)

    assert (await stage.bans.of(server.id, mod, None, 10)).items == []
    await stage.invites.accept(invite.code, ben)
    assert ben in await stage.everybody(server)
    with pytest.raises(NotFound, match="ban_unknown"):
        await stage.bans.unban(server.id, mod, ben)


async def test_who_is_not_there_can_be_banned_ahead(
    stage: Stage, server: Server, mod: UserId
) -> None:
    eve = stage.stranger()
    invite = await stage.invites.create(server.id, server.owner, OPEN_INVITE)
    await stage.bans.ban(server.id, mod, eve, BanMember())
    assert stage.removed.calls == []
    with pytest.raises(Forbidden, match="banned"):
        await stage.invites.accept(invite.code, eve)


async def test_bans_come_in_pages(stage: Stage, server: Server, mod: UserId) -> None:
    banned = {stage.stranger() for _ in range(5)}
    for user in banned:
        await stage.bans.ban(server.id, mod, user, BanMember())
    first = await stage.bans.of(server.id, mod, None, 3)
    assert first.next is not None
    second = await stage.bans.of(server.id, mod, first.items[-1].user, 3)
    assert second.next is None
    assert {ban.user for ban in [*first.items, *second.items]} == banned


async def test_a_timeout_leaves_reading_until_it_ends(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    lounge = await stage.place(server, "voice")
    await stage.announced_rights()
    until_ms = stage.clock.ms + HOUR_MS
    await stage.members.edit(server.id, mod, ben, EditMember(timeout_until_ms=until_ms))
    assert await stage.may(ben, lounge.id) == EVERYONE & IN_TIMEOUT
    (fact,) = await stage.announced_rights()
    assert fact.permissions == {ben: int(EVERYONE & IN_TIMEOUT)}
    stage.clock.ms = until_ms
    assert await stage.may(ben, lounge.id) == EVERYONE


async def test_a_timeout_can_be_lifted_and_has_a_longest(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    long = EditMember(timeout_until_ms=stage.clock.ms + TIMEOUT_MS_MAX)
    assert (await stage.members.edit(server.id, mod, ben, long)).timeout_until_ms
    lifted = await stage.members.edit(server.id, mod, ben, EditMember(timeout_until_ms=0))
    assert lifted.timeout_until_ms == 0
    longer = EditMember(timeout_until_ms=stage.clock.ms + TIMEOUT_MS_MAX + 1)
    with pytest.raises(Invalid, match="timeout_too_long"):
        await stage.members.edit(server.id, mod, ben, longer)


async def test_a_muted_member_cannot_speak_and_a_deafened_one_is_told_to_all(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    lounge = await stage.place(server, "voice")
    await stage.announced()
    await stage.members.edit(server.id, mod, ben, EditMember(muted=True, deafened=True))
    assert Permission.SPEAK not in await stage.may(ben, lounge.id)
    facts = await stage.announced()
    (change,) = [fact.event for fact in facts if isinstance(fact.event, ServerChanged)]
    assert [(m.user, m.muted, m.deafened) for m in change.members] == [(ben, True, True)]
    await stage.members.edit(server.id, mod, ben, EditMember(muted=False))
    assert await stage.may(ben, lounge.id) == EVERYONE


async def test_members_name_themselves(stage: Stage, server: Server, ben: UserId) -> None:
    named = await stage.members.edit(server.id, ben, ben, EditMember(nickname=" Big  Ben "))
    assert named.nickname == "Big Ben"
    assert (
        await stage.members.edit(server.id, ben, ben, EditMember(nickname=None))
    ).nickname is None
    with pytest.raises(Invalid, match="nickname_too_long"):
        await stage.members.edit(server.id, ben, ben, EditMember(nickname="x" * 33))


async def test_reports_reach_moderators_who_resolve_them_once(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    cy = await stage.newcomer(server)
    report = await stage.reports.create(server.id, cy, CreateReport(ben, "he shouts"))
    assert (await stage.reports.of(server.id, mod, None, 10)).items == [report]
    done = await stage.reports.resolve(server.id, mod, report.id, "told him")
    assert (done.resolved_by, done.resolution) == (mod, "told him")
    assert (await stage.reports.of(server.id, mod, None, 10)).items == [done]
    with pytest.raises(Conflict, match="report_resolved"):
        await stage.reports.resolve(server.id, mod, report.id, "again")
    with pytest.raises(Forbidden, match="permission_missing"):
        await stage.reports.resolve(server.id, cy, report.id, "mine")


async def test_a_report_of_another_server_is_unknown(
    stage: Stage, server: Server, ben: UserId
) -> None:
    report = await stage.reports.create(server.id, ben, CreateReport(server.owner, "unfair"))
    other = await stage.new_server()
    with pytest.raises(NotFound, match="report_unknown"):
        await stage.reports.resolve(other.id, other.owner, report.id, "mine")


async def test_nobody_floods_moderators(stage: Stage, server: Server, ben: UserId) -> None:
    for _ in range(OPEN_REPORTS_MAX):
        await stage.reports.create(server.id, ben, CreateReport(server.owner, "unfair"))
    with pytest.raises(Conflict, match="reports_too_many"):
        await stage.reports.create(server.id, ben, CreateReport(server.owner, "unfair"))


async def test_the_log_tells_who_did_what(
    stage: Stage, server: Server, mod: UserId, ben: UserId
) -> None:
    await stage.servers.edit(server.id, server.owner, EditServer(name="inn"), None)
    await stage.members.remove(server.id, mod, ben, "rude")
    kick, edit, *older = (await stage.audit.of(server.id, server.owner, None, 50)).items
    assert (kick.actor, kick.action, kick.target, kick.reason) == (mod, "member.kick", ben, "rude")
    assert (edit.action, edit.before, edit.after) == (
        "server.edit",
        {"name": "tavern"},
        {"name": "inn"},
    )
    assert [entry.number for entry in [kick, edit, *older]] == list(range(len(older) + 2, 0, -1))


async def test_the_log_comes_in_pages(stage: Stage, server: Server) -> None:
    for number in range(5):
        await stage.roles.create(server.id, server.owner, CreateRole(str(number)))
    first = await stage.audit.of(server.id, server.owner, None, 3)
    assert first.next == "3"
    second = await stage.audit.of(server.id, server.owner, int(first.next), 3)
    assert (len(second.items), second.next) == (2, None)


@pytest.mark.parametrize(
    ("tampering", "broken_at"),
    [
        ("UPDATE audit_log SET reason = 'none' WHERE number = 2", 2),
        ("UPDATE audit_log SET actor = target WHERE number = 2", 2),
        ("DELETE FROM audit_log WHERE number = 2", 2),
        ("DELETE FROM audit_log WHERE number = 4", 4),
        ("DELETE FROM audit_log", 1),
        ("UPDATE audit_log SET number = number + 10 WHERE number > 2", 3),
    ],
)
async def test_a_log_that_was_tampered_with_says_where(
    stage: Stage, server: Server, tampering: str, broken_at: int
) -> None:
    for number in range(4):
        await stage.roles.create(server.id, server.owner, CreateRole(str(number)))
    assert (await stage.audit.check(server.id, server.owner)).broken_at is None
    await stage.ground.around.database.execute(tampering, {})
    assert (await stage.audit.check(server.id, server.owner)).broken_at == broken_at
