"""What an Opus packet says of itself, without decoding: whether it is one, and how long it lasts.

Written after RFC 6716, section 3. Durations are counted in samples at 48 kHz. A packet comes from
somebody else's program; what is none here would make a file that players refuse.
"""

from typing import Final

PACKET_BYTES_MAX: Final = 1275
PACKET_SAMPLES_MAX: Final = 5760
"""120 ms."""

_FRAME_BYTES_MAX: Final = 1275
_LENGTH_SHORT_MAX: Final = 251
_SILK_SAMPLES: Final = (480, 960, 1920, 2880)
_HYBRID_SAMPLES: Final = (480, 960)
_CELT_SAMPLES: Final = (120, 240, 480, 960)
_HYBRID_FROM: Final = 12
_CELT_FROM: Final = 16
_MANY: Final = 3
_COUNT_MASK: Final = 0x3F
_PADDED: Final = 0x40
_VARIABLE: Final = 0x80
_PADDING_MORE: Final = 255

# Configurations 28 to 31: CELT at full bandwidth, 2.5 to 20 ms, mono, one frame.
_SILENT_FRAMES: Final = ((960, 0xF8), (480, 0xF0), (240, 0xE8), (120, 0xE0))
_SILENT_BODY: Final = b"\xff\xfe"
STEP_SAMPLES: Final = 120
"""The shortest frame, 2.5 ms: everything lasts a multiple of it."""


def frame_samples(first_byte: int) -> int:
    """Return how long each frame of a packet with this first byte is: 120 to 2880 samples."""
    configuration = first_byte >> 3
    if configuration < _HYBRID_FROM:
        return _SILK_SAMPLES[configuration & 3]
    if configuration < _CELT_FROM:
        return _HYBRID_SAMPLES[configuration & 1]
    return _CELT_SAMPLES[configuration & 3]


def packet_samples(packet: bytes) -> int:
    """Return how long *packet* is, or 0 when it is not Opus or too long to be from us.

    Checks all of section 3.4 of the RFC: frames that fit, and at most 120 ms.
    """
    if not 0 < len(packet) <= PACKET_BYTES_MAX:
        return 0
    code = packet[0] & 3
    if code == _MANY:
        count = _frames_of_many(packet)
    else:
        count = (1, 2, 2)[code] if _fits(packet, code) else 0
    samples = count * frame_samples(packet[0])
    return samples if samples <= PACKET_SAMPLES_MAX else 0


def silence(samples: int) -> list[bytes]:
    """Return packets of digital silence that last *samples*, a multiple of `STEP_SAMPLES`."""
    packets: list[bytes] = []
    for duration, first in _SILENT_FRAMES:
        count, samples = divmod(samples, duration)
        packets += [bytes((first,)) + _SILENT_BODY] * count
    return packets


def lost(packet: bytes, samples: int) -> list[bytes]:
    """Return empty packets that have a decoder make up *samples* after *packet*.

    RFC 7845, section 4.1: frames of no bytes, in the configuration of the packet before. What is
    shorter than one of its frames is silence.
    """
    first = packet[0] & ~3
    count, rest = divmod(samples, frame_samples(first))
    return [bytes((first,))] * count + silence(rest)


def _fits(packet: bytes, code: int) -> bool:
    """Tell whether one or two frames (codes 0, 1, 2) fill the packet."""
    rest = len(packet) - 1
    if code == 1:
        return rest % 2 == 0
    if code == 2:  # noqa: PLR2004 - two frames of different lengths
        length, used = _frame_length(packet, 1)
        return used > 0 and length <= rest - used
    return True


def _frames_of_many(packet: bytes) -> int:
    """Return how many frames a packet of code 3 holds; 0 when its lengths do not add up."""
    if len(packet) < 2:  # noqa: PLR2004 - the first byte and the count
        return 0
    count = packet[1] & _COUNT_MASK
    at, end = 2, len(packet)
    if packet[1] & _PADDED:
        at, padding = _padding(packet, at)
        end -= padding
    if count == 0 or at > end:
        return 0
    if not packet[1] & _VARIABLE:
        size, odd = divmod(end - at, count)
        return 0 if odd or size > _FRAME_BYTES_MAX else count
    for _ in range(count - 1):
        length, used = _frame_length(packet, at)
        at += used
        end -= length
        if used == 0 or at > end:
            return 0
    return count


def _padding(packet: bytes, at: int) -> tuple[int, int]:
    """Return where the padding's length ends, and that length; beyond the packet if cut off."""
    total = 0
    while at < len(packet):
        byte = packet[at]
        at += 1
        if byte != _PADDING_MORE:
            return at, total + byte
        total += _PADDING_MORE - 1
    return at, len(packet)


def _frame_length(packet: bytes, at: int) -> tuple[int, int]:
    """Return a frame's length and the bytes that tell it: 1 or 2, or 0 when they are not there."""
    if at >= len(packet):
        return 0, 0
    if packet[at] <= _LENGTH_SHORT_MAX:
        return packet[at], 1
    if at + 1 >= len(packet):
        return 0, 0
    return packet[at] + 4 * packet[at + 1], 2
