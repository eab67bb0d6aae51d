"""Who sees which channels of a server, and how a change of it looks to each of them.

Members with the same roles see the same: what they see is computed once, and the same set object
stands for all of them, so that one encoded event serves them all.
"""

from collections.abc import Hashable, Iterable
from typing import TypeAlias
from uuid import UUID

import msgspec

from sidetone.community import Community
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import UserId

Outlook: TypeAlias = frozenset[UUID]


def outlooks(community: Community, users: Iterable[UserId]) -> dict[UserId, Outlook]:
    """Return the channels that each of *users* sees; who is no member is left out."""
    singled_out = {
        overwrite.subject
        for channel in community.channels.values()
        for overwrite in channel.overwrites
    }
    computed: dict[Hashable, Outlook] = {}
    interned: dict[Outlook, Outlook] = {}
    found: dict[UserId, Outlook] = {}
    for user in users:
        member = community.members.get(user)
        if member is None:
            continue
        alone = user == community.server.owner or user in singled_out
        alike: Hashable = user if alone else frozenset(member.roles)
        outlook = computed.get(alike)
        if outlook is None:
            seen = frozenset(channel.id for channel in community.visible(user))
            outlook = computed[alike] = interned.setdefault(seen, seen)
        found[user] = outlook
    return found


def as_seen(
    change: ServerChanged,
    community: Community,
    had: Outlook,
    has: Outlook,
    channels_before: Iterable[UUID],
) -> ServerChanged:
    """Return *change* as it looks to who saw *had* and sees *has* now.

    *community* has the change applied already, *channels_before* are those there were until then.
    A channel that appears is told whole, one that disappears is gone, and of a hidden one nothing
    is told.
    """
    hidden = frozenset(channels_before) - had
    changed = {channel.id for channel in change.channels}
    appeared = has - had - changed
    gone = [piece for piece in change.gone if piece not in hidden]
    return msgspec.structs.replace(
        change,
        channels=[
            *(channel for channel in change.channels if channel.id in has),
            *(channel for channel in community.channels.values() if channel.id in appeared),
        ],
        gone=[*gone, *sorted(had - has - frozenset(gone))],
    )
