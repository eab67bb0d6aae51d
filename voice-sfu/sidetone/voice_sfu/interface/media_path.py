"""A way for media past aioquic, as the driver of a connection uses it; there may be none."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from aioquic.quic.connection import QuicConnection

from sidetone.quic.beside import Beside
from sidetone.voice_sfu.application.ports import Member, Place
from sidetone.voice_sfu.interface.udp import Address


class Lane(Beside, Protocol):
    """One connection's media. Its driver says before and after what aioquic does."""

    def allow(self, *, speaks: bool, hears: bool) -> None:
        """Set whether the others hear this member, and whether it hears them."""
        ...

    def send(self, frame: bytes) -> bool:
        """Send *frame* now; False where only aioquic can."""
        ...

    def excuse(self, packets: float) -> None:
        """Allow so many packets more in this second: they carry or acknowledge video."""
        ...

    def settle(self) -> None:
        """Add to the member's meters what has passed since the last time."""
        ...


class MediaPath(Protocol):
    """Reads a socket instead of the event loop, and keeps a lane for each member."""

    def open(
        self, bound: socket.socket, receive: Callable[[bytes, Address], None]
    ) -> asyncio.DatagramTransport:
        """Read *bound* from now on; *receive* is called for datagrams that are aioquic's."""
        ...

    def prepare(self, quic: QuicConnection) -> None:
        """Settle what a connection says of itself in its handshake."""
        ...

    def connect(self, quic: QuicConnection, place: Place, member: Member) -> Lane | None:
        """Open the lane of a connection whose handshake is over; None where no more fit."""
        ...
