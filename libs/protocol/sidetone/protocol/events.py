"""Facts that services announce on the bus. One class per fact; its subject is its address."""

from typing import ClassVar, TypeAlias

import msgspec

from sidetone.protocol.ids import ChannelId, NodeId, UserId


class RightsChanged(msgspec.Struct, frozen=True, tag="rights.changed"):
    """Chat announces what *user* may do in *channel* from *generation* on; zero: nothing."""

    subject: ClassVar[str] = "chat.rights"

    channel: ChannelId
    user: UserId
    permissions: int
    generation: int


class VoiceRights(msgspec.Struct, frozen=True, tag="voice.rights"):
    """Voice tells the forwarding units: tickets of *user* below *generation* are void.

    ``perms`` are the ticket's bits (see ``credentials.tickets``); without CONNECT a live
    connection is closed, other changes are applied to it.
    """

    subject: ClassVar[str] = "voice.rights"

    channel: ChannelId
    user: UserId
    perms: int
    generation: int


class NodeAlive(msgspec.Struct, frozen=True, tag="node.alive"):
    """A forwarding unit's heartbeat: where it is, how to know it, what it holds.

    ``rooms`` are the channels it holds: a unit that reports a room wins over the hash, so that
    losing the placement store splits no call. A draining unit gets no new rooms.
    """

    subject: ClassVar[str] = "voice.node_alive"

    node: NodeId
    host: str
    port: int
    spki_sha256: bytes
    certificate_sha256: list[bytes]
    connections: int
    rooms: list[ChannelId]
    draining: bool


Event: TypeAlias = RightsChanged | VoiceRights | NodeAlive
