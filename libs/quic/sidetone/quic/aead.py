"""AES-128-GCM and header masks of QUIC by GNU Nettle, for kernels.

Nettle, because its functions work on plain memory: a packet costs 0.15 us where OpenSSL's looks up
its parameters by name for 0.35 us. A context is made once for a key, in Python, and is memory of
ours; kernels give it nonces and bytes. Each belongs to one connection and direction, so no two
threads use it at once.
"""

import ctypes
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Record, kernel, layout, signature
from sidetone.native.functions import address_in, named
from sidetone.native.functions import prefetch as fetch

KEY_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MASK_BYTES: Final = 16

_LIBRARY: Final = "libnettle.so.8"
# Of ``struct gcm_aes128_ctx`` (256 blocks of key, iv, counter, x, two lengths, 11 round keys) and
# of ``struct aes128_ctx``, as in every library of this name; `self_test` proves it.
_GCM_BYTES: Final = 256 * 16 + 3 * 16 + 2 * 8 + 11 * 16
_AES_BYTES: Final = 11 * 16
_MARGIN_BYTES: Final = 64
_LINE_BYTES: Final = 64
# Behind the table of the hash, of which processors with a multiplication for it use the beginning.
_STATE_AT: Final = 256 * 16
_STATE_LINES: Final = 4
_MASK_LINES: Final = 3
_HASH_LINES: Final = 2

Context = NDArray[np.uint8]

CIPHER: Final = layout(
    nonce=(np.uint8, (16,)),
    mask=(np.uint8, (MASK_BYTES,)),
    tag=(np.uint8, (TAG_BYTES,)),
)
"""What one call of the cipher needs besides the packet: one per thread."""


def _load() -> Any:  # noqa: ANN401 - a ctypes library
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        return None


_library: Final = _load()
AVAILABLE: Final = _library is not None
"""Whether Nettle 3 is on this machine."""


def _function(name: str, returns: str, takes: str) -> Any:  # noqa: ANN401
    symbol = f"nettle_{name}"
    return named(symbol, address_in(_library, symbol) if AVAILABLE else 0, returns, takes)


_set_iv = _function("gcm_aes128_set_iv", "i", "pnp")
_update = _function("gcm_aes128_update", "i", "pnp")
_encrypt = _function("gcm_aes128_encrypt", "i", "pnpp")
_decrypt = _function("gcm_aes128_decrypt", "i", "pnpp")
_digest = _function("gcm_aes128_digest", "i", "pnp")
_encrypt_blocks = _function("aes128_encrypt", "i", "pnpp")
_equal = _function("memeql_sec", "i", "ppn")


def new_context(key: bytes) -> Context:
    """Make a context that seals and opens with *key*."""
    return _made("nettle_gcm_aes128_set_key", _GCM_BYTES, key)


def new_mask_context(key: bytes) -> Context:
    """Make a context for `mask`: AES in one block, which is what hides QUIC's headers."""
    return _made("nettle_aes128_set_encrypt_key", _AES_BYTES, key)


def margin_is_clean(context: Context) -> bool:
    """Tell whether nobody has written behind the struct in a context's memory."""
    return not context[-_MARGIN_BYTES:].any()


def _made(function: str, size: int, key: bytes) -> Context:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of AES-128 has {KEY_BYTES} bytes, this one {len(key)}")
    context = np.zeros(size + _MARGIN_BYTES, np.uint8)
    getattr(_library, function)(ctypes.c_void_p(context.ctypes.data), key)
    return context


@kernel("void(uintp, uintp)")
def prefetch(context: int, mask_context: int) -> None:
    """Have fetched what `seal` and `mask` will touch of two contexts."""
    for line in range(_STATE_LINES):
        fetch(context + _STATE_AT + line * _LINE_BYTES)
    for line in range(_MASK_LINES):
        fetch(mask_context + line * _LINE_BYTES)
    for line in range(_HASH_LINES):
        fetch(context + line * _LINE_BYTES)


@kernel(signature("void", CIPHER, "uintp", "uintp", "int64", "int64"))
def seal(cipher: Record, context: int, packet: int, head_bytes: int, body_bytes: int) -> None:
    """Seal the body that follows the head at *packet*, in place, and put the tag after it.

    RFC 9001 section 5.3, with the nonce in *cipher*. The tag's 16 bytes must be there.
    """
    body = packet + head_bytes
    _set_iv(context, NONCE_BYTES, cipher.nonce.ctypes.data)
    _update(context, head_bytes, packet)
    _encrypt(context, body_bytes, body, body)
    _digest(context, TAG_BYTES, body + body_bytes)


@kernel(signature("boolean", CIPHER, "uintp", "uintp", "int64", "uintp", "uintp", "int64"))
def open_sealed(  # noqa: PLR0913, PLR0917 - three places in memory, as in C
    cipher: Record, context: int, head: int, head_bytes: int, body: int, out: int, body_bytes: int
) -> bool:
    """Open what `seal` sealed into *out*; False if head, body or tag are not what was sealed.

    *body_bytes* are those of the text; the tag stands after them in *body*. *out* holds garbage
    after False.
    """
    _set_iv(context, NONCE_BYTES, cipher.nonce.ctypes.data)
    _update(context, head_bytes, head)
    _decrypt(context, body_bytes, out, body)
    _digest(context, TAG_BYTES, cipher.tag.ctypes.data)
    return _equal(cipher.tag.ctypes.data, body + body_bytes, TAG_BYTES) != 0


@kernel(signature("void", CIPHER, "uintp", "uintp"))
def mask(cipher: Record, context: int, sample: int) -> None:
    """Put the mask for the 16 bytes at *sample* into *cipher* (RFC 9001 section 5.4.3)."""
    _encrypt_blocks(context, MASK_BYTES, cipher.mask.ctypes.data, sample)
