"""The folder that holds everything a server on one machine must not lose."""

import hashlib
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from sidetone.runtime.start import StartError

# The kernel's limit for the path of a unix socket is 108 bytes with its end mark; macOS has 104.
_SOCKET_PATH_BYTES_MAX = 100


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where the parts live inside the folder."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file of all services."""
        return self.path / "sidetone.sqlite3"

    @property
    def tls(self) -> Path:
        """The server's key and certificates, shared with the voice node."""
        return self.path / "tls"

    @property
    def files(self) -> Path:
        """What members uploaded."""
        return self.path / "files"

    @property
    def mail(self) -> Path:
        """Mail that the server would send, for the operator to pass on."""
        return self.path / "mail"

    @property
    def bus(self) -> Path:
        """The socket by which the voice node reaches the bus.

        A deep data folder would make too long a path for a socket: then it lies in the folder for
        temporary files, under a name that only this data folder gives.
        """
        socket = self.path / "bus.sock"
        if len(str(socket).encode()) <= _SOCKET_PATH_BYTES_MAX:
            return socket
        name = hashlib.sha256(str(self.path).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"sidetone-{name}.sock"


@contextmanager
def opened(path: Path) -> Generator[DataFolder, None, None]:
    """Make the folder if it is not there and hold it against a second server.

    Raises ``StartError`` where it cannot be written, is no folder, or is in use.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(path / "lock", blocking=False)
        lock.acquire()
    except Timeout:
        raise StartError(
            f"The data folder {path} is in use by another Sidetone server: stop that one, or "
            "choose another folder with --data."
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartError(
            f"The data folder {path} cannot be used ({reason}): choose another with --data, or "
            "give this user the right to write there."
        ) from None
    try:
        yield DataFolder(path.resolve())
    finally:
        lock.release()
