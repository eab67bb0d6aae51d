"""What a driver of aioquic tells whoever carries a connection's media beside it: a port.

The state of the connection is in one hand at a time, so that each step of aioquic is announced.
"""

from typing import Protocol


class Beside(Protocol):
    """One connection's media."""

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

    def close(self) -> None:
        """Leave all to aioquic again; a second time does nothing."""
        ...
