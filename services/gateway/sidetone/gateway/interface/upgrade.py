"""Which requests may become a socket of the gateway, and where they really come from.

A WebSocket never passes through the middleware of the HTTP routes, so the checks stand here.
"""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

PATH = "/gateway"


def is_gateway(target: str) -> bool:
    """Return whether the request's *target* is the gateway.

    >>> is_gateway("/gateway?v=1"), is_gateway("/gateway/other")
    (True, False)
    """
    return target.partition("?")[0] == PATH


def may_connect(origin: str | None, host: str | None, allowed: Sequence[str]) -> bool:
    """Return whether a page of *origin* may connect; who sends none is no browser.

    A page that *host* served itself may, and those that are *allowed*.

    >>> may_connect(None, "chat.example", []), may_connect("https://evil.example", "a.example", [])
    (True, False)
    >>> may_connect("https://chat.example", "chat.example", [])
    True
    """
    if origin is None or origin in allowed:
        return True
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[str]) -> str:
    """Return the nearest address that no trusted proxy stands at.

    >>> client_address("10.0.0.1", "6.6.6.6, 192.0.2.7, 10.0.0.2", ["10.0.0.0/8"])
    '192.0.2.7'
    >>> client_address("192.0.2.9", "10.0.0.1", ["10.0.0.0/8"])
    '192.0.2.9'
    """
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    for hop in [peer, *reversed(hops)]:
        if not _is_trusted(hop, trusted):
            return hop
    return hops[0] if hops else peer


def _is_trusted(hop: str, trusted: Sequence[str]) -> bool:
    try:
        address = ip_address(hop)
    except ValueError:
        return False
    return any(address in ip_network(network, strict=False) for network in trusted)
