"""Who may do what. Pure functions over facts that the caller has already loaded."""

from enum import IntFlag


class Permission(IntFlag):
    """One bit per ability. Values are stored and sent: never renumber them."""

    NONE = 0
    VIEW_CHANNEL = 1 << 0
    CONNECT = 1 << 1
    SPEAK = 1 << 2
    VIDEO = 1 << 3
    PRIORITY_SPEAKER = 1 << 4
    MUTE_MEMBERS = 1 << 5
    MOVE_MEMBERS = 1 << 6
    CREATE_INVITE = 1 << 7
    KICK_MEMBERS = 1 << 8
    MANAGE_CHANNELS = 1 << 9
    MANAGE_PERMISSIONS = 1 << 10


ALL = Permission(sum(Permission))
# What a new member of a server may do until somebody decides otherwise.
EVERYONE = (
    Permission.VIEW_CHANNEL
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.CREATE_INVITE
)


class Overwrite:
    """Bits that a channel denies and allows, to everyone or to one member."""

    __slots__ = ("allow", "deny")

    def __init__(self, allow: Permission, deny: Permission) -> None:
        self.allow = allow
        self.deny = deny

    def applied_to(self, permissions: Permission) -> Permission:
        """Return *permissions* after this level: deny first, so that an allow wins within it."""
        return (permissions & ~self.deny) | self.allow


NO_OVERWRITE = Overwrite(Permission.NONE, Permission.NONE)


def effective(
    base: Permission,
    everyone: Overwrite = NO_OVERWRITE,
    member: Overwrite = NO_OVERWRITE,
    *,
    is_owner: bool = False,
) -> Permission:
    """Return what a member may do in a channel: owner, then everyone's overwrite, then their own.

    Without ``VIEW_CHANNEL`` nothing is left: who cannot see a place cannot act in it.

    >>> hidden = Overwrite(allow=Permission.NONE, deny=Permission.VIEW_CHANNEL)
    >>> effective(EVERYONE, everyone=hidden)
    <Permission.NONE: 0>
    >>> effective(EVERYONE, everyone=hidden, is_owner=True) == ALL
    True
    """
    if is_owner:
        return ALL
    granted = member.applied_to(everyone.applied_to(base))
    return granted if Permission.VIEW_CHANNEL in granted else Permission.NONE
