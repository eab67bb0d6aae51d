"""A server as somebody sees it who has one role: what they find there, and what they may do.

Computed by the very rules that the server decides by, on a copy in which nobody else is. What
the account itself does not see is not in it.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, RoleId, UserId
from sidetone.protocol.servers import Channel, Member, Overwrite

# Nobody: no account has this id, and it owns nothing.
NOBODY: Final = UserId(UUID(int=0))


class SeenAs:
    """*community* in the eyes of a member whose only role is *role*; everyone's: none."""

    def __init__(self, community: Community, role: RoleId) -> None:
        roles = [] if role == community.server.id else [role]
        state = msgspec.structs.replace(
            community.state(), members=[Member(NOBODY, 0, roles=roles)]
        )
        self._twin = Community(state)

    def channels(self) -> list[Channel]:
        """Return the channels that they see."""
        return list(self._twin.visible(NOBODY))

    def abilities(self, channel: ChannelId | None = None) -> Permission:
        """Return what they may do in *channel*, or in the server as a whole."""
        if channel is None:
            return self._twin.standing(NOBODY, 0)
        return self._twin.permissions(NOBODY, channel, 0)


def with_overwrites(
    community: Community, channel: Channel, overwrites: Sequence[Overwrite]
) -> Community:
    """Return a copy of *community* in which *channel* allows and denies something else."""
    state = community.state()
    changed = msgspec.structs.replace(channel, overwrites=list(overwrites))
    others = [each for each in state.channels if each.id != channel.id]
    return Community(msgspec.structs.replace(state, channels=[*others, changed]))
