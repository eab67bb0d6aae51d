"""A way for frames past aioquic, as a link uses it; there may be none."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from aioquic.quic.connection import QuicConnection

from sidetone.quic.beside import Beside

Receive: TypeAlias = Callable[[bytes, tuple[Any, ...]], None]


class Lane(Beside, Protocol):
    """One connection's media. Its link says before and after what aioquic does."""

    @property
    def heard_ns(self) -> int:
        """When the node was heard last, by the clock of sound."""
        ...

    @property
    def rtt_ms(self) -> float:
        """The smoothed round trip to the node; 0 before it is known."""
        ...

    @property
    def dropped(self) -> int:
        """How many frames found the network full."""
        ...

    def renew_keys(self) -> None:
        """Begin a new key phase, if it is time."""
        ...


class NoLane:
    """What a link has whose media go by aioquic."""

    heard_ns = 0
    rtt_ms = 0.0
    dropped = 0

    def has_passed(self) -> bool:
        """Nothing has."""
        return False

    def receiving(self) -> None:
        """Do nothing, like all that follow."""

    received = sending = sent = timing = renew_keys = close = receiving


class MediaPath(Protocol):
    """Reads the socket of one link instead of the event loop."""

    def open(self, bound: socket.socket, receive: Receive) -> asyncio.DatagramTransport:
        """Read *bound* from now on; *receive* is called for datagrams that are aioquic's."""
        ...

    def connect(self, quic: QuicConnection) -> Lane:
        """Open the lane of the connection, whose handshake is over."""
        ...
