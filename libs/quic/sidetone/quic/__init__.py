"""What both ends of a voice connection agree on, before anything is said on it."""

from collections.abc import Callable
from typing import Any, Final

from aioquic.buffer import Buffer  # pyright: ignore[reportPrivateImportUsage]
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import (
    QuicProtocolVersion,
    pull_quic_transport_parameters,
    push_quic_transport_parameters,
)

ALPN: Final = "sidetone/1"

VERSIONS: Final = (QuicProtocolVersion.VERSION_1,)
"""The versions of QUIC; for each that an end knows it makes keys, in every handshake."""

ACK_DELAY_SECONDS: Final = 0.1
"""The longest that an acknowledgement waits for others (RFC 9000 section 13.2.1).

Each costs both ends a packet, and whether a voice arrives is known from its frames' counters.
"""

CONNECTION_IDS: Final = 3
"""How many connection ids of the peer an end keeps: the one in use, and two for other paths."""

_PARAMETERS_BYTES_MAX: Final = 4096


def announce_ack_delay(quic: QuicConnection) -> None:
    """Have a connection that has not begun announce `ACK_DELAY_SECONDS`.

    aioquic always says 25 ms. A peer that does not know would take late acknowledgements for lost
    packets.
    """
    connection: Any = quic
    serialize: Callable[[], bytes] = connection._serialize_transport_parameters  # noqa: SLF001

    def announce() -> bytes:
        parameters = pull_quic_transport_parameters(Buffer(data=serialize()))
        parameters.max_ack_delay = round(ACK_DELAY_SECONDS * 1000)
        buffer = Buffer(capacity=_PARAMETERS_BYTES_MAX)
        push_quic_transport_parameters(buffer, parameters)
        return buffer.data

    connection._serialize_transport_parameters = announce  # noqa: SLF001


def keep_few_ids(quic: QuicConnection) -> None:
    """Have a connection that has not begun ask for `CONNECTION_IDS`.

    aioquic asks for eight. Each is a frame in the handshake, and memory as long as a call lasts.
    """
    connection: Any = quic
    connection._local_active_connection_id_limit = CONNECTION_IDS  # noqa: SLF001
