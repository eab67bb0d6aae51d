"""What members are told of a server's changes leaves each with exactly what they may see."""

from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidetone.community import Community
from sidetone.gateway.domain.outlook import as_seen, outlooks
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import Channel
from tests.server_changes import SERVER, USERS, changes, community


def seen_by(town: Community, user: UserId) -> dict[UUID, Channel]:
    """Return what the slow way says: nobody groups, nobody remembers."""
    return {one.id: one for one in Community(town.state()).visible(user)}


@given(st.lists(changes, max_size=6))
def test_each_member_knows_what_they_may_see_and_never_hears_of_the_rest(
    steps: list[dict[str, Any]],
) -> None:
    town = community()
    known = {user: dict(seen_by(town, user)) for user in USERS}
    told = outlooks(town, USERS)
    for step in steps:
        change = ServerChanged(SERVER, town.generation + 1, **step)
        before = frozenset(town.channels)
        town.apply(change)
        now = outlooks(town, USERS)
        for user in list(known):
            if user not in now:
                del known[user]
                continue
            has = seen_by(town, user)
            if user not in told:
                known[user] = has
                continue
            seen = as_seen(change, town, told[user], now[user], before)
            hidden = before - told[user].union(has)
            assert {channel.id for channel in seen.channels} <= set(has)
            assert not hidden.intersection(seen.gone)
            for gone in seen.gone:
                known[user].pop(gone, None)
            known[user].update((channel.id, channel) for channel in seen.channels)
            assert known[user] == has
        known.update({user: seen_by(town, user) for user in now if user not in known})
        told = now


@given(st.lists(changes, max_size=4))
def test_members_of_the_same_roles_share_one_outlook(steps: list[dict[str, Any]]) -> None:
    town = community()
    for step in steps:
        town.apply(ServerChanged(SERVER, town.generation + 1, **step))
    found = outlooks(town, [*USERS, UserId(UUID(int=999))])
    assert set(found) == set(town.members)
    assert found == {user: frozenset(seen_by(town, user)) for user in town.members}
    assert len({id(outlook) for outlook in found.values()}) == len(set(found.values()))
