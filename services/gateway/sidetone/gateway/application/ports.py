"""What the use cases need from the outside."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from sidetone.gateway.domain.replay import Encoded
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import CloseCode, ServerFrame

Encode: TypeAlias = Callable[[ClientEvent], Encoded]


class Socket(Protocol):
    """The way to one client. What it cannot take any more it drops silently."""

    @property
    def writable(self) -> bool:
        """Whether it is open, and takes more without piling it up."""
        ...

    def write(self, frames: bytes) -> None:
        """Send finished *frames*."""
        ...

    def send(self, frame: ServerFrame) -> None:
        """Encode *frame* and send it."""
        ...

    def close(self, code: CloseCode, reason: str) -> None:
        """Say goodbye and close."""
        ...
