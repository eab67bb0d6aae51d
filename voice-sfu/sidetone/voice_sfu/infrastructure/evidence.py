"""Files for a demonstration that this process could not listen in.

One file takes every forwarded frame as ``monotonic nanoseconds (8) || length (2) || bytes``,
big-endian; beside it, at the end, ``<path>.held`` takes every byte string about rooms that the
process came to hold: a msgpack map of kind to list of bytes. It holds secrets of this server (the
TLS key), so both are for the owner's eyes only. Stops at one GiB and says so.
"""

import os
import struct
import time
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

BYTES_MAX = 1 << 30
RECORD_HEAD = struct.Struct(">QH")
_BUFFER_BYTES = 1 << 20
_OWNER_ONLY = 0o600

_log = structlog.get_logger()


class FileEvidence:
    """Keeps what passes through and what is held. Raises ``OSError`` when it cannot be made."""

    def __init__(self, path: Path) -> None:
        self._held_path = path.with_name(path.name + ".held")
        self._file = _create(path)
        self._held: dict[str, list[bytes]] = {}
        self._bytes_left = BYTES_MAX

    def forwarded(self, datagram: bytes) -> None:
        """Append a frame."""
        if self._take(RECORD_HEAD.size + len(datagram)):
            self._file.write(RECORD_HEAD.pack(time.monotonic_ns(), len(datagram)) + datagram)

    def held(self, kind: str, value: bytes) -> None:
        """Remember a byte string, once."""
        values = self._held.setdefault(kind, [])
        if value not in values and self._take(len(value)):
            values.append(value)

    def close(self) -> None:
        """Write the rest."""
        self._file.close()
        with _create(self._held_path) as file:
            file.write(msgspec.msgpack.encode(self._held))

    def _take(self, count: int) -> bool:
        if self._bytes_left < 0:
            return False
        self._bytes_left -= count
        if self._bytes_left < 0:
            _log.warning("evidence_full", bytes_max=BYTES_MAX)
        return self._bytes_left >= 0


def _create(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, _OWNER_ONLY), "wb", buffering=_BUFFER_BYTES)
