"""What the use cases need from the outside, in their own words."""

from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sidetone.media.domain.bounds import Bounds, Picture
from sidetone.media.domain.holding import Holding
from sidetone.protocol.files import FilePurpose
from sidetone.protocol.ids import ChannelId, FileId, UserId

# The bytes as they came, the picture made anew, and its small copy.
Part: TypeAlias = Literal["raw", "picture", "preview"]


class Quota(msgspec.Struct, frozen=True):
    """How much one user may bring."""

    bytes_per_day_max: int = 500 * 1024 * 1024
    open_uploads_max: int = 20


class Holdings(Protocol):
    """What is known of files."""

    async def announce(self, holding: Holding, token: bytes, quota: Quota) -> None:
        """Keep a new upload; *token* is the hash of its secret. Raises ``RateLimited``."""
        ...

    async def add(self, holding: Holding) -> None:
        """Keep a file that the server made."""
        ...

    async def find(self, file: FileId) -> Holding:
        """Return what is known of *file*. Raises ``NotFound``, also for what was dropped."""
        ...

    async def awaited(self, token: bytes, announced_after_ms: int) -> Holding:
        """Return the open upload whose secret has the hash *token*. Raises ``NotFound``."""
        ...

    async def begin_check(self, file: FileId, now_ms: int, busy_until_ms: int) -> bool:
        """Reserve the check of *file* until then; False: it is no open upload, or reserved."""
        ...

    async def put_off_check(self, file: FileId, busy_until_ms: int) -> None:
        """Give the reservation back: the upload is open again."""
        ...

    async def finish_check(self, holding: Holding, busy_until_ms: int) -> bool:
        """Make *holding* known as ready; False: the reservation was lost."""
        ...

    async def claim(
        self,
        files: Sequence[FileId],
        user: UserId,
        purpose: FilePurpose,
        channel: ChannelId | None,
    ) -> Sequence[Holding]:
        """Take *files* into use, all or none. Raises ``NotFound`` or ``Conflict``."""
        ...

    async def drop(self, files: Sequence[FileId]) -> None:
        """Let nobody see *files* any more."""
        ...

    async def drop_of_user(self, user: UserId) -> None:
        """Drop what only *user* had: the avatar, and what was never used."""
        ...

    async def drop_late(self, open_before_ms: int, ready_before_ms: int, now_ms: int) -> None:
        """Drop uploads announced before the one time, and unused files from before the other."""
        ...

    async def dropped(self, count_max: int) -> Sequence[Holding]:
        """Return the oldest files that were dropped."""
        ...

    async def forget(self, files: Sequence[FileId]) -> None:
        """Forget dropped *files* for good."""
        ...

    async def forget_spent(self, before_day: int) -> None:
        """Forget what was announced on days before that one."""
        ...

    async def known(self, files: Sequence[FileId]) -> set[FileId]:
        """Return those of *files* that anything is known of, dropped ones too."""
        ...


class Doorway(msgspec.Struct, frozen=True):
    """Where the bytes of an upload may be put, with exactly these headers."""

    url: str
    headers: Mapping[str, str]


class Lying(msgspec.Struct, frozen=True):
    """Bytes in the store; *mark* is their place in its order. No *file*: an operator's own."""

    mark: str
    file: FileId | None
    size_bytes: int
    written_at_ms: int


class Contents(Protocol):
    """The bytes of files."""

    async def open_doorway(self, holding: Holding, secret: str, seconds: int) -> Doorway:
        """Let whoever knows the answer put the bytes of an upload into quarantine."""
        ...

    async def receive(self, holding: Holding, pieces: AsyncIterable[bytes]) -> None:
        """Put *pieces* into quarantine. Raises ``Invalid`` where they are not what was announced.

        For doorways that lead to ourselves.
        """
        ...

    async def take_in(self, holding: Holding) -> int | None:
        """Take the bytes out of reach of whoever put them; return their size, None without any.

        A check that was broken off may be repeated: what it took in is found again.
        """
        ...

    def read(
        self, file: FileId, part: Part, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Yield a part of the bytes. Raises ``NotFound`` before the first piece."""
        ...

    async def keep_picture(self, file: FileId, picture: Picture) -> None:
        """Keep *picture* and its preview beside what came."""
        ...

    async def size_of(self, file: FileId, part: Part) -> int | None:
        """Return how many bytes *part* has, None where there is none."""
        ...

    async def address(
        self, file: FileId, part: Part, media_type: str, disposition: str
    ) -> str | None:
        """Return a URL that gives the bytes out for a short while; None: read them."""
        ...

    async def forget_raw(self, file: FileId) -> None:
        """Forget what came, and keep what was made of it."""
        ...

    async def forget(self, holdings: Sequence[Holding]) -> None:
        """Forget all bytes of *holdings*."""
        ...

    async def lying(self, after: str, count_max: int) -> Sequence[Lying]:
        """Return what lies in the store, in one order, behind the mark *after*."""
        ...

    async def remove(self, lying: Sequence[Lying]) -> None:
        """Remove these bytes."""
        ...

    async def sweep_quarantine(self, before_ms: int) -> None:
        """Forget bytes in quarantine that came before then: their uploads are over."""
        ...


class Pictures(Protocol):
    """Makes pictures anew, out of harm's way."""

    async def paint(
        self, pieces: AsyncIterable[bytes], picture_format: str, bounds: Bounds
    ) -> Picture:
        """Return the picture in *pieces*, of *picture_format*. Raises ``Invalid``."""
        ...


class Scanner(Protocol):
    """Knows malicious files."""

    async def scan(self, pieces: AsyncIterable[bytes]) -> None:
        """Raise ``Invalid`` with code ``file_infected``, or ``Unavailable``."""
        ...


class Sniffer(Protocol):
    """Knows files by their first bytes."""

    def __call__(self, head: bytes) -> str | None:
        """Return the media type that *head* begins, None where it cannot be told."""
        ...


class ChannelSight(Protocol):
    """Knows who sees which channel."""

    async def sees(self, user: UserId, channel: ChannelId) -> bool:
        """Return whether *user* may read what stands in *channel*."""
        ...


class Page(msgspec.Struct, frozen=True):
    """What a page says of itself; *picture* is the address of its picture."""

    title: str
    description: str
    site: str
    picture: str | None


class Web(Protocol):
    """The web, as far as it is public. None: there is nothing for us there."""

    async def page(self, url: str) -> Page | None:
        """Return what the page at *url* says of itself."""
        ...

    async def picture(self, url: str) -> Picture | None:
        """Return the picture at *url*, made anew and small."""
        ...
