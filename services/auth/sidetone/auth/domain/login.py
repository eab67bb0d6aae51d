"""Logins and the refresh tokens that keep them alive; theft is noticed here.

A refresh token is two secrets of 32 bytes: one of the login's whole family of tokens, and one that
changes with every use. Who knows the first but not the present second holds an old token: either
the rightful client's was stolen and used, or the thief is the one who is late. Both look the same,
so the family ends.
"""

import base64
import binascii
import hashlib
from enum import Enum
from ipaddress import IPv4Address, ip_address, ip_network

import msgspec

from sidetone.protocol.ids import LoginId, UserId

SECRET_BYTES = 32
IDLE_MS_MAX = 30 * 24 * 3_600_000
LIFETIME_MS_MAX = 90 * 24 * 3_600_000
LOGINS_PER_ACCOUNT_MAX = 100

_CLIENT_LENGTH_MAX = 120
# What of an address is kept: enough to know a town by, too little to know a house by.
_IPV4_PREFIX = 24
_IPV6_PREFIX = 48


class RefreshToken(msgspec.Struct, frozen=True):
    """What the client holds; the server keeps hashes of both halves."""

    family: bytes
    secret: bytes

    @property
    def family_sha256(self) -> bytes:
        """By which the login is found."""
        return hashlib.sha256(self.family).digest()

    @property
    def secret_sha256(self) -> bytes:
        """By which the newest token is told from older ones."""
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """Return the token as it travels: 86 characters."""
        return base64.urlsafe_b64encode(self.family + self.secret).rstrip(b"=").decode()


class Standing(Enum):
    """What a refresh token that belongs to a known login is worth."""

    CURRENT = "current"
    EXPIRED = "expired"
    REUSED = "reused"


class Login(msgspec.Struct, frozen=True):
    """A signed-in client of an account, from its password to its log-out."""

    id: LoginId
    user: UserId
    name: str
    secret_sha256: bytes
    created_at_ms: int
    used_at_ms: int
    client: str = ""
    address: str = ""

    def standing(self, token: RefreshToken, now_ms: int) -> Standing:
        """Judge a token of this login's family."""
        if token.secret_sha256 != self.secret_sha256:
            return Standing.REUSED
        return Standing.CURRENT if is_alive(self, now_ms) else Standing.EXPIRED


def is_alive(login: Login, now_ms: int) -> bool:
    """Tell whether *login* is neither forgotten nor too old."""
    idle = now_ms - login.used_at_ms >= IDLE_MS_MAX
    over = now_ms - login.created_at_ms >= LIFETIME_MS_MAX
    return not idle and not over


class Client(msgspec.Struct, frozen=True):
    """Where a request comes from: what the program calls itself, and its address."""

    name: str
    address: str

    def shown_name(self) -> str:
        """Return what the program calls itself, cut and without what cannot be printed."""
        return "".join(c for c in self.name if c.isprintable())[:_CLIENT_LENGTH_MAX]

    def network(self) -> str:
        """Return the network that the address is in, as it is shown and limited.

        >>> Client("", "192.0.2.7").network(), Client("", "2001:db8:1:2::/64").network()
        ('192.0.2.0/24', '2001:db8:1::/48')
        """
        try:
            address = ip_address(self.address.partition("/")[0])
        except ValueError:
            return ""
        prefix = _IPV4_PREFIX if isinstance(address, IPv4Address) else _IPV6_PREFIX
        return str(ip_network((address, prefix), strict=False))


def read_refresh_token(text: str) -> RefreshToken | None:
    """Return the token that *text* spells, or None if it spells none."""
    try:
        raw = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 2 * SECRET_BYTES:
        return None
    token = RefreshToken(raw[:SECRET_BYTES], raw[SECRET_BYTES:])
    return token if token.text() == text else None
