"""What the forwarding unit needs from outside."""

from typing import Protocol

from sidetone.protocol.voice_control import ServerMessage


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch, UTC."""
        ...


class Connection(Protocol):
    """The network connection of one member. None of its methods raises or waits."""

    def send(self, message: ServerMessage) -> None:
        """Tell *message*, after those before it."""
        ...

    def forward(self, datagram: bytes) -> None:
        """Pass a frame on; the oldest that wait are dropped when the network is too slow."""
        ...

    def close(self, code: str, detail: str) -> None:
        """Say why and end the connection."""
        ...


class Evidence(Protocol):
    """Writes down what a demonstration wants to prove about this process. Off by default."""

    def forwarded(self, datagram: bytes) -> None:
        """Note a frame that was passed on."""
        ...

    def held(self, kind: str, value: bytes) -> None:
        """Note a byte string that this process came to hold."""
        ...


class NoEvidence:
    """Writes nothing down."""

    def forwarded(self, datagram: bytes) -> None:
        """Forget the frame."""

    def held(self, kind: str, value: bytes) -> None:
        """Forget the value."""
