"""Files of an export on their way from its folder into the media of a server."""

import mimetypes
from collections.abc import AsyncIterator
from pathlib import Path

from sidetone.chat.domain.imported import ForeignFile
from sidetone.media.application.bring_file import BringFile
from sidetone.protocol.files import File, StartUpload
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.protocol.refusals import Refusal, Unavailable

_PIECE_BYTES = 256 * 1024


class NoLuggage:
    """Brings nothing: this place has no way to the files of the server."""

    async def bring(
        self, file: FileId, author: UserId, foreign: ForeignFile, channel: ChannelId
    ) -> File | None:
        """Leave it where it is."""


class FolderLuggage:
    """Brings what lies in the folder of the export."""

    def __init__(self, bring_file: BringFile) -> None:
        self._bring_file = bring_file

    async def bring(
        self, file: FileId, author: UserId, foreign: ForeignFile, channel: ChannelId
    ) -> File | None:
        """Return the file as it is here; None where it cannot be read, or is refused."""
        if not foreign.place:
            return None
        path = Path(foreign.place)
        media_type = mimetypes.guess_type(foreign.name)[0] or "application/octet-stream"
        try:
            wish = StartUpload("attachment", foreign.name, media_type, path.stat().st_size)
            return await self._bring_file(file, author, wish, _pieces(path), channel)
        except Unavailable:
            raise
        except (Refusal, OSError):
            return None


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
