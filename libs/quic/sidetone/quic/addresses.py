"""Addresses as the C library writes them, for kernels that send and receive."""

import socket
from typing import Any, Final

_INET_BYTES: Final = 16
_INET6_BYTES: Final = 28


def pack_address(address: tuple[Any, ...]) -> bytes:
    """Pack an address as the C library wants it: ``struct sockaddr_in`` or ``sockaddr_in6``."""
    host, port = address[0], int(address[1])
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    head = int(family).to_bytes(2, "little") + port.to_bytes(2, "big")
    if family == socket.AF_INET:
        return (head + socket.inet_aton(host)).ljust(_INET_BYTES, b"\0")
    flow, scope = (int(each) for each in (*address[2:4], 0, 0)[:2])
    return (
        head
        + flow.to_bytes(4, "big")
        + socket.inet_pton(family, host.partition("%")[0])
        + scope.to_bytes(4, "little")
    ).ljust(_INET6_BYTES, b"\0")


def unpack_address(name: bytes) -> tuple[Any, ...]:
    """Read what `pack_address` writes, as Python's sockets give it."""
    family = int.from_bytes(name[:2], "little")
    port = int.from_bytes(name[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntoa(name[4:8]), port
    host = socket.inet_ntop(socket.AF_INET6, name[8:24])
    flow, scope = int.from_bytes(name[4:8], "big"), int.from_bytes(name[24:28], "little")
    return host, port, flow, scope
