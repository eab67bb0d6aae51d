"""Files up and down over REST."""

from collections.abc import Callable

from sidetone.client.requests import Requests
from sidetone.protocol.files import File, FilePurpose, StartUpload, UploadTicket
from sidetone.protocol.ids import FileId


class Media:
    """Pictures, attachments and emoji."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def upload(
        self,
        content: bytes,
        name: str,
        media_type: str,
        purpose: FilePurpose = "attachment",
        *,
        spoiler: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> File:
        """Bring a file and have it checked; what uses it within a day keeps it.

        *progress* hears how many bytes are on their way, again and again.
        """
        wish = StartUpload(purpose, name, media_type, len(content), spoiler)
        ticket = await self._requests.ask("POST", "/media/uploads", UploadTicket, wish)
        await self._requests.put_bytes(ticket.url, ticket.headers, content, progress)
        return await self._requests.ask("POST", f"/media/uploads/{ticket.id}/complete", File)

    async def read(self, file: FileId) -> bytes:
        """Return what is in *file*."""
        return await self._requests.fetch(f"/media/files/{file}")

    async def preview(self, file: FileId) -> bytes:
        """Return the small copy of the picture in *file*."""
        return await self._requests.fetch(f"/media/files/{file}/preview")
