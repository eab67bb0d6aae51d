"""What aioquic sends through where kernels read the socket, and send media by themselves."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from typing_extensions import Buffer, override


class KernelTransport(asyncio.DatagramTransport):
    """Sends from the first of *sockets*; closes all once *stop* has ended who reads them."""

    def __init__(self, sockets: list[socket.socket], stop: Callable[[], None]) -> None:
        super().__init__()
        self.lost = 0
        self._sockets = sockets
        self._stop = stop
        self._closing = False

    @override
    def sendto(self, data: Buffer, addr: Any = None) -> None:
        """Send now or never: QUIC repeats what must arrive."""
        try:
            self._sockets[0].sendto(data, socket.MSG_DONTWAIT, addr)
        except OSError:
            self.lost += 1

    @override
    def is_closing(self) -> bool:
        """Tell whether it is closed."""
        return self._closing

    @override
    def close(self) -> None:
        """Stop the kernels and free the port; a second time does nothing."""
        if self._closing:
            return
        self._closing = True
        self._stop()
        for each in self._sockets:
            each.close()
