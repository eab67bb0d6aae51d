"""What both ends of a voice connection agree on, before anything is said on it."""

from collections.abc import Callable
from typing import Any, Final

from aioquic.buffer import Buffer, size_uint_var  # pyright: ignore[reportPrivateImportUsage]
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicProtocolVersion

ALPN: Final = "sidetone/1"

VERSIONS: Final = (QuicProtocolVersion.VERSION_1,)
"""The versions of QUIC; for each that an end knows it makes keys, in every handshake."""

ACK_DELAY_SECONDS: Final = 0.1
"""The longest that an acknowledgement waits for others (RFC 9000 section 13.2.1).

Each costs both ends a packet, and whether a voice arrives is known from its frames' counters.
"""

CONNECTION_IDS: Final = 3
"""How many connection ids of the peer an end keeps: the one in use, and two for other paths."""

_MAX_ACK_DELAY: Final = 0x0B
_PARAMETER_BYTES_MAX: Final = 16


def announce_ack_delay(quic: QuicConnection) -> None:
    """Have a connection that has not begun announce `ACK_DELAY_SECONDS`.

    aioquic always says 25 ms. A peer that does not know would take late acknowledgements for lost
    packets.
    """
    connection: Any = quic
    serialize: Callable[[], bytes] = connection._serialize_transport_parameters  # noqa: SLF001

    connection._serialize_transport_parameters = lambda: _with_ack_delay(serialize())  # noqa: SLF001


def keep_few_ids(quic: QuicConnection) -> None:
    """Have a connection that has not begun ask for `CONNECTION_IDS`.

    aioquic asks for eight. Each is a frame in the handshake, and memory as long as a call lasts.
    """
    connection: Any = quic
    connection._local_active_connection_id_limit = CONNECTION_IDS  # noqa: SLF001


def _with_ack_delay(parameters: bytes) -> bytes:
    """Return transport parameters (RFC 9000 section 18) with our delay in place of another."""
    others, ours = Buffer(data=parameters), Buffer(capacity=_PARAMETER_BYTES_MAX)
    kept = bytearray()
    while not others.eof():
        start = others.tell()
        name = others.pull_uint_var()
        others.seek(others.pull_uint_var() + others.tell())
        if name != _MAX_ACK_DELAY:
            kept += parameters[start : others.tell()]
    delay_ms = round(ACK_DELAY_SECONDS * 1000)
    ours.push_uint_var(_MAX_ACK_DELAY)
    ours.push_uint_var(size_uint_var(delay_ms))
    ours.push_uint_var(delay_ms)
    return bytes(kept) + ours.data
