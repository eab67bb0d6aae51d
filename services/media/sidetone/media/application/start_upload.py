"""Announce a file."""

import hashlib
import secrets
from dataclasses import dataclass

from sidetone.media.application.ports import Contents, Holdings, Quota
from sidetone.media.domain.holding import Lifetimes, Sizes, announced
from sidetone.protocol.files import StartUpload as Wish
from sidetone.protocol.files import UploadTicket
from sidetone.protocol.ids import FileId, UserId
from sidetone.runtime.clock import Clock

_QUARANTINE_BYTES = 16
_SECRET_BYTES = 32


def mark_of(secret: str) -> bytes:
    """Return what is stored of the secret in an URL, so that the tables open no door."""
    return hashlib.sha256(secret.encode()).digest()


@dataclass(frozen=True, slots=True)
class StartUpload:
    """Reserve an id for a file, and open a doorway for its bytes."""

    holdings: Holdings
    contents: Contents
    clock: Clock
    sizes: Sizes
    quota: Quota
    lifetimes: Lifetimes

    async def __call__(self, user: UserId, wish: Wish) -> UploadTicket:
        """Return where to put the bytes. Raises ``Refusal``."""
        now_ms = self.clock.now_ms()
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        holding = announced(
            FileId(self.clock.new_id()),
            user,
            wish,
            self.sizes,
            # In the order of time, so that a sweep finds the oldest first.
            f"{now_ms}-{secrets.token_hex(_QUARANTINE_BYTES)}",
            now_ms,
        )
        seconds = self.lifetimes.doorway_seconds
        doorway = await self.contents.open_doorway(holding, secret, seconds)
        await self.holdings.announce(holding, mark_of(secret), self.quota)
        return UploadTicket(
            holding.file.id, doorway.url, dict(doorway.headers), now_ms + seconds * 1000
        )
