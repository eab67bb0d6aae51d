"""One client for each folder of data: whoever starts a second one talks to the first.

The first holds a lock, which the system takes back however it ends, and listens on a port of this
machine alone; the port and a random token lie in a file that only its user can read. The second
sends the token and what it was started with, most often a link that somebody clicked on, and ends.
One way for all systems: Windows has no sockets in folders for asyncio.
"""

import asyncio
import hmac
import secrets
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import msgspec

from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.files import write_atomically

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_LINE_BYTES_MAX: Final = 16_384
_ANSWER_SECONDS: Final = 5.0
_HEARD: Final = b"heard\n"


class _Door(msgspec.Struct, frozen=True):
    """Where the first instance listens, and what proves that one may read its files."""

    port: int
    token: str


class _Knock(msgspec.Struct, frozen=True):
    """What a second start hands over."""

    token: str
    arguments: Sequence[str]


class SingleInstance:
    """The lock of *folder* and the door behind it."""

    def __init__(self, folder: Path) -> None:
        self._lock_path = folder / "instance.lock"
        self._door_path = folder / "instance.json"
        self._lock: IO[bytes] | None = None
        self._server: asyncio.Server | None = None
        self._token = ""

    def acquire(self) -> bool:
        """Return whether this is the first instance. Raises ``Unavailable`` for a bad folder."""
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = self._lock_path.open("ab")
        except OSError as error:
            raise Unavailable(
                "data_folder_unusable",
                tr(
                    "The folder {folder} cannot be used ({reason}); check its owner and space.",
                    folder=self._lock_path.parent,
                    reason=error.strerror,
                ),
            ) from error
        if not _locked(lock):
            lock.close()
            return False
        # What a dead instance left there leads nowhere.
        self._door_path.unlink(missing_ok=True)
        self._lock = lock
        return True

    async def listen(self, started: Callable[[list[str]], None]) -> None:
        """Tell *started* with what arguments later instances were started."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, TimeoutError, ValueError):
                line = await asyncio.wait_for(reader.readline(), _ANSWER_SECONDS)
                arguments = self._understood(line)
                if arguments is not None:
                    started(arguments)
                    writer.write(_HEARD)
                    await writer.drain()
            writer.close()

        self._token = secrets.token_urlsafe(32)
        self._server = await asyncio.start_server(
            answer, "127.0.0.1", 0, limit=_LINE_BYTES_MAX, backlog=4
        )
        port = self._server.sockets[0].getsockname()[1]
        door = msgspec.json.encode(_Door(port, self._token))
        await asyncio.to_thread(write_atomically, self._door_path, door, 0o600)

    def hand_over(self, arguments: Sequence[str]) -> None:
        """Give *arguments* to the first instance. Raises ``Unavailable`` if it does not answer."""
        try:
            door = msgspec.json.decode(self._door_path.read_bytes(), type=_Door)
            knock = msgspec.json.encode(_Knock(door.token, arguments)) + b"\n"
            where = ("127.0.0.1", door.port)
            with socket.create_connection(where, timeout=_ANSWER_SECONDS) as connection:
                connection.sendall(knock)
                heard = connection.recv(len(_HEARD), socket.MSG_WAITALL)
        except (OSError, msgspec.DecodeError):
            heard = b""
        if heard != _HEARD:
            raise Unavailable(
                "instance_silent",
                tr("Sidetone is running already, but does not answer; end it and try again."),
            )

    async def close(self) -> None:
        """Let the next instance be the first."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            await asyncio.to_thread(self._door_path.unlink, missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def _understood(self, line: bytes) -> list[str] | None:
        knock = msgspec.json.decode(line, type=_Knock)
        allowed = hmac.compare_digest(knock.token.encode(), self._token.encode())
        return list(knock.arguments) if allowed else None


def _locked(file: IO[bytes]) -> bool:
    """Lock *file* for this process until it ends; return False if another has it."""
    try:
        _take(file)
    except OSError:
        return False
    return True
