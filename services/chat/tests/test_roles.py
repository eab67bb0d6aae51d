"""Who may shape and give roles, over both topologies."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest

from services.chat.tests.stage import Stage, open_stage
from sidetone.chat.domain.server import ROLES_MAX
from sidetone.chat.domain.version import version_of
from sidetone.permissions import ALL, EVERYONE, Permission
from sidetone.protocol.ids import RoleId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound
from sidetone.protocol.servers import CreateRole, EditRole, Role, Server

RULE = Permission.MANAGE_ROLES | Permission.KICK_MEMBERS


@pytest.fixture(params=["embedded", "distributed"])
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def server(stage: Stage) -> Server:
    return await stage.new_server()


async def moderator(stage: Stage, server: Server, bits: Permission = RULE) -> tuple[UserId, Role]:
    """Return a member with a role of *bits* of their own, which stands lowest at that moment."""
    user = await stage.newcomer(server)
    role = await stage.roles.create(server.id, server.owner, CreateRole("mods", int(bits)))
    await stage.roles.give(server.id, server.owner, user, role.id)
    return user, role


async def everyones(stage: Stage, server: Server) -> Role:
    return (await stage.see.roles(server.id, server.owner))[0]


async def test_a_role_gives_what_it_says_to_who_has_it(stage: Stage, server: Server) -> None:
    lounge = await stage.place(server, "voice")
    ben = await stage.newcomer(server)
    role = await stage.roles.create(
        server.id, server.owner, CreateRole("loud", int(Permission.PRIORITY_SPEAKER))
    )
    await stage.announced_rights()

    await stage.roles.give(server.id, server.owner, ben, role.id)

    assert await stage.may(ben, lounge.id) == EVERYONE | Permission.PRIORITY_SPEAKER
    (fact,) = await stage.announced_rights()
    assert fact.permissions == {ben: int(EVERYONE | Permission.PRIORITY_SPEAKER)}
    await stage.roles.take(server.id, server.owner, ben, role.id)
    assert await stage.may(ben, lounge.id) == EVERYONE


async def test_everyones_role_changes_what_all_may_do(stage: Stage, server: Server) -> None:
    lounge = await stage.place(server, "voice")
    members = {await stage.newcomer(server), await stage.newcomer(server)}
    await stage.announced_rights()
    silent = EditRole(permissions=int(EVERYONE & ~Permission.SPEAK))
    await stage.roles.edit(server.id, server.owner, RoleId(server.id), silent)
    (fact,) = await stage.announced_rights()
    assert fact.permissions == dict.fromkeys(members, int(EVERYONE & ~Permission.SPEAK))
    assert fact.channel == lounge.id


async def test_new_roles_are_the_lowest_and_order_is_kept(stage: Stage, server: Server) -> None:
    one = await stage.roles.create(server.id, server.owner, CreateRole("one"))
    two = await stage.roles.create(server.id, server.owner, CreateRole("two"))
    roles = await stage.see.roles(server.id, server.owner)
    assert [(role.id, role.position) for role in roles] == [
        (server.id, 0),
        (two.id, 1),
        (one.id, 2),
    ]
    await stage.roles.order(server.id, server.owner, [one.id, two.id])
    roles = await stage.see.roles(server.id, server.owner)
    assert [role.id for role in roles] == [server.id, one.id, two.id]


async def test_nobody_grants_a_bit_that_they_lack(stage: Stage, server: Server) -> None:
    ben, role = await moderator(stage, server)
    cy = await stage.newcomer(server)
    power = CreateRole("power", int(Permission.BAN_MEMBERS))
    with pytest.raises(Forbidden, match="permission_lacking"):
        await stage.roles.create(server.id, ben, power)
    banners = await stage.roles.create(server.id, server.owner, power)
    await stage.roles.order(server.id, server.owner, [banners.id, role.id])
    with pytest.raises(Forbidden, match="permission_lacking"):
        await stage.roles.give(server.id, ben, cy, banners.id)
    with pytest.raises(Forbidden, match="permission_lacking"):
        await stage.roles.edit(server.id, ben, banners.id, EditRole(permissions=0))
    with pytest.raises(Forbidden, match="permission_lacking"):
        await stage.roles.delete(server.id, ben, banners.id)
    with pytest.raises(Forbidden, match="permission_lacking"):
        await stage.roles.edit(server.id, ben, RoleId(server.id), EditRole(permissions=int(ALL)))
    # What they hold they may give.
    kickers = await stage.roles.create(
        server.id, ben, CreateRole("kickers", int(Permission.KICK_MEMBERS))
    )
    assert kickers.id in (await stage.roles.give(server.id, ben, cy, kickers.id)).roles


async def test_nobody_touches_a_role_that_is_not_below_their_own(
    stage: Stage, server: Server
) -> None:
    ben, own = await moderator(stage, server)
    _, higher = await moderator(stage, server)
    await stage.roles.order(server.id, server.owner, [own.id, higher.id])
    cy = await stage.newcomer(server)
    for role in (own.id, higher.id):
        for attempt in (
            stage.roles.edit(server.id, ben, role, EditRole(name="mine")),
            stage.roles.delete(server.id, ben, role),
            stage.roles.give(server.id, ben, cy, role),
            stage.roles.take(server.id, ben, ben, role),
        ):
            with pytest.raises(Forbidden, match="role_above"):
                await attempt


async def test_nobody_lifts_themselves_by_ordering(stage: Stage, server: Server) -> None:
    ben, own = await moderator(stage, server)
    _, higher = await moderator(stage, server)
    lower = await stage.roles.create(server.id, server.owner, CreateRole("low"))
    await stage.roles.order(server.id, server.owner, [lower.id, own.id, higher.id])
    for order in (
        [lower.id, higher.id, own.id],
        [own.id, lower.id, higher.id],
        [higher.id, own.id, lower.id],
    ):
        with pytest.raises(Forbidden, match="role_above"):
            await stage.roles.order(server.id, ben, order)


async def test_those_below_are_ordered_also_where_one_is_missing(
    stage: Stage, server: Server
) -> None:
    wishes = [CreateRole(name) for name in ("one", "two", "three")]
    one, two, three = [await stage.roles.create(server.id, server.owner, wish) for wish in wishes]
    ben, own = await moderator(stage, server)
    await stage.roles.order(server.id, server.owner, [one.id, two.id, three.id, own.id])
    await stage.roles.delete(server.id, server.owner, two.id)
    await stage.roles.order(server.id, ben, [three.id, one.id, own.id])
    roles = await stage.see.roles(server.id, ben)
    assert [role.id for role in roles] == [server.id, three.id, one.id, own.id]


async def test_an_order_names_each_role_once(stage: Stage, server: Server) -> None:
    one = await stage.roles.create(server.id, server.owner, CreateRole("one"))
    for order in ([], [one.id, one.id], [one.id, RoleId(server.id)]):
        with pytest.raises(Conflict, match="order_incomplete"):
            await stage.roles.order(server.id, server.owner, order)


async def test_nobody_gives_roles_to_who_stands_as_high(stage: Stage, server: Server) -> None:
    ben, own = await moderator(stage, server)
    lower = await stage.roles.create(server.id, server.owner, CreateRole("low"))
    cy = await stage.newcomer(server)
    await stage.roles.give(server.id, server.owner, cy, own.id)
    with pytest.raises(Forbidden, match="member_above"):
        await stage.roles.give(server.id, ben, cy, lower.id)
    with pytest.raises(Forbidden, match="member_above"):
        await stage.roles.give(server.id, ben, server.owner, lower.id)
    assert lower.id in (await stage.roles.give(server.id, ben, ben, lower.id)).roles


async def test_managing_roles_takes_the_permission(stage: Stage, server: Server) -> None:
    ben = await stage.newcomer(server)
    role = await stage.roles.create(server.id, server.owner, CreateRole("one"))
    for attempt in (
        stage.roles.create(server.id, ben, CreateRole("mine")),
        stage.roles.edit(server.id, ben, role.id, EditRole(name="mine")),
        stage.roles.delete(server.id, ben, role.id),
        stage.roles.order(server.id, ben, [role.id]),
        stage.roles.give(server.id, ben, ben, role.id),
        stage.roles.take(server.id, ben, ben, role.id),
    ):
        with pytest.raises(Forbidden, match="permission_missing"):
            await attempt


async def test_a_deleted_role_is_taken_from_everybody(stage: Stage, server: Server) -> None:
    lounge = await stage.place(server, "voice")
    ben, role = await moderator(stage, server, Permission.PRIORITY_SPEAKER)
    await stage.announced_rights()
    await stage.roles.delete(server.id, server.owner, role.id)
    assert await stage.may(ben, lounge.id) == EVERYONE
    assert (await stage.see.member(server.id, ben, ben)).roles == []
    (fact,) = await stage.announced_rights()
    assert fact.permissions == {ben: int(EVERYONE)}
    # As it is stored, and not only as it is held.
    state = await stage.ground.servers.state(server.id)
    assert all(role.id not in member.roles for member in state.members)
    with pytest.raises(NotFound, match="role_unknown"):
        await stage.roles.edit(server.id, server.owner, role.id, EditRole(name="ghost"))


async def test_the_role_of_everyone_stays(stage: Stage, server: Server) -> None:
    with pytest.raises(Conflict, match="role_stays"):
        await stage.roles.delete(server.id, server.owner, RoleId(server.id))
    with pytest.raises(Forbidden, match="role_of_everyone"):
        await stage.roles.take(server.id, server.owner, server.owner, RoleId(server.id))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (CreateRole(""), "name_empty"),
        (CreateRole("x" * 101), "name_too_long"),
        (CreateRole("x", permissions=-1), "permission_unknown"),
        (CreateRole("x", permissions=1 << 40), "permission_unknown"),
        (CreateRole("x", color=1 << 24), "color_out_of_range"),
    ],
)
async def test_a_role_that_means_nothing_is_refused(
    stage: Stage, server: Server, wish: CreateRole, code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        await stage.roles.create(server.id, server.owner, wish)
    assert caught.value.code == code


async def test_a_stale_edit_is_refused(stage: Stage, server: Server) -> None:
    role = await stage.roles.create(server.id, server.owner, CreateRole("one"))
    version = version_of(role)
    edited = await stage.roles.edit(
        server.id, server.owner, role.id, EditRole(name="two"), version
    )
    assert edited == msgspec.structs.replace(role, name="two")
    with pytest.raises(Conflict, match="stale_version"):
        await stage.roles.edit(server.id, server.owner, role.id, EditRole(name="three"), version)


async def test_of_two_who_take_each_others_power_one_succeeds(
    stage: Stage, server: Server
) -> None:
    """What is decided holds until it is written: a power that went meanwhile is gone."""
    ben, _ = await moderator(stage, server, Permission.MANAGE_ROLES)
    cy, _ = await moderator(stage, server, Permission.MANAGE_ROLES)
    low = await stage.roles.create(
        server.id, server.owner, CreateRole("low", int(Permission.MANAGE_ROLES))
    )
    silent = EditRole(permissions=0)
    roles = [role.id for role in await stage.see.roles(server.id, server.owner)][2:]
    for user, role in zip((ben, cy), roles, strict=True):
        # Both hold the power through the one low role alone.
        await stage.roles.edit(server.id, server.owner, role, silent)
        await stage.roles.give(server.id, server.owner, user, low.id)
    results = await asyncio.gather(
        stage.roles.edit(server.id, ben, low.id, silent),
        stage.roles.edit(server.id, cy, low.id, silent),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["Forbidden", "Role"]


async def test_a_server_has_a_greatest_number_of_roles() -> None:
    async with open_stage("embedded") as stage:
        server = await stage.new_server()
        for _ in range(ROLES_MAX - 1):
            await stage.roles.create(server.id, server.owner, CreateRole("one more"))
        with pytest.raises(Conflict, match="roles_too_many"):
            await stage.roles.create(server.id, server.owner, CreateRole("too many"))
