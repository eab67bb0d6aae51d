"""The bytes of files in a store: where they lie, and how they come and go."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from uuid import UUID

from sidetone.media.application.ports import Doorway, Lying, Part
from sidetone.media.domain.bounds import PREVIEW_TYPE, Picture
from sidetone.media.domain.holding import Holding
from sidetone.protocol.ids import FileId
from sidetone.storage.files import REMOVED_AT_ONCE_MAX, Files

_QUARANTINE = "quarantine/"
_KEPT = "kept/"
_DOWNLOAD_SECONDS = 120
_SWEPT_AT_ONCE = 500
_PARTS: tuple[Part, ...] = ("raw", "picture", "preview")


class StoredContents:
    """Keeps quarantine and checked bytes apart; *doorway_path* leads uploads to ourselves."""

    def __init__(self, files: Files, doorway_path: str) -> None:
        self._files = files
        self._doorway_path = doorway_path

    async def open_doorway(self, holding: Holding, secret: str, seconds: int) -> Doorway:
        """Let the store open one; where it has none, open our own."""
        file = holding.file
        signed = await self._files.sign_upload(
            _quarantined(holding), file.media_type, file.size_bytes, seconds
        )
        if signed is not None:
            return Doorway(signed.url, signed.headers)
        headers = {"content-type": file.media_type, "content-length": str(file.size_bytes)}
        return Doorway(f"{self._doorway_path}/{secret}", headers)

    async def receive(self, holding: Holding, pieces: AsyncIterable[bytes]) -> None:
        """Write *pieces* to the store while they come."""
        file = holding.file
        await self._files.write(_quarantined(holding), pieces, file.size_bytes, file.media_type)

    async def take_in(self, holding: Holding) -> int | None:
        """Move the bytes to a place of ours."""
        target = _key(holding.file.id, "raw")
        if await self._files.stat(_quarantined(holding)) is not None:
            await self._files.move(_quarantined(holding), target)
        stored = await self._files.stat(target)
        return None if stored is None else stored.size_bytes

    def read(
        self, file: FileId, part: Part, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read from the store."""
        return self._files.read(_key(file, part), start, length)

    async def keep_picture(self, file: FileId, picture: Picture) -> None:
        """Write the picture and its preview."""
        await self._write(_key(file, "picture"), picture.content, picture.media_type)
        await self._write(_key(file, "preview"), picture.preview, PREVIEW_TYPE)

    async def _write(self, key: str, content: bytes, media_type: str) -> None:
        await self._files.write(key, _one(content), len(content), media_type)

    async def size_of(self, file: FileId, part: Part) -> int | None:
        """Ask the store."""
        stored = await self._files.stat(_key(file, part))
        return None if stored is None else stored.size_bytes

    async def address(
        self, file: FileId, part: Part, media_type: str, disposition: str
    ) -> str | None:
        """Let the store sign one."""
        key = _key(file, part)
        return await self._files.sign_download(key, media_type, disposition, _DOWNLOAD_SECONDS)

    async def forget_raw(self, file: FileId) -> None:
        """Remove what came."""
        await self._files.remove([_key(file, "raw")])

    async def forget(self, holdings: Sequence[Holding]) -> None:
        """Remove every part of *holdings*, wherever they are."""
        keys = [_key(holding.file.id, part) for holding in holdings for part in _PARTS]
        keys += [_quarantined(holding) for holding in holdings]
        for start in range(0, len(keys), REMOVED_AT_ONCE_MAX):
            await self._files.remove(keys[start : start + REMOVED_AT_ONCE_MAX])

    async def lying(self, after: str, count_max: int) -> Sequence[Lying]:
        """List what was kept; the mark is the key."""
        found = await self._files.under(_KEPT, count_max, after)
        return [
            Lying(each.key, _file_of(each.key), each.size_bytes, each.written_at_ms)
            for each in found
        ]

    async def remove(self, lying: Sequence[Lying]) -> None:
        """Remove by key."""
        if lying:
            await self._files.remove([each.mark for each in lying])

    async def sweep_quarantine(self, before_ms: int) -> None:
        """Remove what came before then; the names begin with a time, so the oldest come first."""
        stored = await self._files.under(_QUARANTINE, _SWEPT_AT_ONCE)
        late = [found.key for found in stored if found.written_at_ms < before_ms]
        await self._files.remove(late)


def _quarantined(holding: Holding) -> str:
    return f"{_QUARANTINE}{holding.quarantine}"


def _key(file: FileId, part: Part) -> str:
    return f"{_KEPT}{file}.{part}"


def _file_of(key: str) -> FileId | None:
    """Return whose bytes lie at *key*; None: an operator put something there."""
    try:
        return FileId(UUID(key.removeprefix(_KEPT).rpartition(".")[0]))
    except ValueError:
        return None


async def _one(content: bytes) -> AsyncIterator[bytes]:
    yield content
