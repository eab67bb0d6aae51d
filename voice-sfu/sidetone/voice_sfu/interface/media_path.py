"""A way for media past aioquic, as the driver of a connection uses it; there may be none."""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from aioquic.quic.connection import QuicConnection

from sidetone.voice_sfu.application.ports import Member, Place
from sidetone.voice_sfu.interface.udp import Address


class Lane(Protocol):
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

    def has_passed(self) -> bool:
        """Tell whether the frame that aioquic reads now was passed on before it read it."""
        ...

    def receiving(self) -> None:
        """Aioquic is about to take a datagram."""
        ...

    def received(self) -> None:
        """Aioquic has taken a datagram."""
        ...

    def sending(self) -> None:
        """Aioquic is about to send."""
        ...

    def sent(self) -> None:
        """Aioquic has sent."""
        ...

    def timing(self) -> None:
        """Aioquic is about to look at its timers."""
        ...

    def settle(self) -> None:
        """Add to the member's meters what has passed since the last time."""
        ...

    def close(self) -> None:
        """Let the member go; a second time does nothing."""
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
