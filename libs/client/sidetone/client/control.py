"""The control stream as bytes: messages framed by a 4-byte length. No I/O."""

import msgspec

from sidetone.protocol.refusals import Invalid
from sidetone.protocol.voice_control import MESSAGE_BYTES_MAX, ClientMessage, ServerMessage

_LENGTH_BYTES = 4
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[ServerMessage] = msgspec.msgpack.Decoder(ServerMessage)


def encode(message: ClientMessage) -> bytes:
    """Return *message* with its length before it."""
    body = _encoder.encode(message)
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class ControlReader:
    """Cuts what arrives on the stream into messages; holds at most one unfinished message."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[ServerMessage]:
        """Return the messages that *data* completes.

        Raises ``Invalid`` with ``control_oversize`` or ``control_malformed``: the stream cannot be
        read on after either, and a message of an unknown kind counts as malformed.
        """
        self._pending += data
        messages: list[ServerMessage] = []
        while len(self._pending) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._pending[:_LENGTH_BYTES], "big")
            if end > _LENGTH_BYTES + MESSAGE_BYTES_MAX:
                raise Invalid("control_oversize", "the voice node sent an oversize message")
            if len(self._pending) < end:
                break
            messages.append(_decode(bytes(self._pending[_LENGTH_BYTES:end])))
            del self._pending[:end]
        return messages


def _decode(body: bytes) -> ServerMessage:
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, ValueError):
        raise Invalid("control_malformed", "the voice node sent a garbled message") from None
