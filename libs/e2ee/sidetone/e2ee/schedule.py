"""The key schedule: from one epoch's secret to every sender's frame keys.

One-way in each step: an epoch secret gives nothing about the one before, a generation nothing
about the generation before it. Erasure is best effort, as CPython cannot wipe `bytes`; what is no
longer needed is not kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sidetone.e2ee.primitives import ZERO_KEY, derive, label

GENERATION_BITS: Final = 14
FRAME_KEY_LENGTH: Final = 48
_CODE_GROUPS: Final = 6
_DIGITS_MODULUS: Final = 100_000

_ADVANCE: Final = label("vx1 advance")
_FRESH: Final = label("vx1 fresh")
_EPOCH: Final = label("vx1 epoch")
_INIT: Final = label("vx1 init")
_CONFIRM: Final = label("vx1 confirm")
_AUTH: Final = label("vx1 auth")
_SENDER: Final = label("vx1 sender")
_RATCHET: Final = label("vx1 ratchet")
_FRAME: Final = label("vx1 frame")


class MediaKind(IntEnum):
    """The kinds of media; each has its own chain of keys."""

    AUDIO = 0
    VIDEO = 1
    DATA = 2


@dataclass(frozen=True, slots=True)
class EpochSecrets:
    """What is derived from one epoch secret; the secret itself is not kept."""

    init: bytes
    confirm: bytes
    auth: bytes
    chains: Mapping[tuple[int, int], bytes]


def advanced_secret(init: bytes, transcript: bytes) -> bytes:
    """Step to the next epoch by a one-way hash: every member can, no outsider can."""
    return derive(init, _ADVANCE, transcript)


def fresh_secret(init: bytes | None, random32: bytes) -> bytes:
    """Make an epoch secret that only its maker knows.

    Hedged with the *init* before it: a bad source of randomness alone does not give it away.
    """
    return derive(init or ZERO_KEY, _FRESH, random32)


def epoch_secrets(secret: bytes, transcript: bytes, leaves: Mapping[int, bytes]) -> EpochSecrets:
    """Derive everything of one epoch from the agreed *secret*.

    *leaves* are the X25519 public keys by sender. All chains are made at once, because the epoch
    secret that they come from must not outlive this call.
    """
    epoch = derive(secret, _EPOCH, transcript)
    chains = {
        (sender, kind.value): derive(
            epoch, _SENDER, sender.to_bytes(2, "big") + bytes((kind.value,)) + leaf
        )
        for sender, leaf in leaves.items()
        for kind in MediaKind
    }
    return EpochSecrets(
        init=derive(epoch, _INIT),
        confirm=derive(epoch, _CONFIRM, transcript),
        auth=derive(epoch, _AUTH),
        chains=chains,
    )


def ratchet(chain: bytes, steps: int = 1) -> bytes:
    """Move a chain *steps* generations on."""
    for _ in range(steps):
        chain = derive(chain, _RATCHET)
    return chain


def frame_key(chain: bytes) -> bytes:
    """Derive a generation's 48 bytes: an XChaCha20-Poly1305 key of 32 and a nonce salt of 16."""
    return derive(chain, _FRAME, length=FRAME_KEY_LENGTH)


def digit_groups(data: bytes, groups: int) -> str:
    """Show five bytes as five digits each, the display of Signal's and DAVE's codes.

    >>> digit_groups(bytes([0, 0, 0, 0, 7, 0, 0, 1, 134, 161]), 2)
    '00007 00001'
    """
    parts = (int.from_bytes(data[5 * i : 5 * i + 5], "big") for i in range(groups))
    return " ".join(f"{part % _DIGITS_MODULUS:05d}" for part in parts)


def epoch_code(auth: bytes) -> str:
    """Show 30 digits that are equal for two people exactly when their group states are equal."""
    return digit_groups(auth, _CODE_GROUPS)
