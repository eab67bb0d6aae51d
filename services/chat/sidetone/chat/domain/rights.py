"""Whose rights in voice channels a change alters: calls that go on must hear of it.

Thousands of members share few sets of roles: what a set may do is decided once.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID

import msgspec

from sidetone.community import Community
from sidetone.protocol.events import RightsChanged, ServerChanged
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import Member, ServerState

_TALKING = frozenset({"voice", "direct"})
USERS_MAX = 500


def rights_changed(
    before: Community, change: ServerChanged, now_ms: int
) -> Iterator[RightsChanged]:
    """Yield the rights that *change* altered, at most ``USERS_MAX`` users in each."""
    after = before.after(change)
    if change.deleted:
        after = Community(ServerState(before.server, change.generation, [], [], [], []))
    groups = _alike(before, after, _touched_members(before, after, change))
    for channel in _touched_channels(before, change):
        users = _changed_in(channel, (before, after), groups, now_ms)
        while part := dict(islice(users, USERS_MAX)):
            yield RightsChanged(channel, after.generation, part)


def _changed_in(
    channel: ChannelId,
    both: tuple[Community, Community],
    groups: Sequence[Sequence[UserId]],
    now_ms: int,
) -> Iterator[tuple[UserId, int]]:
    """Yield who may do something else in *channel* now, and what."""
    singled_out = {user for community in both for user in _singled_out(community, channel)}
    for group in groups:
        ordinary = [user for user in group if user not in singled_out]
        singles = [[user] for user in group if user in singled_out]
        for alike in [ordinary, *singles]:
            if not alike:
                continue
            had, has = (community.permissions(alike[0], channel, now_ms) for community in both)
            if had != has:
                yield from ((user, int(has)) for user in alike)


def _alike(
    before: Community, after: Community, users: Iterable[UserId]
) -> Sequence[Sequence[UserId]]:
    """Return *users* in groups of those about whom the same is known, before and after."""
    groups: dict[tuple[object, object], list[UserId]] = {}
    for user in users:
        kind = _traits(before.members.get(user)), _traits(after.members.get(user))
        groups.setdefault(kind, []).append(user)
    return list(groups.values())


def _traits(member: Member | None) -> object:
    if member is None:
        return None
    return frozenset(member.roles), member.timeout_until_ms, member.muted


def _singled_out(community: Community, channel: ChannelId) -> Iterator[UUID]:
    """Yield those of whom roles alone do not tell what they may do in *channel*."""
    yield community.server.owner
    if place := community.channels.get(channel):
        yield from (each.subject for each in place.overwrites if each.kind == "member")


def _touched_channels(before: Community, change: ServerChanged) -> Iterator[ChannelId]:
    """Yield the channels to talk in where rights can be others now.

    Of a channel that is new nobody has a ticket yet.
    """
    named = {*(channel.id for channel in change.channels), *change.gone}
    places = before.channels
    of_members = bool(change.members) or any(id_ in before.members for id_ in change.gone)
    if not of_members and not _alters_roles(before, change):
        places = {id_: place for id_, place in places.items() if id_ in named}
    return (ChannelId(id_) for id_, place in places.items() if place.kind in _TALKING)


def _touched_members(
    before: Community, after: Community, change: ServerChanged
) -> Iterable[UserId]:
    """Return the members whose rights can be others now."""
    if change.deleted or before.alters_rules(change):
        return [UserId(user) for user in {**before.members, **after.members}]
    return [*(member.user for member in change.members), *(UserId(id_) for id_ in change.gone)]


def _alters_roles(before: Community, change: ServerChanged) -> bool:
    """Return whether a change of other things than channels can alter anybody's rights."""
    without = msgspec.structs.replace(change, channels=[], gone=[])
    lost = any(id_ in before.roles for id_ in change.gone)
    return change.deleted or lost or before.alters_rules(without)
