"""Datagrams in which a connection can begin, told from their bytes alone."""

from typing import Final

from aioquic.buffer import Buffer  # pyright: ignore[reportPrivateImportUsage]
from aioquic.quic.packet import QuicHeader, QuicPacketType, pull_quic_header

BYTES_MIN: Final = 1200
"""The smallest of them (RFC 9000, section 14.1)."""


def header_of_initial(data: bytes, cid_bytes: int) -> QuicHeader | None:
    """Return the header of an Initial packet that is long enough, or None for all else.

    *cid_bytes* is how long the server's own connection ids are.
    """
    if len(data) < BYTES_MIN:
        return None
    try:
        header = pull_quic_header(Buffer(data=data), host_cid_length=cid_bytes)
    except ValueError:
        return None
    return header if header.packet_type == QuicPacketType.INITIAL else None
