"""Who may come in: tickets, each good for one join, and the rights that were lost since.

A ticket names its channel itself, so that nobody can ask for another one. Refuses everybody until
the voice service has told the ticket keys and the latest changes of rights.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sidetone.credentials import tickets
from sidetone.credentials.tickets import LIFETIME_SECONDS, Perm, Ticket
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, NodeId, UserId
from sidetone.protocol.refusals import Unauthenticated, Unavailable

# How far our clock and that of the voice service may lie apart.
SKEW_SECONDS = 5
# A briefing older than this says nothing about who lost their rights since.
BRIEFING_SECONDS = 15
# No ticket that was signed before a change of rights is alive after this.
WATERMARK_SECONDS = LIFETIME_SECONDS + 2 * SKEW_SECONDS


class Admission:
    """The door of one forwarding unit. Times are UTC seconds.

    What it remembers is bounded by time: tickets and watermarks are kept only as long as a ticket
    of that age could still be valid, and only signed tickets are remembered at all.
    """

    def __init__(self, node: NodeId) -> None:
        self._node = node
        self._keys: dict[int, bytes] = {}
        self._briefed_at: float | None = None
        self._used: dict[UUID, float] = {}
        self._watermarks: dict[tuple[ChannelId, UserId], tuple[int, float]] = {}

    def brief(self, keys: Mapping[int, bytes], rights: Iterable[VoiceRights], now: float) -> None:
        """Take over what the voice service says; the door is open for a while from now on."""
        self._keys = dict(keys)
        for change in rights:
            self.revoke(change, now)
        self._briefed_at = now
        self._forget(now)

    def revoke(self, rights: VoiceRights, now: float) -> None:
        """Refuse tickets that were signed before this change of rights."""
        key = (rights.channel, rights.user)
        generation, _ = self._watermarks.pop(key, (0, 0.0))
        self._watermarks[key] = (max(generation, rights.generation), now + WATERMARK_SECONDS)

    def admit(self, wire: bytes, now: float) -> Ticket:
        """Return the ticket in *wire* and take it as used.

        Raises ``Unavailable`` or ``Unauthenticated``; a refused ticket is not used up.
        """
        if self._briefed_at is None or now - self._briefed_at > BRIEFING_SECONDS:
            raise Unavailable("not_briefed", "the voice node has lost touch; try again shortly")
        ticket = tickets.verify(wire, self._keys)
        self._forget(now)
        self._judge(ticket, now)
        self._used[ticket.jti] = ticket.expires_at + SKEW_SECONDS
        return ticket

    def _judge(self, ticket: Ticket, now: float) -> None:
        if ticket.node != self._node:
            raise _refused("ticket_elsewhere", "is for another voice node")
        if now > ticket.expires_at + SKEW_SECONDS:
            raise _refused("ticket_expired", "has expired")
        if max(ticket.issued_at, ticket.expires_at - LIFETIME_SECONDS) > now + SKEW_SECONDS:
            raise _refused("ticket_invalid", "is from the future")
        if ticket.jti in self._used:
            raise _refused("ticket_reused", "was used before")
        generation, _ = self._watermarks.get((ticket.channel, ticket.user), (0, 0.0))
        if ticket.generation < generation or Perm.CONNECT not in ticket.perms:
            raise _refused("ticket_revoked", "was taken back: rights in the channel have changed")

    def _forget(self, now: float) -> None:
        """Drop what nobody needs any more from the front: both tables are in the order of time."""
        while self._used and next(iter(self._used.values())) < now:
            del self._used[next(iter(self._used))]
        while self._watermarks and next(iter(self._watermarks.values()))[1] < now:
            del self._watermarks[next(iter(self._watermarks))]


def _refused(code: str, what: str) -> Unauthenticated:
    return Unauthenticated(code, f"the voice ticket {what}; join the channel again")
