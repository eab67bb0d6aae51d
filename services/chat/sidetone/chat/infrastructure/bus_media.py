"""Media, asked over the bus."""

from collections.abc import Sequence

from sidetone.bus import Bus
from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.questions import ClaimFiles, DropFiles, PreviewLink


class BusMedia:
    """The media service, wherever it runs."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def claim(self, user: UserId, channel: ChannelId, files: Sequence[FileId]) -> list[File]:
        """Take what *user* uploaded as attachments of *channel* into use, in this order."""
        return await self._bus.ask(ClaimFiles(user, "attachment", list(files), channel))

    async def preview(self, url: str, channel: ChannelId) -> LinkPreview | None:
        """Return what the page says of itself, if anything."""
        return await self._bus.ask(PreviewLink(url, channel))

    async def drop(self, files: Sequence[FileId]) -> None:
        """Forget files whose messages are gone."""
        await self._bus.ask(DropFiles(list(files)))
