"""Looking for malicious files: nobody, or the ClamAV daemon over its socket."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterable

from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.runtime.start import StartError

_SECONDS_MAX = 60.0
_REPLY_BYTES_MAX = 4096
_PIECE_BYTES_MAX = 1 << 20


class NoScanner:
    """Lets everything through: whoever downloads must take care."""

    async def scan(self, pieces: AsyncIterable[bytes]) -> None:
        """Find nothing."""


class ClamScanner:
    """Shows each file to ``clamd`` (its INSTREAM command) and waits for the verdict.

    A daemon that is away lets nothing through. *place* is ``host:port`` or the path of a socket.
    """

    def __init__(self, place: str) -> None:
        """Take *place* as the settings have it. Raises ``StartError``."""
        host, _, port = place.rpartition(":")
        self._socket = place if place.startswith("/") else None
        if self._socket is None and not (host and port.isdigit()):
            raise StartError(
                f"{place} is no place of clamd; give host:port or the path of its socket"
            )
        self._host, self._port = host, int(port) if port.isdigit() else 0

    async def scan(self, pieces: AsyncIterable[bytes]) -> None:
        """Raise ``Invalid`` where the daemon knows the file, ``Unavailable`` without a verdict."""
        try:
            async with asyncio.timeout(_SECONDS_MAX):
                reply = await self._verdict(pieces)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise _away() from error
        if reply.endswith(b"FOUND"):
            raise Invalid("file_infected", "this file carries something malicious; it is refused")
        if not reply.endswith(b"OK"):
            raise _away()

    async def _verdict(self, pieces: AsyncIterable[bytes]) -> bytes:
        if self._socket is not None:
            reader, writer = await asyncio.open_unix_connection(self._socket)
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\0")
            async for piece in pieces:
                for start in range(0, len(piece), _PIECE_BYTES_MAX):
                    part = piece[start : start + _PIECE_BYTES_MAX]
                    writer.write(struct.pack(">I", len(part)) + part)
                    await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return (await reader.read(_REPLY_BYTES_MAX)).rstrip(b"\0\n ")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _away() -> Unavailable:
    return Unavailable("scanner_unavailable", "files cannot be checked now; try again later")
