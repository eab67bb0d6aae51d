"""What a data folder's backup holds: the database as of one moment, the keys, the files."""

import os
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sidetone.all_in_one.backup import archive
from sidetone.all_in_one.data_folder import DataFolder
from sidetone.runtime.start import StartError

_BUSY_SECONDS = 30.0
_DATABASE = "sidetone.sqlite3"


def collect(folder: DataFolder, writer: archive.Writer, work: Path) -> None:
    """Take everything into the backup; a server may run meanwhile. Raises ``StartError``.

    The database comes first: files are only ever added for what it knows already, or removed with
    what it has forgotten. *work* is a folder with room for a copy of the database.
    """
    with tempfile.TemporaryDirectory(dir=work, prefix=".sidetone-") as scratch:
        copy = Path(scratch) / _DATABASE
        _snapshot(folder.database, copy)
        writer.add(_DATABASE, copy)
    for part in (folder.tls, folder.files):
        for path in _files_below(part):
            writer.add(path.relative_to(folder.path).as_posix(), path)


def restore(path: Path, passphrase: str | None, folder: Path) -> None:
    """Unpack a backup that was checked into *folder*, which is empty. Raises ``StartError``."""
    with _emptied(folder):
        archive.extract(path, passphrase, folder)


@contextmanager
def _emptied(folder: Path) -> Generator[None, None, None]:
    """Refuse *folder* unless it is empty, and leave it so when the block fails."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StartError(f"{folder} is not empty: restore into an empty folder")
    except OSError as error:
        raise StartError(
            f"nothing can be restored to {folder} ({error.strerror or error}): choose another "
            "folder with --data"
        ) from error
    try:
        yield
    except BaseException:
        _clear(folder)
        raise


def _clear(folder: Path) -> None:
    for root, folders, files in os.walk(folder, topdown=False):
        for name in files:
            (Path(root) / name).unlink()
        for name in folders:
            (Path(root) / name).rmdir()


def _snapshot(database: Path, copy: Path) -> None:
    """Copy what is committed at this moment; who writes does not wait, and nothing deleted stays.

    In write-ahead mode a reader keeps its view of the file for as long as it reads.
    """
    if not database.is_file():
        raise StartError(f"there is no database at {database}: check --data")
    try:
        with closing(sqlite3.connect(database, timeout=_BUSY_SECONDS)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        raise StartError(
            f"the database {database} cannot be copied: {error}; "
            "check the disk, and the space on it"
        ) from error


def _files_below(folder: Path) -> Generator[Path, None, None]:
    """Yield the files below *folder*, without those that are being written."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root) / name for name in sorted(files) if not name.startswith("."))
