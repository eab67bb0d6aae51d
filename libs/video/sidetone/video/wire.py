"""What the process that encodes and the one that wants it say to each other, through pipes.

A message is a 4-byte length, big-endian, and so many bytes of msgpack: the form of the control
stream. The first order is `Begin`; the child ends when the pipe does.
"""

from typing import Final, TypeAlias

import msgspec

from sidetone.video import Size
from sidetone.video.capture import Subject
from sidetone.video.encoded import Encoded
from sidetone.video.quality import Quality

LENGTH_BYTES: Final = 4
MESSAGE_BYTES_MAX: Final = 1 << 22


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """Capture this."""

    subject: Subject
    quality: Quality


class Next(msgspec.Struct, frozen=True, tag="next"):
    """One frame more is wanted; without it none is captured."""


class Keyframe(msgspec.Struct, frozen=True, tag="keyframe"):
    """The next frame is to be a keyframe."""


class Rate(msgspec.Struct, frozen=True, tag="rate"):
    """So many bits a second from now on."""

    bits_per_second: int


Order: TypeAlias = Begin | Next | Keyframe | Rate


class Began(msgspec.Struct, frozen=True, tag="began"):
    """The subject can be seen; pictures have this size at first."""

    size: Size


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Nothing more comes, for this reason."""

    detail: str


Report: TypeAlias = Began | Encoded | Failed

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def pack(message: Order | Report) -> bytes:
    """Return *message* with its length before it."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def order(body: bytes) -> Order:
    """Read an order; raises ``msgspec.DecodeError`` for what is none."""
    return _orders.decode(body)


def report(body: bytes) -> Report:
    """Read a report; raises ``msgspec.DecodeError`` for what is none."""
    return _reports.decode(body)
