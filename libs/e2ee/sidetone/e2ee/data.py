"""What packets of the data kind hold: attestations, positions, consents, recordings, screens.

A packet begins with its type. Attestations (section 2.6 of VX1, off by default) let listeners
detect, within a second, that an insider and the server forged another member's frames: every
member holds every frame key, but only the speaker's device can sign. Parsers judge structure;
`holds` judges the signature. Consents, and notices of who records, are words of a device for one
epoch: all of them are said anew, signed, when the next begins.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.primitives import SIGNATURE_LENGTH, digest, label, signature_holds
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind

FRAMES_ATTESTED_MAX: Final = 100
FRAME_HASH_LENGTH: Final = 8
SPAN_MAX: Final = 255

_ATTESTATION: Final = 1
POSITION: Final = 2
CONSENT: Final = 3
RECORDING: Final = 4
SCREEN: Final = 5
VIEWING: Final = 6
_ATT: Final = label("vx1 att")
_SIG_ATT: Final = label("vx1 sig att")
_SIG_CONSENT: Final = label("vx1 sig consent")
_ATT_HEAD: Final = struct.Struct(">BBIB")
_ATT_ROW: Final = struct.Struct(">B8s")
_POSITION_ROW: Final = struct.Struct(">B3f")
_SIG_RECORDING: Final = label("vx1 sig record")
_WORD_ROW: Final = struct.Struct(">BB64s")
_SCREEN_ROW: Final = struct.Struct(">BBHH")
_VIEWING_ROW: Final = struct.Struct(">BHBI")
_PERCENT_MAX: Final = 100


class RecordingState(IntEnum):
    """What a device does about recording the call; everybody is told."""

    OFF = 0
    ASKS = 1
    RUNS = 2


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature is asked for: a sender at the transcript of an epoch, by its device key."""

    dk: bytes
    transcript: bytes
    sender: int

    def statement(self, body: bytes) -> bytes:
        """Bind *body* to the epoch and the sender, so that it holds nowhere else."""
        return self.transcript + self.sender.to_bytes(2, "big") + body


@dataclass(frozen=True, slots=True)
class Attestation:
    """A speaker's word on which frames were its own: the first 8 bytes of hashes, by counter."""

    kind: MediaKind
    hashes: Mapping[int, bytes]
    body: bytes
    signature: bytes

    def holds(self, signer: Signer) -> bool:
        """Tell whether *signer*'s device signed this."""
        return signature_holds(signer.dk, _SIG_ATT, signer.statement(self.body), self.signature)

    def forged(self, received: Mapping[int, bytes]) -> list[int]:
        """List the counters whose *received* frame hash is not the one attested.

        Counters outside the attested span are not judged; one within it that the speaker does not
        name is forged.
        """
        span = range(min(self.hashes), max(self.hashes) + 1) if self.hashes else range(0)
        return [
            counter
            for counter, frame_hash in received.items()
            if counter in span and self.hashes.get(counter) != frame_hash
        ]


def frame_hash(frame: bytes) -> bytes:
    """Hash a whole frame to the 8 bytes that attestations hold.

    A hash and not the tag, because whoever holds the key can find frames for a Poly1305 tag.
    """
    return digest(_ATT, frame)[:FRAME_HASH_LENGTH]


def pack_attestation(
    identity: DeviceIdentity, signer: Signer, kind: MediaKind, hashes: Mapping[int, bytes]
) -> bytes:
    """Sign *hashes* of own frames by counter: `kind1 first4 n1 {delta1 hash8}* sig64`.

    *delta* counts from *first*. Raises ``Rejected`` with `attestation_span` when the frames are
    none, more than 100, or lie more than 255 apart.
    """
    first = min(hashes, default=0)
    if not 0 < len(hashes) <= FRAMES_ATTESTED_MAX or max(hashes) - first > SPAN_MAX:
        raise Rejected("attestation_span", "An attestation is about 1 to 100 frames in a row.")
    rows = (_ATT_ROW.pack(counter - first, hashes[counter]) for counter in sorted(hashes))
    packet = _ATT_HEAD.pack(_ATTESTATION, kind, first, len(hashes)) + b"".join(rows)
    return packet + identity.sign(_SIG_ATT, signer.statement(packet[1:]))


def parse_attestation(packet: bytes) -> Attestation:
    """Read an attestation; raises ``Rejected`` with `data_malformed`."""
    signed, signature = packet[:-SIGNATURE_LENGTH], packet[-SIGNATURE_LENGTH:]
    _require(len(packet) >= _ATT_HEAD.size + SIGNATURE_LENGTH)
    packet_type, kind, first, count = _ATT_HEAD.unpack_from(signed)
    rows = signed[_ATT_HEAD.size :]
    _require(packet_type == _ATTESTATION and kind in iter(MediaKind))
    _require(0 < count <= FRAMES_ATTESTED_MAX and len(rows) == count * _ATT_ROW.size)
    hashes = {first + delta: value for delta, value in _ATT_ROW.iter_unpack(rows)}
    _require(len(hashes) == count)
    return Attestation(MediaKind(kind), hashes, signed[1:], signature)


def pack_position(x: float, y: float, z: float) -> bytes:
    """Pack a place in the game's world, in its units; at most 20 a second are sent."""
    return _POSITION_ROW.pack(POSITION, x, y, z)


def parse_position(packet: bytes) -> tuple[float, float, float]:
    """Read a position; raises ``Rejected`` with `data_malformed`."""
    _require(len(packet) == _POSITION_ROW.size and packet[0] == POSITION)
    _, x, y, z = _POSITION_ROW.unpack(packet)
    return x, y, z


def pack_consent(identity: DeviceIdentity, signer: Signer, *, agrees: bool) -> bytes:
    """Sign whether this device agrees to be recorded, for this epoch."""
    signature = identity.sign(_SIG_CONSENT, signer.statement(bytes((agrees,))))
    return _WORD_ROW.pack(CONSENT, agrees, signature)


def parse_consent(packet: bytes, signer: Signer) -> bool:
    """Read a consent; raises ``Rejected`` with `data_malformed` or `consent_signature`."""
    _require(len(packet) == _WORD_ROW.size and packet[0] == CONSENT and packet[1] <= 1)
    _, agrees, signature = _WORD_ROW.unpack(packet)
    if not signature_holds(signer.dk, _SIG_CONSENT, signer.statement(packet[1:2]), signature):
        raise Rejected("consent_signature", "The device did not sign this consent.")
    return bool(agrees)


def pack_recording(identity: DeviceIdentity, signer: Signer, state: RecordingState) -> bytes:
    """Sign that this device asks to record, records or does not, in this epoch: `type1 state1`."""
    signature = identity.sign(_SIG_RECORDING, signer.statement(bytes((state,))))
    return _WORD_ROW.pack(RECORDING, state, signature)


def parse_recording(packet: bytes, signer: Signer) -> RecordingState:
    """Read who records; raises ``Rejected`` with `data_malformed` or `recording_signature`."""
    _require(len(packet) == _WORD_ROW.size and packet[0] == RECORDING)
    _require(packet[1] <= max(RecordingState))
    _, state, signature = _WORD_ROW.unpack(packet)
    if not signature_holds(signer.dk, _SIG_RECORDING, signer.statement(packet[1:2]), signature):
        raise Rejected("recording_signature", "The device did not sign that it records.")
    return RecordingState(state)


class ScreenWord(NamedTuple):
    """What a member shows: size in pixels and pictures a second, 0 when it shows nothing."""

    frames_per_second: int
    width: int
    height: int


class ViewingWord(NamedTuple):
    """How the video of *source* reached a viewer in the last second.

    For so many percent of the time a frame was on its way, so many bits a second came.
    """

    source: int
    busy_percent: int
    bits_per_second: int


def pack_screen(word: ScreenWord) -> bytes:
    """Pack what we show: `type1 frames_per_second1 width2 height2`; said again every two seconds.

    Nothing is signed: whoever could forge it could not forge the pictures.
    """
    return _SCREEN_ROW.pack(SCREEN, *word)


def parse_screen(packet: bytes) -> ScreenWord:
    """Read what a member shows; raises ``Rejected`` with `data_malformed`."""
    _require(len(packet) == _SCREEN_ROW.size and packet[0] == SCREEN)
    _, frames_per_second, width, height = _SCREEN_ROW.unpack(packet)
    _require(not frames_per_second or (width > 0 and height > 0))
    return ScreenWord(frames_per_second, width, height)


def pack_viewing(word: ViewingWord) -> bytes:
    """Pack a viewer's word: `type1 source2 busy_percent1 bits_per_second4`; said in trouble only.

    All members get it, so a call in which everything arrives must not be full of it.
    """
    return _VIEWING_ROW.pack(VIEWING, *word)


def parse_viewing(packet: bytes) -> ViewingWord:
    """Read a viewer's word; raises ``Rejected`` with `data_malformed`."""
    _require(len(packet) == _VIEWING_ROW.size and packet[0] == VIEWING)
    _, source, busy_percent, bits_per_second = _VIEWING_ROW.unpack(packet)
    _require(busy_percent <= _PERCENT_MAX)
    return ViewingWord(source, busy_percent, bits_per_second)


def packet_type(packet: bytes) -> int | None:
    """Tell a packet's type; None if it is empty."""
    return packet[0] if packet else None


def _require(well_formed: bool) -> None:  # noqa: FBT001
    if not well_formed:
        raise Rejected("data_malformed", "The data packet is not what its type says.")
