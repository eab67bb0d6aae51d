"""A UDP socket that hands over everything that has arrived in one pass of the event loop.

asyncio's own datagram transport reads one datagram per pass, so that forwards could never be
gathered. This one refuses to queue: what the kernel does not take at once is lost, as on any
network, and QUIC repeats what must arrive.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, TypeAlias

from typing_extensions import Buffer, override

# The address as the operating system gives it: (host, port), and two more numbers for IPv6.
Address: TypeAlias = tuple[Any, ...]

# More would let a flood keep the loop from its timers.
_DATAGRAMS_PER_PASS = 64
# No QUIC client sends more in one datagram than an Ethernet frame holds.
_DATAGRAM_BYTES_MAX = 2048
_SOCKET_BUFFER_BYTES = 4 * 1024 * 1024


def bind(host: str, port: int) -> socket.socket:
    """Return a non-blocking socket; ``::`` is both address families where the system has both.

    Raises ``OSError``.
    """
    if host == "::" and not socket.has_dualstack_ipv6():
        host = "0.0.0.0"  # noqa: S104
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if family == socket.AF_INET6 and host == "::":
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        for direction in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            bound.setsockopt(socket.SOL_SOCKET, direction, _SOCKET_BUFFER_BYTES)
        bound.settimeout(0)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


class UdpTransport(asyncio.DatagramTransport):
    """What a datagram protocol sends through and is fed from."""

    def __init__(self, bound: socket.socket, receive: Callable[[bytes, Address], None]) -> None:
        super().__init__()
        self.lost = 0
        self._socket = bound
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound, self._read)

    @override
    def sendto(self, data: Buffer, addr: Any = None) -> None:
        """Send now or never."""
        try:
            self._socket.sendto(data, addr)
        except OSError:
            self.lost += 1

    @override
    def close(self) -> None:
        """Stop receiving and free the port."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        for _ in range(_DATAGRAMS_PER_PASS):
            try:
                data, address = self._socket.recvfrom(_DATAGRAM_BYTES_MAX)
            except BlockingIOError:
                return
            except OSError:
                # An earlier datagram of ours was not wanted somewhere; the socket is well.
                continue
            self._receive(data, address)
