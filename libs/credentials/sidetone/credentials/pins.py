"""Server addresses that carry the pin of the server's public key.

``sidetone://host:port#pin``, where the pin is the SHA-256 of the DER SubjectPublicKeyInfo
(RFC 7469) in base64url without padding: 43 characters. IPv6 hosts stand in brackets. Whoever has
the address needs no certificate authority to know the server.
"""

import base64
import binascii
import hashlib
import re
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typing_extensions import override

from sidetone.protocol.refusals import Invalid

_SCHEME = "sidetone"
_PIN = re.compile(r"[A-Za-z0-9_-]{43}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}")


class Address(msgspec.Struct, frozen=True):
    """Where a server is and which key it must prove to hold (32 bytes, SHA-256).

    >>> address = Address("play.example", 8443, bytes(32))
    >>> str(address)
    'sidetone://play.example:8443#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    >>> parse_address(str(address)) == address
    True
    >>> Address("::1", 8443, bytes(32)).url
    'https://[::1]:8443'
    """

    host: str
    port: int
    spki_sha256: bytes

    @property
    def url(self) -> str:
        """The root of the server's HTTP interface."""
        return f"https://{_bracketed(self.host)}:{self.port}"

    @override
    def __str__(self) -> str:
        pin = base64.urlsafe_b64encode(self.spki_sha256).rstrip(b"=").decode()
        return f"{_SCHEME}://{_bracketed(self.host)}:{self.port}#{pin}"


def spki_sha256(certificate_der: bytes) -> bytes:
    """Return the SHA-256 of the certificate's SubjectPublicKeyInfo: its pin, 32 bytes.

    Raises ``Invalid`` if the bytes are not an X.509 certificate.
    """
    try:
        key = x509.load_der_x509_certificate(certificate_der).public_key()
    except (ValueError, TypeError, x509.InvalidVersion):
        raise Invalid("certificate_invalid", "the peer's certificate cannot be read") from None
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def parse_address(text: str) -> Address:
    """Read an address as people paste it. Raises ``Invalid``, which says what is wrong with it."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _invalid("its host or port cannot be read") from None
    if parts.scheme != _SCHEME:
        raise _invalid(f"it must begin with {_SCHEME}://")
    if not host or not _HOST.fullmatch(host) or parts.username is not None:
        raise _invalid("it must name one host")
    if not port:
        raise _invalid("it must name a port from 1 to 65535")
    if parts.path not in {"", "/"} or parts.query:
        raise _invalid("nothing but # and the pin may follow the port")
    return Address(host, port, _pin(parts.fragment))


def _pin(text: str) -> bytes:
    if not _PIN.fullmatch(text):
        raise _invalid("the pin after # must be 43 characters; copy the whole address")
    try:
        pin = base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except binascii.Error:
        raise _invalid("the pin after # is damaged; copy the whole address") from None
    # The last character carries two spare bits: one pin has one spelling.
    if base64.urlsafe_b64encode(pin).decode() != text + "=":
        raise _invalid("the pin after # is damaged; copy the whole address")
    return pin


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _invalid(reason: str) -> Invalid:
    return Invalid(
        "address_invalid", f"this is not a server address ({_SCHEME}://host:port#pin): {reason}"
    )
