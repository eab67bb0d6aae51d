"""What editors of servers decide by: orders, colours, overwrites, roles, invites, words."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.community import Community
from sidetone.desktop.domain import (
    audit_words,
    channel_order,
    invite_link,
    overwrites,
    permission_words,
    see_as_role,
    standing,
)
from sidetone.desktop.domain.readable_color import CONTRAST_MIN, contrast, readable
from sidetone.desktop.interface.theme import PALETTES
from sidetone.permissions import ALL, EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import (
    AuditEntry,
    Channel,
    Member,
    Overwrite,
    Role,
    Server,
    ServerState,
)

HOME = ServerId(UUID(int=1))
OWNER, MOD, GUEST = (UserId(UUID(int=n)) for n in (11, 12, 13))
LOW, HIGH = RoleId(UUID(int=21)), RoleId(UUID(int=22))


def channel(number: int, kind: str = "text", **more: object) -> Channel:
    fields = {"id": UUID(int=100 + number), "server": HOME, "name": f"c{number}", **more}
    return Channel(kind=kind, **fields)  # pyright: ignore[reportArgumentType]


def community(*channels: Channel) -> Community:
    roles = [
        Role(RoleId(HOME), "everyone", 0, int(EVERYONE)),
        Role(LOW, "low", 1, int(Permission.KICK_MEMBERS)),
        Role(HIGH, "high", 2, int(Permission.MANAGE_ROLES | Permission.KICK_MEMBERS)),
    ]
    members = [Member(OWNER, 0), Member(MOD, 0, roles=[HIGH]), Member(GUEST, 0, roles=[LOW])]
    return Community(ServerState(Server(HOME, "Home", OWNER), 1, roles, list(channels), members))


# --- channels in their order ---


@st.composite
def trees(draw: st.DrawFn) -> list[Channel]:
    kinds = draw(st.lists(st.sampled_from(["text", "voice", "category"]), max_size=9))
    categories = [n for n, kind in enumerate(kinds) if kind == "category"]
    positions = draw(st.permutations(range(len(kinds))))
    return [
        channel(
            n,
            kind,
            position=positions[n],
            parent=None
            if kind == "category"
            else draw(
                st.sampled_from([None, *(ChannelId(UUID(int=100 + c)) for c in categories)])
            ),
        )
        for n, kind in enumerate(kinds)
    ]


def drawn(channels: list[Channel]) -> list[UUID]:
    """Return what stands on the screen, from the top."""
    return [
        each.id
        for group in channel_order.groups_of(channels)
        for each in [*([group.category] if group.category else []), *group.channels]
    ]


def after(channels: list[Channel], moved: ChannelId, ask: channel_order.Arranged) -> list[Channel]:
    """Return the channels once the server has done what is asked."""
    by_id = {each.id: each for each in channels}
    return [
        channel(
            id_.int - 100,
            by_id[id_].kind,
            position=place,
            parent=ask.parent if id_ == moved else by_id[id_].parent,
        )
        for place, id_ in enumerate(ask.order)
    ]


@given(trees(), st.data())
def test_a_drop_moves_one_channel_and_leaves_the_others_in_order(
    channels: list[Channel], data: st.DataObject
) -> None:
    if not channels:
        return
    moved, onto = (data.draw(st.sampled_from(channels)) for _ in range(2))
    ask = channel_order.dropped(channels, moved.id, onto.id)
    if ask is None:
        return
    assert sorted(ask.order) == sorted(each.id for each in channels)
    now = after(channels, moved.id, ask)
    assert drawn(now) == ask.order
    if moved.kind == "category":
        inside = {each.id for each in channels if each.parent == moved.id} | {moved.id}
    else:
        inside = {moved.id}
    left = [id_ for id_ in drawn(channels) if id_ not in inside]
    assert [id_ for id_ in ask.order if id_ not in inside] == left


@given(trees(), st.data())
def test_a_step_down_and_one_up_again_change_nothing(
    channels: list[Channel], data: st.DataObject
) -> None:
    if not channels:
        return
    moved = data.draw(st.sampled_from(channels))
    down = channel_order.stepped(channels, moved.id, 1)
    if down is None:
        return
    now = after(channels, moved.id, down)
    up = channel_order.stepped(now, moved.id, -1)
    assert up is not None
    assert up.order == drawn(channels)
    assert up.parent == moved.parent


def test_a_channel_dropped_onto_a_category_stands_first_in_it() -> None:
    category = channel(1, "category", position=0)
    inside = channel(2, position=1, parent=category.id)
    outside = channel(3, position=2)
    ask = channel_order.dropped([category, inside, outside], outside.id, category.id)
    assert ask == ([category.id, outside.id, inside.id], category.id)


def test_a_channel_of_a_category_that_is_hidden_stands_outside() -> None:
    lonely = channel(2, parent=ChannelId(UUID(int=999)))
    assert channel_order.groups_of([lonely]) == [(None, [lonely])]


# --- colours ---


@given(st.integers(0, 0xFFFFFF), st.sampled_from(list(PALETTES.values())))
def test_names_of_any_colour_can_be_read_on_any_ground(color: int, palette: object) -> None:
    for place in ("side", "ground", "raised", "chosen"):
        ground = getattr(palette, place)
        assert contrast(readable(color, ground), ground) >= CONTRAST_MIN


def test_a_colour_that_can_be_read_stays_and_another_keeps_its_hue() -> None:
    assert readable(0x35D07F, "#11141B") == "#35D07F"
    changed = readable(0x00007F, "#11141B")
    red, green, blue = (int(changed[at : at + 2], 16) for at in (1, 3, 5))
    assert red == green < blue


# --- overwrites ---


@given(st.integers(0, int(ALL)), st.integers(0, int(ALL)), st.sampled_from(list(Permission)))
def test_each_state_is_read_as_it_was_set(allow: int, deny: int, permission: Permission) -> None:
    for state in ("allow", "inherit", "deny"):
        allowed, denied = overwrites.with_state(allow, deny, permission, state)
        assert overwrites.state_of(allowed, denied, permission) == state
        assert (allowed ^ allow) | (denied ^ deny) | permission == permission
        assert not allowed & denied & permission


def test_what_is_said_of_nothing_is_no_overwrite() -> None:
    place = channel(1, overwrites=[Overwrite(LOW, "role", 1, 0)])
    assert overwrites.replaced(place, Overwrite(LOW, "role", 0, 0)) == []
    assert overwrites.overwrite_of(place, HIGH, "role") == Overwrite(HIGH, "role", 0, 0)


# --- roles ---


def test_a_role_sees_what_its_overwrites_let_it_see() -> None:
    hidden = Overwrite(HOME, "role", 0, int(Permission.VIEW_CHANNEL))
    shown = Overwrite(LOW, "role", int(Permission.VIEW_CHANNEL), 0)
    place, secret = channel(1), channel(2, overwrites=[hidden, shown])
    home = community(place, secret)
    assert see_as_role.SeenAs(home, RoleId(HOME)).channels() == [place]
    low = see_as_role.SeenAs(home, LOW)
    assert low.channels() == [place, secret]
    assert low.abilities() == EVERYONE | Permission.KICK_MEMBERS
    assert Permission.SPEAK not in low.abilities(ChannelId(secret.id))
    assert list(home.members) == [OWNER, MOD, GUEST]


def test_nobody_touches_a_role_that_is_not_below_their_own() -> None:
    home = community()
    mod, owner, guest = (standing.Standing(home, user, 0) for user in (MOD, OWNER, GUEST))
    assert not mod.why_not_role(home.roles[LOW])
    assert mod.why_not_role(home.roles[HIGH])
    assert not owner.why_not_role(home.roles[HIGH])
    assert guest.why_not_role(home.roles[LOW])
    assert mod.may_act_on(GUEST, Permission.KICK_MEMBERS)
    assert not mod.may_act_on(GUEST, Permission.BAN_MEMBERS)
    assert not guest.may_act_on(MOD, Permission.KICK_MEMBERS)
    assert not mod.may_act_on(MOD, Permission.KICK_MEMBERS)
    assert mod.why_not_give(home.roles[LOW], OWNER)
    assert not mod.why_not_give(home.roles[LOW], GUEST)


def test_a_role_takes_the_place_of_another_and_everyone_stays_below() -> None:
    ranked = standing.ranked(community())
    assert [role.name for role in ranked] == ["high", "low", "everyone"]
    assert standing.role_moved(ranked, LOW, HIGH) == [HIGH, LOW]
    assert standing.role_moved(ranked, LOW, RoleId(HOME)) is None
    assert standing.role_moved(ranked, RoleId(HOME), LOW) is None


# --- words ---


def test_every_permission_is_explained_once() -> None:
    named = [
        each.permission for group in permission_words.all_abilities() for each in group.abilities
    ]
    assert sorted(named) == sorted(Permission(1 << bit) for bit in range(int(ALL).bit_length()))


def test_an_entry_says_who_did_what_and_what_is_different() -> None:
    changed = {"permissions": "5", "name": "low", "id": str(LOW), "color": "null"}
    now = {"permissions": "1", "name": "lower", "color": "255"}
    entry = AuditEntry(1, 0, OWNER, "role.edit", LOW, changed, now, "", "r")
    name = audit_words.target_name(entry, lambda _: None)
    assert audit_words.sentence(entry, "nova", name) == "nova changed the role lower"
    assert audit_words.differences(entry) == [
        ("Permissions", "See channels, Speak", "See channels"),
        ("Name", "low", "lower"),
        ("Colour", "nothing", "#0000FF"),
    ]


@pytest.mark.parametrize("address", ["sidetone://a.b:1#PIN", "http://127.0.0.1:8080"])
def test_a_link_leads_where_its_code_works(address: str) -> None:
    link = invite_link.link_of(address, "a" * 16)
    assert invite_link.read_invite(link) == (address, "a" * 16)


@pytest.mark.parametrize("text", ["", "abc", "https://a/invite/", "a" * 17, "1" * 16])
def test_what_is_no_invite_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(Invalid, match="16 letters"):
        invite_link.read_invite(text)
