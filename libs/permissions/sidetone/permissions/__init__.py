"""Who may do what. Pure functions over facts that the caller has already loaded."""

from collections.abc import Iterable
from enum import IntFlag


class Permission(IntFlag):
    """One bit per ability, of 64. Values are stored and sent: never renumber them.

    The lower 53 are what JavaScript can read as a number; nothing beyond them is in use.
    """

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
    ADMINISTRATOR = 1 << 11
    MANAGE_SERVER = 1 << 12
    MANAGE_ROLES = 1 << 13
    BAN_MEMBERS = 1 << 14
    MODERATE_MEMBERS = 1 << 15
    VIEW_AUDIT_LOG = 1 << 16
    MANAGE_EMOJI = 1 << 17
    MANAGE_NICKNAMES = 1 << 18
    CHANGE_NICKNAME = 1 << 19
    SEND_MESSAGES = 1 << 20
    READ_HISTORY = 1 << 21
    MANAGE_MESSAGES = 1 << 22
    ATTACH_FILES = 1 << 23
    EMBED_LINKS = 1 << 24
    ADD_REACTIONS = 1 << 25
    MENTION_EVERYONE = 1 << 26
    CREATE_THREADS = 1 << 27
    MANAGE_THREADS = 1 << 28
    DEAFEN_MEMBERS = 1 << 29
    BYPASS_SLOW_MODE = 1 << 30
    MANAGE_WEBHOOKS = 1 << 31


ALL = Permission(sum(Permission))
# What everyone in a new server may do until somebody decides otherwise.
EVERYONE = (
    Permission.VIEW_CHANNEL
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.CREATE_INVITE
    | Permission.CHANGE_NICKNAME
    | Permission.SEND_MESSAGES
    | Permission.READ_HISTORY
    | Permission.ATTACH_FILES
    | Permission.EMBED_LINKS
    | Permission.ADD_REACTIONS
    | Permission.CREATE_THREADS
)
# What is left to a member in timeout.
IN_TIMEOUT = Permission.VIEW_CHANNEL | Permission.READ_HISTORY
# What is about calls has no meaning where one cannot talk, and is never granted there.
OF_CALLS = (
    Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.PRIORITY_SPEAKER
    | Permission.MUTE_MEMBERS
    | Permission.DEAFEN_MEMBERS
    | Permission.MOVE_MEMBERS
)
# What every channel can allow or deny; one where one can talk, and a category, OF_CALLS as well.
OF_CHANNELS = (
    Permission.VIEW_CHANNEL
    | Permission.MANAGE_CHANNELS
    | Permission.MANAGE_PERMISSIONS
    | Permission.SEND_MESSAGES
    | Permission.READ_HISTORY
    | Permission.MANAGE_MESSAGES
    | Permission.ATTACH_FILES
    | Permission.EMBED_LINKS
    | Permission.ADD_REACTIONS
    | Permission.MENTION_EVERYONE
    | Permission.CREATE_THREADS
    | Permission.MANAGE_THREADS
    | Permission.BYPASS_SLOW_MODE
)


_ADMINISTRATOR = int(Permission.ADMINISTRATOR)
_VIEW_CHANNEL = int(Permission.VIEW_CHANNEL)


class Overwrite:
    """Bits that a channel denies and allows, at one level: everyone, the roles, or the member.

    Plain numbers: an operation on flags costs twenty times as much, and this is done for every
    message and every listener.
    """

    __slots__ = ("allow", "deny")

    def __init__(self, allow: int, deny: int) -> None:
        self.allow = int(allow)
        self.deny = int(deny)

    def applied_to(self, bits: int) -> int:
        """Return *bits* after this level: deny first, so that an allow wins within it."""
        return (bits & ~self.deny) | self.allow


NO_OVERWRITE = Overwrite(0, 0)


def merged(overwrites: Iterable[Overwrite]) -> Overwrite:
    """Return the one level that several roles make together."""
    allow = deny = 0
    for overwrite in overwrites:
        allow |= overwrite.allow
        deny |= overwrite.deny
    return Overwrite(allow, deny)


def effective(
    base: int,
    everyone: Overwrite = NO_OVERWRITE,
    roles: Overwrite = NO_OVERWRITE,
    member: Overwrite = NO_OVERWRITE,
    *,
    is_owner: bool = False,
) -> Permission:
    """Return what a member may do in a channel: owner, then everyone, their roles, themselves.

    *base* is what their roles give together. Without ``VIEW_CHANNEL`` nothing is left: who cannot
    see a place cannot act in it.

    >>> hidden = Overwrite(allow=Permission.NONE, deny=Permission.VIEW_CHANNEL)
    >>> effective(EVERYONE, everyone=hidden)
    <Permission.NONE: 0>
    >>> effective(EVERYONE, everyone=hidden, is_owner=True) == ALL
    True
    """
    bits = int(base)
    if is_owner or bits & _ADMINISTRATOR:
        return ALL
    granted = member.applied_to(roles.applied_to(everyone.applied_to(bits)))
    return Permission(granted) if granted & _VIEW_CHANNEL else Permission.NONE
