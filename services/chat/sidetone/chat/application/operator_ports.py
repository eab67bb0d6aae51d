"""What an operator needs from the outside, beside what members need."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.protocol.ids import ServerId, UserId


class ServerLine(msgspec.Struct, frozen=True):
    """A server as an operator sees it in a list."""

    id: ServerId
    name: str
    owner: UserId
    members: int
    channels: int
    created_at_ms: int


class OperatedServers(Protocol):
    """Servers from above; conversations are nobody's to look at."""

    async def page(self, search: str, after: ServerId | None, limit: int) -> Sequence[ServerLine]:
        """Return the servers whose name contains *search*, the oldest first, from *after* on."""
        ...

    async def find(self, server: ServerId) -> ServerLine | None:
        """Return one of them."""
        ...
