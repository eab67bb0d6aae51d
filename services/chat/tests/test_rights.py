"""Which rights in voice a change alters, against asking for everybody in every channel."""

from hypothesis import given
from hypothesis import strategies as st

from libs.community.tests.worlds import NOW_MS, changes, states
from sidetone.chat.domain.rights import USERS_MAX, rights_changed
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import ServerState

TALKING = {"voice", "direct"}


def slowly(before: Community, change: ServerChanged) -> dict[tuple[ChannelId, UserId], int]:
    after = before.after(change)
    users = {UserId(user) for user in {**before.members, **after.members}}
    found: dict[tuple[ChannelId, UserId], int] = {}
    for place in before.channels.values():
        for user in users:
            had = before.permissions(user, place.id, NOW_MS)
            has = Permission.NONE if change.deleted else after.permissions(user, place.id, NOW_MS)
            if place.kind in TALKING and had != has:
                found[place.id, user] = int(has)
    return found


@given(states(), st.data(), st.booleans())
def test_what_is_announced_is_what_changed(
    state: ServerState, data: st.DataObject, deleted: bool
) -> None:
    change = data.draw(changes(state.generation + 1))
    if deleted:
        change = ServerChanged(change.server, change.generation, deleted=True)
    community = Community(state)
    facts = list(rights_changed(community, change, NOW_MS))
    announced = {
        (fact.channel, user): bits for fact in facts for user, bits in fact.permissions.items()
    }
    assert announced == slowly(community, change)
    assert all(fact.generation == change.generation for fact in facts)
    assert all(1 <= len(fact.permissions) <= USERS_MAX for fact in facts)
