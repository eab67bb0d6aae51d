"""Voice tickets: fixed binary, verified offline by the forwarding unit that they name.

Layout, big-endian: ``ver1=1 kid1 perms2 user16 device16 channel16 sfu8 jti16 gen4 iat4 exp4``,
then an Ed25519 signature over the zero-padded 16-byte label ``vx1 sig ticket`` and that body.
"""

import struct
from enum import IntFlag
from uuid import UUID

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.refusals import Unauthenticated

LIFETIME_SECONDS = 30

_VERSION = 1
_LABEL = b"vx1 sig ticket".ljust(16, b"\0")
_BODY = struct.Struct(">BBH16s16s16sQ16sIII")
_SIGNATURE_BYTES = 64
TICKET_BYTES = _BODY.size + _SIGNATURE_BYTES


class Perm(IntFlag):
    """What a ticket lets its holder do in the room, and that they may not hear it.

    Nine further bits are zero. ``DEAFENED`` takes away: a moderator decided that its holder is
    forwarded nothing.
    """

    CONNECT = 1 << 0
    SPEAK = 1 << 1
    VIDEO = 1 << 2
    PRIORITY_SPEAKER = 1 << 3
    MUTE_MEMBERS = 1 << 4
    MOVE_MEMBERS = 1 << 5
    DEAFENED = 1 << 6


class Ticket(msgspec.Struct, frozen=True):
    """One admission of one device to one room on one forwarding unit.

    ``jti`` makes it single-use; ``generation`` is compared with the unit's watermark for the
    user in the channel; times are seconds since the Unix epoch.
    """

    kid: int
    perms: Perm
    user: UserId
    device: DeviceId
    channel: ChannelId
    node: NodeId
    jti: UUID
    generation: int
    issued_at: int
    expires_at: int


def sign(ticket: Ticket, key: SigningKey) -> bytes:
    """Return *ticket* on the wire: 152 bytes."""
    body = _BODY.pack(
        _VERSION,
        ticket.kid,
        ticket.perms,
        ticket.user.bytes,
        ticket.device.bytes,
        ticket.channel.bytes,
        ticket.node,
        ticket.jti.bytes,
        ticket.generation,
        ticket.issued_at,
        ticket.expires_at,
    )
    return body + key.sign(_LABEL + body).signature


def verify(wire: bytes, keys: dict[int, bytes]) -> Ticket:
    """Return the ticket if one of *keys* (kid to Ed25519 public key) signed it.

    Time, audience, reuse and generation are the room's to judge. Raises ``Unauthenticated``.
    """
    if len(wire) != TICKET_BYTES or wire[0] != _VERSION or wire[1] not in keys:
        raise _invalid()
    body, signature = wire[: _BODY.size], wire[_BODY.size :]
    try:
        VerifyKey(keys[wire[1]]).verify(_LABEL + body, signature)
    except BadSignatureError:
        raise _invalid() from None
    _, kid, perms, user, device, channel, node, jti, generation, issued, expires = _BODY.unpack(
        body
    )
    return Ticket(
        kid,
        Perm(perms & int(_ALL_PERMS)),
        UserId(UUID(bytes=user)),
        DeviceId(UUID(bytes=device)),
        ChannelId(UUID(bytes=channel)),
        NodeId(node),
        UUID(bytes=jti),
        generation,
        issued,
        expires,
    )


def _invalid() -> Unauthenticated:
    # Made anew each time: an exception that is raised again keeps every traceback before.
    return Unauthenticated(
        "ticket_invalid", "the voice ticket is not valid; join the channel again"
    )


_ALL_PERMS = Perm(sum(Perm))
