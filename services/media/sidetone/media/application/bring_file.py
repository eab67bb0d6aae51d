"""Take in a file that an import brings, and put it to use at once."""

import secrets
from collections.abc import AsyncIterable
from dataclasses import dataclass

from sidetone.media.application.complete_upload import CompleteUpload
from sidetone.media.application.ports import Contents, Holdings
from sidetone.media.domain.holding import Sizes, announced
from sidetone.protocol.files import File, StartUpload
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock

_NAME_BYTES = 16


@dataclass(frozen=True, slots=True)
class BringFile:
    """The bytes are looked at like those of every upload, and pictures made anew."""

    holdings: Holdings
    contents: Contents
    complete: CompleteUpload
    clock: Clock
    sizes: Sizes

    async def __call__(
        self,
        file: FileId,
        owner: UserId,
        wish: StartUpload,
        pieces: AsyncIterable[bytes],
        channel: ChannelId,
    ) -> File:
        """Return the file in *channel*; one that is there already stays. Raises ``Refusal``."""
        try:
            holding = await self.holdings.find(file)
        except NotFound:
            now_ms = self.clock.now_ms()
            name = f"{now_ms}-{secrets.token_hex(_NAME_BYTES)}"
            holding = announced(file, owner, wish, self.sizes, name, now_ms)
            await self.holdings.add(holding)
        if holding.state == "open":
            await self.contents.receive(holding, pieces)
        if holding.state != "claimed":
            await self.complete(owner, file)
        (claimed,) = await self.holdings.claim([file], owner, wish.purpose, channel)
        return claimed.file
