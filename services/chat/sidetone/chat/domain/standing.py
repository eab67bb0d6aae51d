"""What a member may do in a server and in its channels, and upon whom, at one moment.

Decided from the server's state in memory. A refusal says what is missing; what one may not see
does not exist.
"""

from uuid import UUID

from sidetone.chat.domain.channel import unknown_channel
from sidetone.chat.domain.member import unknown_member
from sidetone.chat.domain.place import Place
from sidetone.chat.domain.server import unknown_server
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Forbidden
from sidetone.protocol.servers import Member, Role


class Standing:
    """A member's place in a server.

    Overwrites of channels play no part here: what somebody is allowed in one channel gives no
    power over the server.
    """

    __slots__ = ("community", "now_ms", "user")

    def __init__(self, community: Community, user: UserId, now_ms: int) -> None:
        """Find the place. Raises ``NotFound``: strangers learn of no server."""
        if user not in community.members:
            raise unknown_server()
        self.community = community
        self.user = user
        self.now_ms = now_ms

    @property
    def permissions(self) -> Permission:
        """Return what the member may do in the server."""
        return self.community.standing(self.user, self.now_ms)

    @property
    def rank(self) -> int:
        """Return how high the member stands."""
        return self.community.rank(self.user)

    def require(self, needed: Permission) -> None:
        """Refuse unless *needed* is granted."""
        if needed not in self.permissions:
            raise Forbidden(
                "permission_missing", f"you need {needed.name} in this server; ask its owner"
            )

    def require_owner(self) -> None:
        """Refuse all but the owner of a community."""
        server = self.community.server
        if server.kind != "community" or self.user != server.owner:
            raise Forbidden("owner_only", "only the owner of the server can do this")

    def require_above(self, other: UserId) -> None:
        """Refuse to act upon who stands as high, or higher; the owner stands above all."""
        if self.rank <= self.community.rank(other):
            raise Forbidden("member_above", "they stand as high as you in this server, or higher")

    def require_role_below(self, role: Role) -> None:
        """Refuse to touch a role that is at or above the member's own top role."""
        if role.position >= self.rank:
            raise Forbidden("role_above", "this role is not below your own highest role")

    def member(self, user: UserId) -> Member:
        """Return another member. Raises ``NotFound``."""
        member = self.community.members.get(user)
        if member is None:
            raise unknown_member()
        return member

    def in_channel(self, channel: UUID) -> Place:
        """Return the member's place in *channel*. Raises ``NotFound`` where they do not see it."""
        found = self.community.channels.get(channel)
        if found is None:
            raise unknown_channel()
        return Place.enter(self.community, found, self.user, self.now_ms)


def require_holds(held: Permission, bits: Permission) -> None:
    """Refuse to give or take *bits* that are not *held*.

    Taking a denial away grants as much as an allowance does, so every bit that changes counts.
    """
    if lacking := bits & ~held:
        raise Forbidden(
            "permission_lacking", f"you cannot give or take what you lack: {lacking.name}"
        )
