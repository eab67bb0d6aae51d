"""What is done elsewhere with files and links."""

from collections.abc import Sequence
from typing import Protocol

from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, FileId, UserId


class Media(Protocol):
    """The service that keeps files and looks at links."""

    async def claim(self, user: UserId, channel: ChannelId, files: Sequence[FileId]) -> list[File]:
        """Take what *user* uploaded as attachments of *channel* into use, in this order.

        Raises ``NotFound``, ``Conflict`` or ``Unavailable``.
        """
        ...

    async def preview(self, url: str, channel: ChannelId) -> LinkPreview | None:
        """Return what the page says of itself, if anything. Raises ``Refusal``."""
        ...

    async def drop(self, files: Sequence[FileId]) -> None:
        """Forget files whose messages are gone. Raises ``Unavailable``."""
        ...
