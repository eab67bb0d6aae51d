"""What other people's programs are told: by the public stream, and by webhooks.

Only what every member of a community sees, whatever their roles: no conversations, no hidden
channels, no accounts. Fields are added, never taken away: ``docs/asyncapi.json`` is the promise.
"""

from typing import TypeAlias

import msgspec

from sidetone.protocol.events import (
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ReactionChanged,
    ServerChanged,
)
from sidetone.protocol.ids import FactId, ServerId

PublicFact: TypeAlias = (
    MessageSent | MessageEdited | MessagesDeleted | ReactionChanged | ServerChanged
)


class PublicEvent(msgspec.Struct, frozen=True):
    """Something that happened in *server* at *at_ms*; who hears it twice knows it by its *id*."""

    id: FactId
    server: ServerId
    at_ms: int
    event: PublicFact

    @property
    def kind(self) -> str:
        """What kind of event it is, such as ``message.sent``."""
        return str(self.event.__struct_config__.tag)

    @property
    def subject(self) -> str:
        """Where it goes in the public stream; the server's id has no hyphens there."""
        return f"events.{self.server.hex}.{self.kind}"
