"""Half-open handshakes: how many there are, in all and by neighbourhood.

Above the limits QUIC Retry is asked for: it makes a client prove its address and costs an honest
one a round trip, so it is never a refusal. A neighbourhood is a /24 of IPv4 or a /56 of IPv6.
"""

from collections import Counter
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

import msgspec

# Each connection asks three times.
_PREFIXES_MAX = 1024


class HandshakeLimits(msgspec.Struct, frozen=True):
    """From how many half-open handshakes on a client must prove its address."""

    in_all: int = 2_000
    per_prefix: int = 20


class HalfOpen:
    """Counts handshakes that are neither finished nor given up."""

    def __init__(self, limits: HandshakeLimits) -> None:
        self._limits = limits
        self._by_prefix: Counter[bytes] = Counter()
        self._in_all = 0

    def opened(self, host: str) -> None:
        """Count a handshake from *host*, an IP address."""
        self._by_prefix[prefix(host)] += 1
        self._in_all += 1

    def closed(self, host: str) -> None:
        """Forget a handshake that was counted for *host*."""
        key = prefix(host)
        self._by_prefix[key] -= 1
        self._in_all -= 1
        if not self._by_prefix[key]:
            del self._by_prefix[key]

    def must_prove_address(self, host: str) -> bool:
        """Tell whether the next handshake from *host* begins with a Retry."""
        return (
            self._in_all >= self._limits.in_all
            or self._by_prefix[prefix(host)] >= self._limits.per_prefix
        )


@lru_cache(_PREFIXES_MAX)
def prefix(host: str) -> bytes:
    """Return the neighbourhood of *host*; an IPv4 address mapped into IPv6 counts as IPv4.

    >>> prefix("192.0.2.77") == prefix("::ffff:192.0.2.1")
    True
    >>> prefix("2001:db8:0:12ff::1") == prefix("2001:db8:0:1200::2")
    True
    """
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return address.packed[:7]
        address = address.ipv4_mapped
    return address.packed[:3]
