"""What one change does to a server, collected until it is stored as a whole.

Pure: a use case looks at how the server stands, decides, and notes the pieces as they shall be.
The generation, the announced delta and the changed rights follow from the notes.
"""

from typing import TypeAlias
from uuid import UUID

import msgspec

from sidetone.chat.domain.audit import Deed
from sidetone.chat.domain.standing import Standing
from sidetone.community import Community
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.servers import Channel, Emoji, Member, Role, Server

# What one fact may hold: half of what NATS carries by default.
DELTA_BYTES_MAX = 512 * 1024

Piece: TypeAlias = Server | Role | Channel | Member | Emoji


class Draft:
    """The pieces of a server that a change makes, replaces and removes."""

    def __init__(self, before: Community, now_ms: int) -> None:
        self.before = before
        self.now_ms = now_ms
        self.server: Server | None = None
        self.roles: dict[UUID, Role] = {}
        self.channels: dict[UUID, Channel] = {}
        self.members: dict[UUID, Member] = {}
        self.emoji: dict[UUID, Emoji] = {}
        self.gone: dict[UUID, None] = {}
        self.deleted = False
        self.deeds: list[Deed] = []

    def standing(self, user: UserId) -> Standing:
        """Return the place of *user* before the change. Raises ``NotFound``."""
        return Standing(self.before, user, self.now_ms)

    def put(self, *pieces: Piece) -> None:
        """Make or replace *pieces*. A channel that is archived leaves the server's state."""
        for piece in pieces:
            match piece:
                case Server():
                    self.server = piece
                case Role():
                    self.roles[piece.id] = piece
                case Channel():
                    self.channels[piece.id] = piece
                case Member():
                    self.members[piece.user] = piece
                case Emoji():
                    self.emoji[piece.id] = piece

    def drop(self, *ids: UUID) -> None:
        """Remove the roles, channels, members or emoji with these *ids*."""
        self.gone.update(dict.fromkeys(ids))

    def delete(self) -> None:
        """Remove the whole server."""
        self.deleted = True

    def note(  # what an audit log asks of everything: who, what, to whom, from, to, and why
        self,
        actor: UserId,
        action: str,
        target: UUID | None,
        before: msgspec.Struct | None = None,
        after: msgspec.Struct | None = None,
        reason: str = "",
    ) -> None:
        """Note for the audit log that *actor* did *action* to *target*."""
        self.deeds.append(Deed.of(actor, action, target, (before, after), reason))

    @property
    def alters(self) -> bool:
        """Return whether the server is another one after the change."""
        kinds = (self.roles, self.channels, self.members, self.emoji, self.gone)
        return self.server is not None or self.deleted or any(kinds)

    def delta(self) -> ServerChanged:
        """Return what everybody is told; who holds the state before has the state after.

        Raises ``Conflict`` for more than a journal carries as one fact.
        """
        delta = self._delta()
        if len(msgspec.msgpack.encode(delta)) > DELTA_BYTES_MAX:
            raise Conflict(
                "change_too_large", "this changes too much at once; change it in smaller steps"
            )
        return delta

    def _delta(self) -> ServerChanged:
        archived = [channel.id for channel in self.channels.values() if channel.archived]
        return ServerChanged(
            self.before.server.id,
            self.before.generation + 1,
            now=self.server,
            roles=list(self.roles.values()),
            channels=[channel for channel in self.channels.values() if not channel.archived],
            members=list(self.members.values()),
            emoji=list(self.emoji.values()),
            gone=[*self.gone, *archived],
            deleted=self.deleted,
        )
