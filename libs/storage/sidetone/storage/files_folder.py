"""Files in a folder of this machine, or of a share that every process has mounted.

A file is written beside the others under a name of its own and renamed when it is on disk: there
is the old one or the new one, also after a loss of power.
"""

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from typing_extensions import ParamSpec

from sidetone.storage import StorageError
from sidetone.storage.files import (
    REMOVED_AT_ONCE_MAX,
    SignedUpload,
    Stored,
    exactly,
    files_away,
    require_key,
    unknown_file,
)

_PIECE_BYTES = 256 * 1024
_LISTED_MAX = 1000
_DRAFT_SECONDS_MAX = 24 * 3600
# Where files grow that are not whole yet; no key begins with a dot.
_DRAFTS = ".drafts"

P = ParamSpec("P")
T = TypeVar("T")


class FolderFiles:
    """Files below *folder*, one each, named like their keys."""

    def __init__(self, folder: Path) -> None:
        """Make *folder* where it is missing. Raises ``StorageError``."""
        self._folder = folder
        self._drafts = folder / _DRAFTS
        try:
            self._drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
            _forget_old_drafts(self._drafts)
        except OSError as error:
            remedy = "make it writable, or choose another folder"
            raise StorageError(f"cannot keep files in {folder}: {error}; {remedy}") from error

    async def sign_upload(
        self, key: str, media_type: str, size_bytes: int, lifetime_seconds: int
    ) -> SignedUpload | None:
        """Return None: nobody but this process reaches the folder."""

    async def sign_download(
        self, key: str, media_type: str, disposition: str, lifetime_seconds: int
    ) -> str | None:
        """Return None: nobody but this process reaches the folder."""

    async def read(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield a part of the file."""
        file = await _blocking(self._path(key).open, "rb")
        try:
            await _blocking(file.seek, start)
            left = sys.maxsize if length is None else length
            while left > 0 and (piece := await _blocking(file.read, min(left, _PIECE_BYTES))):
                left -= len(piece)
                yield piece
        finally:
            file.close()

    async def write(
        self,
        key: str,
        pieces: AsyncIterable[bytes],
        size_bytes: int,
        media_type: str,  # noqa: ARG002 - a folder keeps bytes alone
    ) -> None:
        """Store *pieces* under *key*."""
        target = self._path(key)
        draft, file = await _blocking(self._new_draft)
        try:
            with file:
                await _fill(file, exactly(pieces, size_bytes))
            await _blocking(_rename, draft, target)
        finally:
            draft.unlink(missing_ok=True)

    async def move(self, source: str, target: str) -> None:
        """Rename *source* to *target*."""
        await _blocking(_rename, self._path(source), self._path(target))

    async def remove(self, keys: Sequence[str]) -> None:
        """Delete the files of *keys*."""
        paths = [self._path(key) for key in keys[:REMOVED_AT_ONCE_MAX]]
        await _blocking(_unlink, paths)

    async def stat(self, key: str) -> Stored | None:
        """Return the size and the time of the last change."""
        return await _blocking(_stored, key, self._path(key))

    async def under(self, prefix: str, count_max: int, after: str = "") -> Sequence[Stored]:
        """Return the first files of the folder *prefix* behind *after*."""
        folder = self._path(prefix.rstrip("/"))
        return await _blocking(_listed, folder, prefix, min(count_max, _LISTED_MAX), after)

    def _path(self, key: str) -> Path:
        require_key(key)
        return self._folder / key

    def _new_draft(self) -> tuple[Path, BinaryIO]:
        handle, name = tempfile.mkstemp(dir=self._drafts)
        return Path(name), os.fdopen(handle, "wb")


async def _fill(file: BinaryIO, pieces: AsyncIterable[bytes]) -> None:
    """Write *pieces* in few large writes, and wait until they are on disk."""
    waiting: list[bytes] = []
    size = 0
    async for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            await _blocking(file.write, b"".join(waiting))
            waiting, size = [], 0
    await _blocking(file.write, b"".join(waiting))
    await _blocking(_sync, file)


def _forget_old_drafts(folder: Path) -> None:
    """Remove what killed processes left half-written; a young draft may be another's at work."""
    for draft in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if draft.stat().st_mtime < time.time() - _DRAFT_SECONDS_MAX:
                draft.unlink()


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _rename(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    source.replace(target)
    for folder in {source.parent, target.parent}:
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    # Windows has no handle of a folder to sync.
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unlink(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _stored(key: str, path: Path) -> Stored | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Stored(key, found.st_size, found.st_mtime_ns // 1_000_000)


def _listed(folder: Path, prefix: str, count_max: int, after: str) -> list[Stored]:
    if not folder.is_dir():
        return []
    entries = (entry.name for entry in os.scandir(folder) if entry.is_file())
    names = sorted(name for name in entries if prefix + name > after)
    found = (_stored(prefix + name, folder / name) for name in names[:count_max])
    return [stored for stored in found if stored is not None]


async def _blocking(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run *call* beside the loop, with the refusals of every store."""
    with _refusals():
        return await asyncio.to_thread(call, *args, **kwargs)


@contextlib.contextmanager
def _refusals() -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise unknown_file() from error
    except OSError as error:
        # A full disk, a lost share.
        raise files_away(error.strerror or "no reason given") from error
