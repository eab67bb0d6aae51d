"""A further device of a user gets the user's key: from a device that has it, or from a phrase.

The new device shows a code of 80 random bits; its owner types or scans it on a device that has the
key. All else goes through the server, which never learns the code: *ask* proves to the old device
that the device key is the one beside the code, and what it *gives* is sealed to that key (X25519
of the Ed25519 device key, libsodium's sealed box) and proves the same the other way round, so that
a server can neither read the user's key nor pass off one of its own. Guessing the code from *ask*
takes 2^80 hashes, within the minutes that a code lives.

    ask  = KDF(code10, "vx1 link ask", user16 || device16 || DK32, 16)
    give = box || KDF(code10, "vx1 link give", user16 || device16 || DK32 || box, 16)

The phrase is the seed of the user's key as 24 words (BIP-39): whoever has it is the user.
"""

import base64
import binascii
import hmac
from typing import Final

from mnemonic import Mnemonic
from nacl import bindings, exceptions

from sidetone.e2ee.identity import SEED_LENGTH, DeviceIdentity, RandomBytes
from sidetone.e2ee.primitives import TAG_LENGTH, derive, label, signing_key
from sidetone.e2ee.rejected import Rejected

ASK_LENGTH: Final = 16
GIVE_LENGTH: Final = bindings.crypto_box_SEALBYTES + SEED_LENGTH + TAG_LENGTH
_CODE_LENGTH: Final = 10
_GROUP: Final = 4
_PHRASE_LENGTH: Final = 24
_ASK: Final = label("vx1 link ask")
_GIVE: Final = label("vx1 link give")
_WORDS: Final = Mnemonic("english")
_KNOWN: Final = frozenset(_WORDS.wordlist)


def new_code(random: RandomBytes) -> str:
    """Draw a code for a new device to show: 16 letters and digits in groups of four."""
    text = base64.b32encode(random(_CODE_LENGTH)).decode()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def ask(code: str, user: bytes, device: bytes, dk: bytes) -> bytes:
    """Make what the new device tells the server: 16 bytes. Raises ``Rejected`` for no code."""
    return derive(key_of(code), _ASK, user + device + dk, ASK_LENGTH)


def give(code: str, identity: DeviceIdentity, device: bytes, dk: bytes, asked: bytes) -> bytes:
    """Seal the user's key for the new *device* whose key is *dk*: 96 bytes.

    Raises ``Rejected`` when *asked* was not made with *code* for this device and this key.
    """
    key, context = key_of(code), identity.user + device + dk
    if not hmac.compare_digest(derive(key, _ASK, context, ASK_LENGTH), asked):
        raise Rejected("link_code_wrong", "no device of yours shows this code now; compare it")
    try:
        public = bindings.crypto_sign_ed25519_pk_to_curve25519(dk)
    except (exceptions.RuntimeError, exceptions.TypeError):
        raise Rejected("low_order", "the device's key is no key to seal for") from None
    box = bindings.crypto_box_seal(identity.user_seed, public)
    return box + derive(key, _GIVE, context + box, TAG_LENGTH)


def take(code: str, identity: DeviceIdentity, given: bytes) -> bytes:
    """Open what was given to this device: the 32-byte seed of the user's key.

    *identity* is the new device's, as it asked. Raises ``Rejected`` when it was not given by
    somebody who knows *code*.
    """
    box, tag = given[:-TAG_LENGTH], given[-TAG_LENGTH:]
    context = identity.user + identity.device + identity.dk
    proof = derive(key_of(code), _GIVE, context + box, TAG_LENGTH)
    if len(given) != GIVE_LENGTH or not hmac.compare_digest(proof, tag):
        raise Rejected("link_forged", "the answer is not from your other device; link anew")
    public, secret = signing_key(identity.device_seed)
    try:
        return bindings.crypto_box_seal_open(
            box,
            bindings.crypto_sign_ed25519_pk_to_curve25519(public),
            bindings.crypto_sign_ed25519_sk_to_curve25519(secret),
        )
    except exceptions.CryptoError:
        raise Rejected("link_forged", "the answer is not for this device; link anew") from None


def phrase_of(identity: DeviceIdentity) -> str:
    """Write the user's key as 24 English words, for paper."""
    return _WORDS.to_mnemonic(identity.user_seed)


def seed_of(phrase: str) -> bytes:
    """Read the 32-byte seed of a user's key from its words; capitals and spaces do not matter.

    Raises ``Rejected`` for words that are none of ours, too few, or a slip of the pen (8 bits).
    """
    words = [_WORDS.normalize_string(word) for word in phrase.lower().split()]
    if len(words) != _PHRASE_LENGTH:
        raise _wrong_phrase(f"the phrase has {_PHRASE_LENGTH} words, here are {len(words)}")
    for place, word in enumerate(words, 1):
        # Its place and not itself: what is told may be logged.
        if word not in _KNOWN:
            raise _wrong_phrase(f"word {place} is in no phrase")
    try:
        return bytes(_WORDS.to_entropy(words))
    except ValueError:
        raise _wrong_phrase("a word is another one, or they stand in another order") from None


def _wrong_phrase(what: str) -> Rejected:
    return Rejected("phrase_wrong", f"{what}; compare with the paper")


def key_of(code: str) -> bytes:
    """Read what a code stands for. Raises ``Rejected`` for what is no code."""
    text = code.replace("-", "").replace(" ", "").upper()
    try:
        key = base64.b32decode(text)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _CODE_LENGTH:
        detail = "a code has 16 letters and digits (A-Z, 2-7); copy all of it"
        raise Rejected("link_code_malformed", detail)
    return key
