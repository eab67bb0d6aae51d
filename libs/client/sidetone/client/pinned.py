"""TLS that trusts one public key instead of certificate authorities.

A server's address carries the SHA-256 of its public key, so a self-hosted server needs neither a
domain nor a certificate authority, and rotates its certificate without anybody noticing. Refuses
plain HTTP to anything but this machine.
"""

import hmac
import ipaddress
import ssl
from urllib.parse import urlsplit

from typing_extensions import override

from sidetone.credentials.pins import parse_address, spki_sha256
from sidetone.protocol.refusals import Invalid, Unauthenticated


class WrongKeyError(ssl.SSLError):
    """The peer finished the handshake with another key than the pinned one."""


def pinned_context(pin: bytes) -> ssl.SSLContext:
    """Return a client context that ends each handshake unless the peer holds the key of *pin*.

    *pin* is the SHA-256 of the DER SubjectPublicKeyInfo (RFC 7469, section 2.4). TLS itself proves
    that the peer holds the private key; the check sits in the handshake, so that no library can
    send a byte of a request before it. Works wherever a context goes: httpx, asyncio, websockets.
    """

    class PinnedObject(ssl.SSLObject):
        """An SSL connection that checks the pin as the last step of its handshake."""

        @override
        def do_handshake(self) -> None:
            super().do_handshake()
            if not holds_key(self.getpeercert(binary_form=True) or b"", pin):
                raise WrongKeyError("the peer's public key is not the pinned one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslobject_class = PinnedObject
    return context


def holds_key(certificate_der: bytes, pin: bytes) -> bool:
    """Tell whether the public key of the certificate is the one of *pin*."""
    try:
        return hmac.compare_digest(spki_sha256(certificate_der), pin)
    except Invalid:
        return False


class Endpoint:
    """Where a server's HTTP API is, and how to know that it is the right one.

    *name* is safe as a folder name and stays the same when a pinned server moves.
    """

    def __init__(self, address: str) -> None:
        """Read *address*: ``sidetone://host:port#pin``, or ``http://`` on this machine.

        Raises ``Invalid`` with what is wrong about it.
        """
        if address.startswith("http://"):
            self.url, self.host = _loopback_url(address)
            self.tls: ssl.SSLContext | bool = False
            self.name = self.url.removeprefix("http://").translate(_FOLDER_SAFE)
        else:
            pinned = parse_address(address)
            self.url, self.host = pinned.url, pinned.host
            self.tls = pinned_context(pinned.spki_sha256)
            self.name = pinned.spki_sha256.hex()[:32]


def wrong_server_key(where: str) -> Unauthenticated:
    """Return the one answer to a wrong key: what it means and what to do."""
    return Unauthenticated(
        "server_key_wrong",
        f"{where} does not hold the key that its address names: it is another server, or it was "
        "set up anew; nothing was sent; ask its owner for the present address",
    )


def _loopback_url(address: str) -> tuple[str, str]:
    host = ""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
        port = parts.port or 80
    except ValueError:
        loopback, port = False, 0
    if not loopback:
        raise Invalid(
            "address_insecure",
            "plain http:// is for this machine only; use the server's sidetone://host:port#pin",
        )
    return f"http://{f'[{host}]' if ':' in host else host}:{port}", host


_FOLDER_SAFE = str.maketrans(dict.fromkeys(":/[]", "_"))
