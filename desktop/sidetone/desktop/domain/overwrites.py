"""What a channel allows, denies or leaves as it is, to everyone, a role or a member. Pure."""

from collections.abc import Sequence
from typing import Literal, TypeAlias
from uuid import UUID

from sidetone.permissions import OF_CALLS, OF_CHANNELS, Permission
from sidetone.protocol.servers import Channel, ChannelKind, Overwrite

State: TypeAlias = Literal["allow", "inherit", "deny"]


def settable(kind: ChannelKind) -> Permission:
    """Return what a channel of *kind* can allow or deny; a category does it for its channels.

    >>> Permission.SPEAK in settable("text"), Permission.SPEAK in settable("category")
    (False, True)
    """
    return OF_CHANNELS if kind == "text" else OF_CHANNELS | OF_CALLS


def overwrite_of(channel: Channel, subject: UUID, kind: Literal["role", "member"]) -> Overwrite:
    """Return what *channel* says of *subject*, which may be nothing."""
    for each in channel.overwrites:
        if each.subject == subject:
            return each
    return Overwrite(subject, kind, 0, 0)


def state_of(allow: int, deny: int, permission: Permission) -> State:
    """Return what is said of one *permission*; an allow wins, as it does within a level."""
    if allow & permission:
        return "allow"
    return "deny" if deny & permission else "inherit"


def with_state(allow: int, deny: int, permission: Permission, state: State) -> tuple[int, int]:
    """Return what is allowed and denied when *state* is said of *permission*.

    >>> with_state(0, int(Permission.SPEAK), Permission.SPEAK, "allow")
    (4, 0)
    """
    bit = int(permission)
    return (
        allow | bit if state == "allow" else allow & ~bit,
        deny | bit if state == "deny" else deny & ~bit,
    )


def changed_bits(before: Overwrite, allow: int, deny: int) -> Permission:
    """Return every permission of which something else is said than *before*."""
    return Permission((before.allow ^ allow) | (before.deny ^ deny))


def replaced(channel: Channel, overwrite: Overwrite) -> Sequence[Overwrite]:
    """Return the overwrites of *channel* with *overwrite* in the place of that subject's."""
    others = [each for each in channel.overwrites if each.subject != overwrite.subject]
    return [*others, overwrite] if overwrite.allow or overwrite.deny else others
