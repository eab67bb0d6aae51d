"""What the server saw and held: the forwarded datagrams, and every byte string on its side.

The voice node writes both when ``SIDETONE_SFU_EVIDENCE`` asks for it; the data folder adds the
rest: databases, keys, certificates.
"""

import base64
import binascii
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

_RECORD = struct.Struct(">QH")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that an operator who turns against the members could lay hands on.

    ``passed_ns`` is the monotonic time at which each of ``frames`` was forwarded; ``commits`` are
    the relayed commits with all their wraps, ``packages`` the key packages, ``held`` all byte
    strings on the server's side.
    """

    frames: list[bytes]
    passed_ns: list[int]
    commits: list[bytes]
    packages: list[bytes]
    held: list[bytes]


def collect(evidence_file: Path, data_folder: Path) -> Evidence:
    """Read the node's evidence and the server's data folder."""
    frames: list[bytes] = []
    passed_ns: list[int] = []
    for at_ns, frame in _records(evidence_file.read_bytes()):
        passed_ns.append(at_ns)
        frames.append(frame)
    memory = msgspec.msgpack.decode(
        evidence_file.with_name(evidence_file.name + ".held").read_bytes(),
        type=dict[str, list[bytes]],
    )
    held = [part for values in memory.values() for value in values for part in _parts(value)]
    held += [value for path in sorted(data_folder.rglob("*")) for value in _contents(path)]
    return Evidence(frames, passed_ns, memory["commit"], memory["key_package"], held)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _RECORD.size <= len(data):
        at_ns, size = _RECORD.unpack_from(data, offset)
        offset += _RECORD.size
        yield at_ns, data[offset : offset + size]
        offset += size


def _contents(path: Path) -> Iterator[bytes]:
    if not path.is_file() or path.name.endswith(("-wal", "-shm")):
        return
    data = path.read_bytes()
    if data.startswith(b"SQLite format 3"):
        yield from _rows(path)
    else:
        yield from _parts(data)


def _rows(path: Path) -> Iterator[bytes]:
    """Every value of every table."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - our own names
                for value in row:
                    if isinstance(value, str):
                        yield from _parts(value.encode())
                    elif isinstance(value, bytes):
                        yield from _parts(value)


def _parts(value: bytes) -> Iterator[bytes]:
    """Give the value itself or, where it is PEM, what is inside."""
    if value.startswith(b"-----BEGIN"):
        yield from _pem(value)
    else:
        yield value


def _pem(data: bytes) -> Iterator[bytes]:
    """Return the DER inside each PEM block."""
    lines: list[bytes] = []
    for line in data.splitlines():
        if line.startswith(b"-----BEGIN"):
            lines = []
        elif line.startswith(b"-----END"):
            try:
                yield base64.b64decode(b"".join(lines))
            except binascii.Error:
                continue
        else:
            lines.append(line)
