"""Permissions of a channel, and who is deafened in it, as the bits of a ticket."""

from sidetone.credentials.tickets import Perm
from sidetone.permissions import Permission
from sidetone.protocol.servers import Member

_BITS = {
    Permission.CONNECT: Perm.CONNECT,
    Permission.SPEAK: Perm.SPEAK,
    Permission.VIDEO: Perm.VIDEO,
    Permission.PRIORITY_SPEAKER: Perm.PRIORITY_SPEAKER,
    Permission.MUTE_MEMBERS: Perm.MUTE_MEMBERS,
    Permission.MOVE_MEMBERS: Perm.MOVE_MEMBERS,
}


def perms_of(permissions: Permission, member: Member | None = None) -> Perm:
    """Return what a ticket may say of *member*. Without ``CONNECT`` it says nothing at all.

    Whom a moderator muted has no permission to speak; to be deafened is not a permission.

    >>> perms_of(Permission.VIEW_CHANNEL | Permission.CONNECT | Permission.SPEAK)
    <Perm.CONNECT|SPEAK: 3>
    >>> perms_of(Permission.VIEW_CHANNEL | Permission.SPEAK)
    <Perm: 0>
    """
    if Permission.CONNECT not in permissions:
        return Perm(0)
    perms = Perm(0)
    for permission, perm in _BITS.items():
        if permission in permissions:
            perms |= perm
    if member is not None and member.deafened:
        perms |= Perm.DEAFENED
    return perms
