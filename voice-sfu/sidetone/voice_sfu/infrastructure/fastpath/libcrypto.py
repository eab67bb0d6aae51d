"""AES-128-GCM and header masks of QUIC by OpenSSL's libcrypto, for kernels.

A context is made once for a key, in Python; kernels only give it nonces and bytes. Contexts are
addresses, and each belongs to one connection and direction, so no two threads use it at once.
"""

import ctypes
import ctypes.util
import functools
from typing import Any, Final

from sidetone.native import Record, kernel, layout, signature
from sidetone.native.functions import address_in, named

KEY_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
MASK_BYTES: Final = 16

_GET_TAG: Final = 0x10
_SET_TAG: Final = 0x11
_NAMES: Final = ("libcrypto.so.3", ctypes.util.find_library("crypto") or "libcrypto.so.3")

CIPHER: Final = layout(
    nonce=("u1", (16,)), mask=("u1", (MASK_BYTES,)), length=("i4", (4,)), spare=("u1", (16,))
)
"""What one call of the cipher needs besides the packet: one per thread, on lines of its own."""


def _load() -> Any:  # noqa: ANN401 - a ctypes library
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
            library.EVP_CIPHER_fetch.restype = ctypes.c_void_p
        except (OSError, AttributeError):
            continue
        return library
    return None


_library: Final = _load()
AVAILABLE: Final = _library is not None
"""Whether OpenSSL 3 is on this machine."""


def _function(name: str, returns: str, takes: str) -> Any:  # noqa: ANN401
    return named(name, address_in(_library, name) if AVAILABLE else 0, returns, takes)


_encrypt_init = _function("EVP_EncryptInit_ex", "i", "ppppp")
_decrypt_init = _function("EVP_DecryptInit_ex", "i", "ppppp")
_encrypt = _function("EVP_EncryptUpdate", "i", "ppppi")
_decrypt = _function("EVP_DecryptUpdate", "i", "ppppi")
_encrypt_final = _function("EVP_EncryptFinal_ex", "i", "ppp")
_decrypt_final = _function("EVP_DecryptFinal_ex", "i", "ppp")
_control = _function("EVP_CIPHER_CTX_ctrl", "i", "piip")

if AVAILABLE:
    _p = ctypes.c_void_p
    _library.EVP_CIPHER_CTX_new.restype = _p
    _library.EVP_CIPHER_fetch.argtypes = [_p, ctypes.c_char_p, ctypes.c_char_p]
    _library.EVP_CipherInit_ex.argtypes = [
        _p, _p, _p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int,
    ]  # fmt: skip
    _library.EVP_CIPHER_CTX_set_padding.argtypes = [_p, ctypes.c_int]
    _library.EVP_CIPHER_CTX_free.argtypes = [_p]


def new_sealer(key: bytes) -> int:
    """Make a context that seals with *key*."""
    return _new(b"AES-128-GCM", key, seals=True)


def new_opener(key: bytes) -> int:
    """Make a context that opens with *key*."""
    return _new(b"AES-128-GCM", key, seals=False)


def new_masker(key: bytes) -> int:
    """Make a context for `mask`: AES in one block, which is what hides QUIC's headers."""
    context = _new(b"AES-128-ECB", key, seals=True)
    _library.EVP_CIPHER_CTX_set_padding(context, 0)
    return context


def free(context: int) -> None:
    """Give a context back; 0 is none."""
    _library.EVP_CIPHER_CTX_free(context)


@functools.cache
def _cipher(name: bytes) -> int:
    return int(_library.EVP_CIPHER_fetch(None, name, None))


def _new(name: bytes, key: bytes, *, seals: bool) -> int:
    context = _library.EVP_CIPHER_CTX_new()
    if len(key) != KEY_BYTES or not context:
        raise ValueError("no cipher can be made of this key")
    if _library.EVP_CipherInit_ex(context, _cipher(name), None, key, None, int(seals)) != 1:
        raise ValueError("libcrypto refuses AES-128")
    return int(context)


@kernel(signature("void", CIPHER, "uintp", "uintp", "int64", "int64"))
def seal(cipher: Record, context: int, packet: int, head_bytes: int, body_bytes: int) -> None:
    """Seal the body that follows the head at *packet*, in place, and put the tag after it.

    RFC 9001 section 5.3, with the nonce in *cipher*. The tag's 16 bytes must be there.
    """
    body = packet + head_bytes
    length = cipher.length.ctypes.data
    _encrypt_init(context, 0, 0, 0, cipher.nonce.ctypes.data)
    _encrypt(context, 0, length, packet, head_bytes)
    _encrypt(context, body, length, body, body_bytes)
    _encrypt_final(context, body + body_bytes, length)
    _control(context, _GET_TAG, TAG_BYTES, body + body_bytes)


@kernel(signature("boolean", CIPHER, "uintp", "uintp", "int64", "uintp", "uintp", "int64"))
def open_sealed(  # noqa: PLR0913, PLR0917 - three places in memory, as in C
    cipher: Record, context: int, head: int, head_bytes: int, body: int, out: int, body_bytes: int
) -> bool:
    """Open what `seal` sealed into *out*; False if head, body or tag are not what was sealed.

    *body_bytes* are those of the text; the tag stands after them in *body*. *out* holds garbage
    after False.
    """
    length = cipher.length.ctypes.data
    _decrypt_init(context, 0, 0, 0, cipher.nonce.ctypes.data)
    _decrypt(context, 0, length, head, head_bytes)
    _decrypt(context, out, length, body, body_bytes)
    _control(context, _SET_TAG, TAG_BYTES, body + body_bytes)
    return _decrypt_final(context, out + body_bytes, length) == 1


@kernel(signature("void", CIPHER, "uintp", "uintp"))
def mask(cipher: Record, context: int, sample: int) -> None:
    """Put the mask for the 16 bytes at *sample* into *cipher* (RFC 9001 section 5.4.3)."""
    _encrypt(context, cipher.mask.ctypes.data, cipher.length.ctypes.data, sample, MASK_BYTES)
