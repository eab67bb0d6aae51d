"""Where the bytes of files are kept: a folder, or a bucket of an S3 store.

Knows keys and bytes; who may read what, and what a file is called, is decided elsewhere. Keys are
made by services, never by users: lower-case letters, digits, ``-``, ``.``, ``_`` and ``/``.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import Protocol

import msgspec

from sidetone.protocol.refusals import Invalid, NotFound, Unavailable

# What one call of ``remove`` takes at most.
REMOVED_AT_ONCE_MAX = 1000

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")
_KEY_LENGTH_MAX = 200


class Stored(msgspec.Struct, frozen=True):
    """What there is to know of a file without reading it."""

    key: str
    size_bytes: int
    written_at_ms: int


class SignedUpload(msgspec.Struct, frozen=True):
    """Where one file may be put, once, with exactly these headers."""

    url: str
    headers: Mapping[str, str]


class Files(Protocol):
    """Files by key. Each method raises ``Unavailable`` while the store is away or full.

    What ``write`` and ``move`` have done is durable, and nobody sees a half of it.
    """

    async def sign_upload(
        self, key: str, media_type: str, size_bytes: int, lifetime_seconds: int
    ) -> SignedUpload | None:
        """Let the bearer of the answer put one file of this type and size straight into the store.

        None: this store has no door of its own, and whoever asks must take the bytes and write.
        """
        ...

    async def sign_download(
        self, key: str, media_type: str, disposition: str, lifetime_seconds: int
    ) -> str | None:
        """Return a URL that gives the file out with these headers; None as in ``sign_upload``."""
        ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield *length* bytes from *start*, all that are left by default, in bounded pieces.

        Raises ``NotFound`` with code ``file_unknown`` before the first piece.
        """
        ...

    async def write(
        self, key: str, pieces: AsyncIterable[bytes], size_bytes: int, media_type: str
    ) -> None:
        """Store *pieces*, in the place of what was there.

        Raises ``Invalid`` with code ``file_size_wrong``, and stores nothing, where they are not
        *size_bytes* together.
        """
        ...

    async def move(self, source: str, target: str) -> None:
        """Make *target* what *source* was, in the place of what was there. Raises ``NotFound``."""
        ...

    async def remove(self, keys: Sequence[str]) -> None:
        """Forget *keys*, at most ``REMOVED_AT_ONCE_MAX``; the absent are left out."""
        ...

    async def stat(self, key: str) -> Stored | None:
        """Return what there is to know of *key*, None where there is no such file."""
        ...

    async def under(self, prefix: str, count_max: int, after: str = "") -> Sequence[Stored]:
        """Return the files below the folder *prefix* (``"a/"``), in the order of their keys.

        At most *count_max* and never more than 1,000 of them, those behind the key *after*.
        """
        ...


def require_key(key: str) -> None:
    """Stop a key that could mean a place outside the store: a bug, never a user's doing.

    >>> require_key("kept/0198a7c0.preview")
    >>> require_key("kept/../../etc/passwd")
    Traceback (most recent call last):
    ...
    ValueError: not a key: 'kept/../../etc/passwd'
    """
    if len(key) > _KEY_LENGTH_MAX or not _KEY.fullmatch(key):
        raise ValueError(f"not a key: {key!r}")


async def exactly(pieces: AsyncIterable[bytes], size_bytes: int) -> AsyncIterator[bytes]:
    """Pass *pieces* on and raise ``Invalid`` where they are more or less than *size_bytes*."""
    seen = 0
    async for piece in pieces:
        seen += len(piece)
        if seen > size_bytes:
            break
        yield piece
    if seen != size_bytes:
        raise Invalid(
            "file_size_wrong", f"this must be {size_bytes} bytes; upload what was announced"
        )


def unknown_file() -> NotFound:
    """Return the refusal of a key under which there is nothing."""
    return NotFound("file_unknown", "there is no such file; it may have been removed")


def files_away(reason: str) -> Unavailable:
    """Return the refusal while the store cannot be reached or is full."""
    detail = f"files cannot be read or kept now ({reason}); try again later"
    return Unavailable("files_unavailable", detail)
