"""Take the bytes of an announced file, where the store has no doorway of its own."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass, field

from sidetone.media.application.ports import Contents, Holdings
from sidetone.media.application.start_upload import mark_of
from sidetone.media.domain.holding import Lifetimes, unknown_file
from sidetone.media.domain.media_types import clean_type
from sidetone.protocol.ids import FileId
from sidetone.protocol.refusals import Conflict, Invalid, NotFound, Unavailable
from sidetone.runtime.clock import Clock


def _no_files() -> set[FileId]:
    return set()


@dataclass(frozen=True, slots=True)
class ReceiveUpload:
    """Put bytes into quarantine: exactly as many as were announced, of the announced type.

    One at a time for each upload, so that an announced byte takes up one byte of disk, and only
    for as long as the doorway is open.
    """

    holdings: Holdings
    contents: Contents
    clock: Clock
    lifetimes: Lifetimes
    receiving: set[FileId] = field(default_factory=_no_files)

    async def __call__(
        self, secret: str, media_type: str, length: int | None, pieces: AsyncIterable[bytes]
    ) -> None:
        """Keep *pieces*. Raises ``Refusal``."""
        seconds = self.lifetimes.doorway_seconds
        try:
            holding = await self.holdings.awaited(
                mark_of(secret), self.clock.now_ms() - seconds * 1000
            )
        except NotFound:
            raise unknown_file() from None
        if clean_type(media_type) != holding.file.media_type:
            detail = f"send Content-Type: {holding.file.media_type}, as it was announced"
            raise Invalid("file_type_wrong", detail)
        if length != holding.file.size_bytes:
            detail = f"send Content-Length: {holding.file.size_bytes}, as it was announced"
            raise Invalid("file_size_wrong", detail)
        if holding.file.id in self.receiving:
            raise Conflict("upload_going_on", "these bytes are being sent already; wait for that")
        self.receiving.add(holding.file.id)
        try:
            async with asyncio.timeout(seconds):
                await self.contents.receive(holding, pieces)
        except TimeoutError:
            raise Unavailable("upload_too_slow", "the bytes came too slowly; try again") from None
        finally:
            self.receiving.discard(holding.file.id)
