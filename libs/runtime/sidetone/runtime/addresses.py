"""Where a request comes from, as rate limits count it."""

from ipaddress import IPv6Address, ip_address, ip_network

from sidetone.runtime.http_requests import AnyRequest

# A household or a company gets a /64 at the least: its addresses count as one.
_IPV6_PREFIX = 64


def peer_of(request: AnyRequest) -> str:
    """Return what stands for the peer's address in rate limits."""
    return limited_as(request.client.host if request.client else "")


def limited_as(host: str) -> str:
    """Return what a peer at *host* is counted as.

    >>> limited_as("192.0.2.7"), limited_as("2001:db8::1"), limited_as("2001:db8::2")
    ('192.0.2.7', '2001:db8::/64', '2001:db8::/64')
    >>> limited_as("::ffff:192.0.2.7")
    '192.0.2.7'
    """
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, _IPV6_PREFIX), strict=False))
