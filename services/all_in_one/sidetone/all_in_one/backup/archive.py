"""The one file of a backup: a gzipped tar with a description first and checksums last.

It is written and read as a stream, so that memory does not grow with what members uploaded. It
is whole or not there: it gets its name when it is on disk.
"""

import gzip
import hashlib
import os
import tarfile
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, BinaryIO, Literal, Protocol, cast

import msgspec

from sidetone.all_in_one.backup.sealing import MAGIC, Opening, SealError, Sealing
from sidetone.runtime.start import StartError

FORMAT = 1

_DESCRIPTION = "backup.json"
_CHECKSUMS = "checksums.json"
_PIECE_BYTES = 256 * 1024
# Pictures and sound do not shrink, and a database shrinks well even so.
_GZIP_LEVEL = 1
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, SealError)


class Description(msgspec.Struct, frozen=True):
    """What a backup is of: a data ``folder``, or a ``postgres`` database."""

    kind: Literal["folder", "postgres"]
    version: str
    made_at_ms: int
    format: int = FORMAT


class Totals(msgspec.Struct):
    """How much a backup holds."""

    files: int = 0
    size_bytes: int = 0


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted:
    """Passes bytes on, and knows the checksum of those that passed."""

    def __init__(self, file: _Readable) -> None:
        self._file = file
        self._sum = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self._sum.update(piece)
        return piece

    def hexdigest(self) -> str:
        return self._sum.hexdigest()


class Writer:
    """Takes files into a backup."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._sums: dict[str, str] = {}
        self.totals = Totals()

    def add(self, name: str, path: Path) -> None:
        """Take the file at *path* in as *name*; one that is gone by now is left out."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return
        with file:
            self._put(name, file, os.fstat(file.fileno()).st_size)

    def describe(self, description: Description) -> None:
        """Begin: say what it is a backup of."""
        self._put_bytes(_DESCRIPTION, msgspec.json.encode(description))

    def finish(self) -> None:
        """End with the checksums of all that was taken in."""
        self._put_bytes(_CHECKSUMS, msgspec.json.encode(self._sums))

    def _put_bytes(self, name: str, content: bytes) -> None:
        self._put(name, BytesIO(content), len(content))

    def _put(self, name: str, file: BinaryIO, size_bytes: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size_bytes, 0o600
        counted = _Counted(file)
        self._tar.addfile(info, cast("IO[bytes]", counted))
        self._sums[name] = counted.hexdigest()
        self.totals.files += 1
        self.totals.size_bytes += size_bytes


@contextmanager
def writing(
    path: Path, description: Description, passphrase: str | None
) -> Generator[Writer, None, None]:
    """Write a backup to *path*, where nothing is yet. Raises ``StartError``."""
    if path.exists():
        raise StartError(f"{path} is there already: choose another name, or move it away")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                with _layers(file, description, passphrase) as writer:
                    yield writer
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StartError(
            f"the backup {path} cannot be written ({error.strerror or error}): "
            "free some space, or choose another place"
        ) from error


@contextmanager
def _layers(
    file: BinaryIO, description: Description, passphrase: str | None
) -> Generator[Writer, None, None]:
    """Open tar over gzip over *file*, sealed where there is a passphrase; end each in order."""
    with (
        _sealed(file, passphrase) as sealed,
        gzip.GzipFile(fileobj=sealed, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w|", bufsize=_PIECE_BYTES) as tar,
    ):
        writer = Writer(tar)
        writer.describe(description)
        yield writer
        writer.finish()


@contextmanager
def _sealed(file: BinaryIO, passphrase: str | None) -> Generator[BinaryIO, None, None]:
    if passphrase is None:
        yield file
        return
    sealing = Sealing(file, passphrase)
    yield cast("BinaryIO", sealing)
    sealing.finish()


def check(path: Path, passphrase: str | None) -> tuple[Description, Totals]:
    """Read the whole backup and compare every checksum; return what it is of.

    Raises ``StartError`` for one that is damaged, sealed, or of a newer version.
    """
    seen: dict[str, str] = {}
    told: dict[str, str] | None = None
    description: Description | None = None
    totals = Totals()
    with _explained(path):
        for name, size_bytes, file in _members(path, passphrase):
            if told is not None:
                raise tarfile.TarError("something follows its end")
            counted = _Counted(file)
            if name == _DESCRIPTION:
                description = _described(counted.read(), path)
            elif name == _CHECKSUMS:
                told = msgspec.json.decode(counted.read(), type=dict[str, str])
                continue
            while counted.read(_PIECE_BYTES):
                pass
            seen[name] = counted.hexdigest()
            totals.files += 1
            totals.size_bytes += size_bytes
        if description is None or told is None:
            raise tarfile.TarError("its end is missing")
        if wrong := sorted(set(seen.items()) ^ set(told.items())):
            raise tarfile.TarError(f"{wrong[0][0]} is not what was written")
    return description, totals


def extract(path: Path, passphrase: str | None, folder: Path) -> None:
    """Write the files of a backup that was checked below *folder*. Raises ``StartError``."""
    with _explained(path):
        for name, _, file in _members(path, passphrase):
            if name in {_DESCRIPTION, _CHECKSUMS}:
                continue
            target = folder / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as written:
                while piece := file.read(_PIECE_BYTES):
                    written.write(piece)
                written.flush()
                os.fsync(written.fileno())


def _members(path: Path, passphrase: str | None) -> Iterator[tuple[str, int, IO[bytes]]]:
    """Yield the name, the size and the bytes of each file, and read on to the very end."""
    with path.open("rb") as file, gzip.GzipFile(fileobj=_opened(file, passphrase)) as unzipped:
        with tarfile.open(fileobj=unzipped, mode="r|", bufsize=_PIECE_BYTES) as tar:
            for info in tar:
                content = tar.extractfile(info)
                if content is None or not _is_ours(info.name):
                    raise tarfile.TarError(f"it holds {info.name!r}, which is none of ours")
                yield info.name, info.size, content
        # The checksum of the whole stream stands at its end.
        while unzipped.read(_PIECE_BYTES):
            pass


def _opened(file: BufferedReader, passphrase: str | None) -> IO[bytes]:
    is_sealed = file.peek(len(MAGIC)).startswith(MAGIC)
    if is_sealed and passphrase is None:
        raise StartError("the backup is sealed: give its passphrase with --passphrase-file")
    if not is_sealed:
        return file
    file.read(len(MAGIC))
    return BufferedReader(Opening(file, passphrase or ""), _PIECE_BYTES)


def _is_ours(name: str) -> bool:
    """Tell whether *name* stays below the folder that it is unpacked into, on every system."""
    parts = name.split("/")
    return not {"", ".", ".."} & set(parts) and not set("\\:") & set(name)


def _described(content: bytes, path: Path) -> Description:
    description = msgspec.json.decode(content, type=Description)
    if description.format > FORMAT:
        raise StartError(
            f"the backup {path} was written by a newer version ({description.version}): update "
            "first"
        )
    return description


@contextmanager
def _explained(path: Path) -> Generator[None, None, None]:
    try:
        yield
    except (*_DAMAGE, msgspec.DecodeError) as error:
        raise StartError(f"the backup {path} is damaged ({error}): use another one") from error
    except OSError as error:
        raise StartError(
            f"the backup {path} cannot be read or unpacked ({error.strerror or error}): check the "
            "path, its rights and the space on the disk"
        ) from error
