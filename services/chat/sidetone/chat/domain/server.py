"""What a member may do in a server as a whole."""

import msgspec

from sidetone.permissions import EVERYONE, Permission, effective
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict, Forbidden, NotFound
from sidetone.protocol.servers import Server

# Per user; the others are per server.
SERVERS_MAX = 200
MEMBERS_MAX = 5_000
CHANNELS_MAX = 500


class Standing(msgspec.Struct, frozen=True):
    """A member's place in a server.

    Overwrites of channels play no part here: what somebody is allowed in one channel gives no
    power over the server.
    """

    server: Server
    user: UserId

    @property
    def permissions(self) -> Permission:
        """Return what the member may do in the server."""
        return effective(EVERYONE, is_owner=self.user == self.server.owner)

    def require(self, needed: Permission) -> None:
        """Refuse unless *needed* is granted."""
        if needed not in self.permissions:
            raise Forbidden(
                "permission_missing", f"you need {needed.name} in this server; ask its owner"
            )

    def require_may_remove(self, member: UserId) -> None:
        """Refuse to remove the owner, and others without ``KICK_MEMBERS``; leaving is free."""
        if member == self.server.owner:
            raise Forbidden("owner_stays", "the owner cannot leave or be removed from the server")
        if member != self.user:
            self.require(Permission.KICK_MEMBERS)


def require_room_for_one_more(count: int, count_max: int, what: str) -> None:
    """Refuse the addition that would pass *count_max*.

    >>> require_room_for_one_more(500, 500, "channels")
    Traceback (most recent call last):
    sidetone.protocol.refusals.Conflict: channels_too_many: there are already 500 channels; ...
    """
    if count >= count_max:
        raise Conflict(
            f"{what}_too_many", f"there are already {count_max} {what}; remove one first"
        )


def unknown_server() -> NotFound:
    """Return the one refusal for servers that are absent and servers of others."""
    return NotFound("server_unknown", "there is no such server, or you are not a member")


def unknown_member() -> NotFound:
    """Return the refusal for who is not in the server."""
    return NotFound("member_unknown", "there is no such member in this server")
