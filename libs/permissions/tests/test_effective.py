"""What a member may do in a channel, against a slow reading of the rule.

The rule: the owner may do everything, and so may who has ADMINISTRATOR. Anybody else begins with
what their roles give. Then everyone's overwrite counts, then those of all their roles taken
together, then their own; within each, what is denied is taken away first and what is allowed is
given after. Who cannot see the channel can do nothing in it.
"""

from hypothesis import given
from hypothesis import strategies as st

from sidetone.permissions import (
    ALL,
    EVERYONE,
    IN_TIMEOUT,
    Overwrite,
    Permission,
    effective,
    merged,
)

bits = st.sets(st.sampled_from(list(Permission))).map(lambda some: Permission(sum(some)))
overwrites = st.builds(Overwrite, bits, bits)
lists = st.lists(overwrites, max_size=4)


def slowly(
    base: Permission,
    everyone: Overwrite,
    roles: list[Overwrite],
    member: Overwrite,
    *,
    is_owner: bool,
) -> set[Permission]:
    """Return the single permissions that the rule grants, one sentence after the other."""
    every = set(Permission)
    if is_owner or Permission.ADMINISTRATOR in base:
        return every
    granted = {bit for bit in every if bit in base}
    for level in ([everyone], roles, [member]):
        granted -= {bit for bit in every for overwrite in level if bit & overwrite.deny}
        granted |= {bit for bit in every for overwrite in level if bit & overwrite.allow}
    return granted if Permission.VIEW_CHANNEL in granted else set()


@given(bits, overwrites, lists, overwrites, st.booleans())
def test_the_fast_answer_is_the_slow_one(
    base: Permission,
    everyone: Overwrite,
    roles: list[Overwrite],
    member: Overwrite,
    is_owner: bool,
) -> None:
    fast = effective(base, everyone, merged(roles), member, is_owner=is_owner)
    slow = slowly(base, everyone, roles, member, is_owner=is_owner)
    assert {bit for bit in Permission if bit in fast} == slow


@given(lists)
def test_the_order_of_roles_plays_no_part(roles: list[Overwrite]) -> None:
    forwards, backwards = merged(roles), merged(reversed(roles))
    assert (forwards.allow, forwards.deny) == (backwards.allow, backwards.deny)


def test_every_ability_has_a_bit_of_its_own_that_javascript_can_read() -> None:
    single = list(Permission)
    assert all(bit.value.bit_count() == 1 for bit in single)
    assert len({bit.value for bit in single}) == len(single) == len(Permission.__members__) - 1
    assert ALL.value == sum(single) < 1 << 53


def test_what_all_get_holds_no_power_over_others() -> None:
    powers = (
        Permission.ADMINISTRATOR
        | Permission.MANAGE_SERVER
        | Permission.MANAGE_ROLES
        | Permission.MANAGE_CHANNELS
        | Permission.MANAGE_PERMISSIONS
        | Permission.MANAGE_MESSAGES
        | Permission.KICK_MEMBERS
        | Permission.BAN_MEMBERS
        | Permission.MODERATE_MEMBERS
    )
    assert not EVERYONE & powers
    assert EVERYONE & IN_TIMEOUT == IN_TIMEOUT
