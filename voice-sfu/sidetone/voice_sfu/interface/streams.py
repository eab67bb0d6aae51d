"""What aioquic keeps of the sending side of a stream."""

from typing import Any

from aioquic.quic.connection import QuicConnection


def unread(quic: QuicConnection, stream: int) -> int:
    """Return how many bytes were sent and are not acknowledged yet."""
    sender = _sender(quic, stream)
    return len(sender._buffer) if sender else 0  # noqa: SLF001


def is_stopped(quic: QuicConnection, stream: int) -> bool:
    """Tell whether the peer has asked not to be sent any more (STOP_SENDING)."""
    sender = _sender(quic, stream)
    return sender is not None and sender._reset_error_code is not None  # noqa: SLF001


def _sender(quic: QuicConnection, stream: int) -> Any:  # noqa: ANN401 - aioquic's QuicStreamSender
    found: Any = quic._streams.get(stream)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return found.sender if found else None
