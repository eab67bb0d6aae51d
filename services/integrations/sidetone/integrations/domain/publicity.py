"""Which facts are public: what every member of a community sees, whatever their roles."""

from uuid import UUID

import msgspec

from sidetone.community import Community
from sidetone.protocol.events import (
    Fact,
    InChannel,
    InServer,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ReactionChanged,
    ServerChanged,
)
from sidetone.protocol.ids import ServerId
from sidetone.protocol.public import PublicEvent, PublicFact

_VERSION_BITS = 80


def public_event(fact: Fact, community: Community) -> PublicEvent | None:
    """Return *fact* as it is told to everybody, None where it is nobody's business.

    *community* is the server of the fact, after it. What is between two people, or in a channel
    that not everybody sees, is not told; of a channel that was hidden it is told that it is gone.
    """
    if community.server.kind != "community":
        return None
    match fact.audience, fact.event:
        case (InServer(), ServerChanged() as change):
            event: PublicFact = _without_hidden(change, community)
        case (
            InChannel(_, channel),
            MessageSent() | MessageEdited() | MessagesDeleted() | ReactionChanged() as said,
        ) if community.is_open(channel):
            event = said
        case _:
            return None
    return PublicEvent(fact.id, community.server.id, made_at_ms(fact.id), event)


def server_of(fact: Fact) -> ServerId | None:
    """Return the server that *fact* is about, None where it is about none."""
    match fact.audience:
        case InServer(server) | InChannel(server, _):
            return server
        case _:
            return None


def made_at_ms(id_: UUID) -> int:
    """Return when a UUIDv7 was made (RFC 9562, section 5.7).

    >>> made_at_ms(UUID("0198a7c0-0000-7000-8000-000000000001"))
    1755161034752
    """
    return id_.int >> _VERSION_BITS


def _without_hidden(change: ServerChanged, community: Community) -> ServerChanged:
    seen = [channel for channel in change.channels if community.is_open(channel.id)]
    hidden = [c.id for c in change.channels if not community.is_open(c.id)]
    return msgspec.structs.replace(change, channels=seen, gone=[*change.gone, *hidden])
