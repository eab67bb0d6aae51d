"""AES-128-GCM and header masks of QUIC by GNU Nettle, for kernels.

Nettle, because its functions work on plain memory: a packet costs 0.15 us where OpenSSL's looks up
its parameters by name for 0.35 us. A context is made once for a key, in Python, and is memory of
ours; kernels only read it. It belongs to one connection and direction.

A context for `seal` and `open_sealed` is the round keys, and behind them the table of the hash:
4 KiB, of which processors with a multiplication for it use the beginning. Only what is used is
kept, which is found out with the first key. What changes with each packet is in the `CIPHER`.
"""

import ctypes
import functools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidetone.native import Record, kernel, layout, signature
from sidetone.native.functions import address_in, location, named
from sidetone.native.functions import prefetch as fetch

KEY_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MASK_BYTES: Final = 16

_LIBRARY: Final = "libnettle.so.8"
# Of ``struct aes128_ctx`` (11 round keys), ``struct gcm_key`` (256 blocks) and ``struct gcm_ctx``
# (iv, counter, x, two lengths), as in every library of this name; `self_test` proves it.
_AES_BYTES: Final = 11 * 16
_TABLE_BYTES: Final = 256 * 16
_STATE_BYTES: Final = 3 * 16 + 2 * 8
_MARGIN_BYTES: Final = 64
_LINE_BYTES: Final = 64
_KEY_LINES: Final = 3
_HASH_LINES: Final = 1
_TABLE_AT: Final = _KEY_LINES * _LINE_BYTES
"""Where the table begins in a context."""

Context = NDArray[np.uint8]

CIPHER: Final = layout(
    state=(np.uint8, (_STATE_BYTES,)),
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


_set_iv = _function("gcm_set_iv", "i", "ppnp")
_update = _function("gcm_update", "i", "ppnp")
_encrypt = _function("gcm_encrypt", "i", "ppppnpp")
_decrypt = _function("gcm_decrypt", "i", "ppppnpp")
_digest = _function("gcm_digest", "i", "ppppnp")
_encrypt_blocks = _function("aes128_encrypt", "i", "pnpp")
_equal = _function("memeql_sec", "i", "ppn")
_block_cipher = location(
    "nettle_aes128_encrypt", address_in(_library, "nettle_aes128_encrypt") if AVAILABLE else 0
)


def new_context(key: bytes) -> Context:
    """Make a context that seals and opens with *key*."""
    whole = _whole(key)
    context = _lines(_TABLE_AT + _table_bytes() + _MARGIN_BYTES)
    context[:-_MARGIN_BYTES] = whole[: context.size - _MARGIN_BYTES]
    whole[:] = 0
    return context


def new_mask_context(key: bytes) -> Context:
    """Make a context for `mask`: AES in one block, which is what hides QUIC's headers."""
    context = _lines(_AES_BYTES + _MARGIN_BYTES)
    _set_round_keys(context, key)
    return context


def margin_is_clean(context: Context) -> bool:
    """Tell whether nobody has written behind the struct in a context's memory."""
    return not context[-_MARGIN_BYTES:].any()


@functools.cache
def _table_bytes() -> int:
    """Return how much of the table Nettle writes on this processor, in whole lines."""
    key = bytes(KEY_BYTES)
    tables = [_whole(key, before)[_TABLE_AT:] for before in (0, 255)]
    written = int(np.flatnonzero(tables[0] == tables[1]).max()) + 1
    return -(-written // _LINE_BYTES) * _LINE_BYTES


def _whole(key: bytes, before: int = 0) -> Context:
    """Make a context with all of the table; each of its bytes was *before* what it is."""
    made = _lines(_TABLE_AT + _TABLE_BYTES)
    made[_TABLE_AT:] = before
    _set_round_keys(made, key)
    at = made.ctypes.data
    encrypt = ctypes.cast(_library.nettle_aes128_encrypt, ctypes.c_void_p)
    _library.nettle_gcm_set_key(ctypes.c_void_p(at + _TABLE_AT), ctypes.c_void_p(at), encrypt)
    return made


def _set_round_keys(context: Context, key: bytes) -> None:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of AES-128 has {KEY_BYTES} bytes, this one {len(key)}")
    _library.nettle_aes128_set_encrypt_key(ctypes.c_void_p(context.ctypes.data), key)


def _lines(size: int) -> Context:
    """Make *size* bytes that begin with a cache line."""
    made = np.zeros(size + _LINE_BYTES, np.uint8)
    start = -made.ctypes.data % _LINE_BYTES
    return made[start : start + size]


@kernel("void(uintp, uintp)")
def prefetch(context: int, mask_context: int) -> None:
    """Have fetched what `seal` and `mask` will touch of two contexts."""
    for line in range(_KEY_LINES + _HASH_LINES):
        fetch(context + line * _LINE_BYTES)
    for line in range(_KEY_LINES):
        fetch(mask_context + line * _LINE_BYTES)


@kernel(signature("void", CIPHER, "uintp", "uintp", "int64"))
def _begin(cipher: Record, context: int, head: int, head_bytes: int) -> None:
    state, table = cipher.state.ctypes.data, context + _TABLE_AT
    _set_iv(state, table, NONCE_BYTES, cipher.nonce.ctypes.data)
    _update(state, table, head_bytes, head)


@kernel(signature("void", CIPHER, "uintp", "uintp", "int64", "int64"))
def seal(cipher: Record, context: int, packet: int, head_bytes: int, body_bytes: int) -> None:
    """Seal the body that follows the head at *packet*, in place, and put the tag after it.

    RFC 9001 section 5.3, with the nonce in *cipher*. The tag's 16 bytes must be there.
    """
    body = packet + head_bytes
    state, table, block_cipher = cipher.state.ctypes.data, context + _TABLE_AT, _block_cipher()
    _begin(cipher, context, packet, head_bytes)
    _encrypt(state, table, context, block_cipher, body_bytes, body, body)
    _digest(state, table, context, block_cipher, TAG_BYTES, body + body_bytes)


@kernel(signature("boolean", CIPHER, "uintp", "uintp", "int64", "uintp", "uintp", "int64"))
def open_sealed(  # noqa: PLR0913, PLR0917 - three places in memory, as in C
    cipher: Record, context: int, head: int, head_bytes: int, body: int, out: int, body_bytes: int
) -> bool:
    """Open what `seal` sealed into *out*; False if head, body or tag are not what was sealed.

    *body_bytes* are those of the text; the tag stands after them in *body*. *out* holds garbage
    after False.
    """
    state, table, block_cipher = cipher.state.ctypes.data, context + _TABLE_AT, _block_cipher()
    _begin(cipher, context, head, head_bytes)
    _decrypt(state, table, context, block_cipher, body_bytes, out, body)
    _digest(state, table, context, block_cipher, TAG_BYTES, cipher.tag.ctypes.data)
    return _equal(cipher.tag.ctypes.data, body + body_bytes, TAG_BYTES) != 0


@kernel(signature("void", CIPHER, "uintp", "uintp"))
def mask(cipher: Record, context: int, sample: int) -> None:
    """Put the mask for the 16 bytes at *sample* into *cipher* (RFC 9001 section 5.4.3)."""
    _encrypt_blocks(context, MASK_BYTES, cipher.mask.ctypes.data, sample)
