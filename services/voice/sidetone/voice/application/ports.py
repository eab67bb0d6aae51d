"""What the use cases need from the outside, in their own words."""

from collections.abc import Sequence
from typing import Protocol

from sidetone.credentials.tickets import Ticket
from sidetone.protocol.events import NodeAlive, VoiceRights
from sidetone.protocol.ids import ChannelId


class Placements(Protocol):
    """Which unit was given a room of which no unit reports yet."""

    async def claim(
        self, room: ChannelId, wanted: NodeAlive, nodes: Sequence[NodeAlive]
    ) -> NodeAlive:
        """Return the unit among *nodes* that has the room: *wanted*, unless one was earlier."""
        ...


class Watermarks(Protocol):
    """The latest rights of users in voice channels, remembered for a while.

    A ticket of an earlier generation than the watermark is void.
    """

    async def raise_to(self, rights: Sequence[VoiceRights], now_ms: int) -> Sequence[VoiceRights]:
        """Store *rights* and return those that are not older than what is stored."""
        ...

    async def recent(self, now_ms: int) -> Sequence[VoiceRights]:
        """Return the rights that changed lately, the latest first."""
        ...


class TicketKeys(Protocol):
    """The keys of this deployment's tickets."""

    @property
    def kid(self) -> int:
        """Return the number of the key that signs now."""
        ...

    def sign(self, ticket: Ticket) -> bytes:
        """Return the ticket on the wire, signed with its ``kid``."""
        ...

    def public_keys(self) -> dict[int, bytes]:
        """Return what verifies tickets: ``kid`` to Ed25519 public key."""
        ...
