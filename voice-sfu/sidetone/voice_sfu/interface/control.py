"""The control stream as bytes: messages after a 4-byte length. No I/O, no rooms."""

import msgspec

from sidetone.protocol.refusals import Invalid
from sidetone.protocol.voice_control import MESSAGE_BYTES_MAX, ClientMessage, ServerMessage

_LENGTH_BYTES = 4
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[ClientMessage] = msgspec.msgpack.Decoder(ClientMessage)


def encode(message: ServerMessage) -> bytes:
    """Return *message* with its length before it, big-endian."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class ControlReader:
    """Cuts what arrives on the stream into messages; holds at most one unfinished message."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[ClientMessage]:
        """Return the messages that *data* completes.

        Raises ``Invalid`` with ``control_oversize`` or ``control_malformed``; the stream cannot be
        read on after either. A message of an unknown kind counts as malformed.
        """
        self._pending += data
        messages: list[ClientMessage] = []
        while len(self._pending) >= _LENGTH_BYTES:
            length = int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
            if length > MESSAGE_BYTES_MAX:
                raise Invalid(
                    "control_oversize", f"a control message has at most {MESSAGE_BYTES_MAX} bytes"
                )
            end = _LENGTH_BYTES + length
            if len(self._pending) < end:
                break
            messages.append(_decode(bytes(self._pending[_LENGTH_BYTES:end])))
            del self._pending[:end]
        return messages


def _decode(body: bytes) -> ClientMessage:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Invalid("control_malformed", "this is not a control message we know") from None
