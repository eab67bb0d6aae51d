"""Events and frames as bytes of the WebSocket."""

import msgspec
from websockets.frames import Frame, Opcode

from sidetone.gateway.domain.replay import Encoded
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import ServerFrame

_encoder = msgspec.json.Encoder()
_BEFORE_NUMBER = b'{"op":"dispatch","sequence":'
_NUMBER = b"0123456789"


def encode_event(event: ClientEvent) -> Encoded:
    """Return *event* as a dispatch frame, but for its number.

    JSON lets spaces stand before a number, so a number of fixed width leaves the frame's header
    and everything else the same for every session.
    """
    after = b',"event":%b}' % _encoder.encode(event)
    frame = Frame(Opcode.TEXT, b"".join((_BEFORE_NUMBER, _NUMBER, after))).serialize(mask=False)
    return Encoded(frame[: -len(after) - len(_NUMBER)], after)


def encode_frame(frame: ServerFrame) -> bytes:
    """Return *frame* as the text of one message."""
    return _encoder.encode(frame)
