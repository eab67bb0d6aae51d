"""Permissions of a channel as the bits of a ticket."""

from sidetone.credentials.tickets import Perm
from sidetone.permissions import Permission

_BITS = {
    Permission.CONNECT: Perm.CONNECT,
    Permission.SPEAK: Perm.SPEAK,
    Permission.VIDEO: Perm.VIDEO,
    Permission.PRIORITY_SPEAKER: Perm.PRIORITY_SPEAKER,
    Permission.MUTE_MEMBERS: Perm.MUTE_MEMBERS,
    Permission.MOVE_MEMBERS: Perm.MOVE_MEMBERS,
}


def perms_of(permissions: Permission) -> Perm:
    """Return what a ticket may say. Without ``CONNECT`` it says nothing at all.

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
    return perms
