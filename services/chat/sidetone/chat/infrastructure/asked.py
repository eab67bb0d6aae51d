"""What other services know, asked over the bus."""

from collections.abc import Sequence

from sidetone.bus import Bus
from sidetone.protocol.files import File, FilePurpose
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.questions import ClaimFiles, Contact, MayContact


class AskedClaims:
    """Files, which media keeps."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def claim(self, user: UserId, purpose: FilePurpose, file: FileId) -> File:
        """Take what *user* uploaded into use. Raises ``NotFound`` or ``Conflict``."""
        (claimed,) = await self._bus.ask(ClaimFiles(user, purpose, [file]))
        return claimed


class AskedContacts:
    """Relationships, which presence keeps."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def between(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*. Raises ``Unavailable``."""
        return await self._bus.ask(MayContact(user, list(others)))
