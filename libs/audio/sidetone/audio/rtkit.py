"""Ask rtkit for real-time priority, as desktops on Linux let their users: D-Bus by hand.

Two calls on the system bus (D-Bus Specification 0.43, "Message Protocol"; rtkit's README), and
nothing of D-Bus besides: no dependency is worth two messages. Raises ``OSError`` alone.
"""

import os
import socket
import struct
from typing import Final

_SECONDS_MAX: Final = 1.0
_BUS: Final = "unix:path=/var/run/dbus/system_bus_socket"
_NAME: Final = "org.freedesktop.RealtimeKit1"
_RUNTIME_US: Final = 200_000
"""What rtkit asks of who wants real time: to be ended after so much time without a pause."""

_CALL, _RETURN, _ERROR = 1, 2, 3
_PATH, _INTERFACE, _MEMBER, _REPLY, _TO, _SIGNATURE = 1, 2, 3, 5, 6, 8
_THREAD_AND_PRIORITY: Final = "tu"
_HEADER_BYTES: Final = 16
_MESSAGE_BYTES_MAX: Final = 65_536


def make_realtime(thread: int, priority: int) -> None:
    """Have rtkit give *thread* of this process SCHED_RR *priority*; may wait for a second.

    Limits this process' real-time threads to 200 ms without a pause, as rtkit demands. Raises
    ``OSError`` when there is no bus or no rtkit, or it says no.
    """
    with _connected() as bus:
        _ask(bus, 1, ("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"), b"")
        _limit_runtime()
        method = ("/org/freedesktop/RealtimeKit1", _NAME, "MakeThreadRealtime")
        _ask(bus, 2, method, struct.pack("<QI", thread, priority))


def _limit_runtime() -> None:
    import resource  # noqa: PLC0415 - it is on no Windows, where this module can be imported

    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    most = _RUNTIME_US if hard == resource.RLIM_INFINITY else min(hard, _RUNTIME_US)
    resource.setrlimit(resource.RLIMIT_RTTIME, (most, hard))


def _connected() -> socket.socket:
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS", _BUS).split(";")[0]
    kind, _, path = address.partition("path=")
    if kind != "unix:":
        raise OSError(f"the bus at {address} is out of reach")
    bus = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bus.settimeout(_SECONDS_MAX)
        bus.connect(path.split(",")[0])
        _introduce(bus)
    except OSError:
        bus.close()
        raise
    return bus


def _introduce(bus: socket.socket) -> None:
    who = str(os.getuid()).encode().hex()
    bus.sendall(f"\0AUTH EXTERNAL {who}\r\n".encode())
    if not _line(bus).startswith(b"OK"):
        raise OSError("the bus does not know us")
    bus.sendall(b"BEGIN\r\n")


def _line(bus: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\r\n") and len(line) < _MESSAGE_BYTES_MAX:
        line += _exactly(bus, 1)
    return line


def _exactly(bus: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = bus.recv(size - len(data))
        if not piece:
            raise OSError("the bus has hung up")
        data += piece
    return data


def _ask(bus: socket.socket, serial: int, method: tuple[str, str, str], body: bytes) -> None:
    """Call *method*, a path, an interface that is also the name of who has it, and a member."""
    path, interface, member = method
    fields = b""
    for code, kind, text in (
        (_PATH, "o", path),
        (_INTERFACE, "s", interface),
        (_MEMBER, "s", member),
        (_TO, "s", interface),
        (_SIGNATURE, "g", _THREAD_AND_PRIORITY if body else ""),
    ):
        length = struct.pack("<B" if kind == "g" else "<I", len(text))
        field = struct.pack("<BB2s", code, 1, kind.encode()) + length + text.encode() + b"\0"
        fields += bytes(-len(fields) % 8) + field
    fixed = struct.pack("<cBBBIII", b"l", _CALL, 0, 1, len(body), serial, len(fields))
    bus.sendall(fixed + fields + bytes(-len(fields) % 8) + body)
    while not _answered(bus, serial):
        pass


def _answered(bus: socket.socket, serial: int) -> bool:
    """Read one message and tell whether it is the answer; raises ``OSError`` for a no."""
    head = _exactly(bus, _HEADER_BYTES)
    order = "<" if head[:1] == b"l" else ">"
    kind, body_size, fields_size = struct.unpack(f"{order}xB2xI4xI", head)
    if fields_size + body_size > _MESSAGE_BYTES_MAX:
        raise OSError("the bus talks too much")
    fields = _exactly(bus, fields_size + -fields_size % 8)
    body = _exactly(bus, body_size)
    if kind not in (_RETURN, _ERROR) or _reply_to(fields, order) != serial:
        return False
    if kind == _ERROR:
        raise OSError(f"rtkit says no: {body[4:-1].decode(errors='replace') or 'no reason given'}")
    return True


def _reply_to(fields: bytes, order: str) -> int:
    """Find the serial that a message answers among its header fields, which are aligned to 8."""
    for at in range(0, len(fields) - 7, 8):
        code, one, kind, value = struct.unpack_from(f"{order}BB2sI", fields, at)
        if (code, one, kind) == (_REPLY, 1, b"u\0"):
            return int(value)
    return -1
