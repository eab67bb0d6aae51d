"""What our account may do to roles and people of a server, and why not where it may not. Pure.

The server decides; this says beforehand what it would say, so that nobody is offered what will
be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.community import Community
from sidetone.desktop.domain.wording import tr
from sidetone.permissions import Permission
from sidetone.protocol.ids import RoleId, UserId
from sidetone.protocol.servers import Role


@dataclass(frozen=True)
class Standing:
    """*me* in *community* at a time."""

    community: Community
    me: UserId
    now_ms: int

    @property
    def permissions(self) -> Permission:
        """What we may do in the server as a whole."""
        return self.community.standing(self.me, self.now_ms)

    @property
    def owns(self) -> bool:
        """Whether the server is ours."""
        return self.community.owner == self.me

    def may(self, permission: Permission) -> bool:
        """Return whether we hold all of *permission* in the server as a whole."""
        return permission in self.permissions

    def may_act_on(self, user: UserId, permission: Permission) -> bool:
        """Return whether we hold *permission* and stand above *user*, who is another."""
        if user == self.me or user not in self.community.members:
            return False
        above = self.community.rank(self.me) > self.community.rank(user)
        return above and self.may(permission)

    def why_not_role(self, role: Role) -> str:
        """Return why we may not change *role*; nothing if we may."""
        if not self.may(Permission.MANAGE_ROLES):
            return tr("You need the permission to manage roles.")
        if not self.owns and role.position >= self.community.rank(self.me):
            return tr("This role is not below your own highest role.")
        return ""

    def why_not_permission(self, permission: Permission) -> str:
        """Return why we may not give or take *permission*; nothing if we may."""
        if not self.may(permission):
            return tr("You do not have this permission yourself.")
        return ""

    def why_not_give(self, role: Role, user: UserId) -> str:
        """Return why we may not give *role* to *user* or take it; nothing if we may."""
        refused = self.why_not_role(role)
        if refused:
            return refused
        if user != self.me and self.community.rank(self.me) <= self.community.rank(user):
            return tr("They stand as high as you do, or higher.")
        if not self.may(Permission(role.permissions)):
            return tr("This role may do what you may not.")
        return ""


def ranked(community: Community) -> list[Role]:
    """Return the roles of *community*, the highest first and everyone's last."""
    return sorted(community.roles.values(), key=lambda role: (-role.position, role.id))


def role_moved(roles: Sequence[Role], moved: RoleId, onto: RoleId) -> list[RoleId] | None:
    """Return the order to ask for, lowest first, when *moved* takes the place of *onto*.

    *roles* are those of a server, highest first; that of everyone stays below all. None: nothing
    changes.
    """
    order = [role.id for role in roles if role.position > 0]
    if moved == onto or moved not in order or onto not in order:
        return None
    place = order.index(onto)
    order.remove(moved)
    order.insert(place, moved)
    return order[::-1]
