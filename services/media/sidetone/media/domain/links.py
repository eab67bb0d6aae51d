"""Links that may be looked at: the web as everybody sees it, and nothing that needs a name."""

import re
from urllib.parse import quote, urlsplit

import msgspec

_LENGTH_MAX = 2048
_PORTS = {"http": 80, "https": 443}
# Of a path and a query, what needs no escape, and the escapes that are there already.
_PLAIN = "/?:@!$&'()*+,;=-._~%[]"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMBERS = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*")
_HOST_LENGTH_MAX = 253
_UNSEEN = re.compile(r"[\x00-\x20\x7f]")


class Link(msgspec.Struct, frozen=True):
    """A link in pieces; *host* is in ASCII, *target* is what the server is asked for."""

    scheme: str
    host: str
    port: int
    target: str


def public_link(url: str) -> Link | None:
    """Return *url* in pieces, None where it is nothing to look at.

    Where the host really is, is seen when it is connected to.

    >>> public_link("https://Bücher.example/a b?q=1#part")
    >>> public_link("https://Bücher.example/ä?q=1#part")
    Link(scheme='https', host='xn--bcher-kva.example', port=443, target='/%C3%A4?q=1')
    >>> public_link("http://user@example.org/"), public_link("http://example.org:22/")
    (None, None)
    """
    if len(url) > _LENGTH_MAX or _UNSEEN.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        host = _ascii(parts.hostname or "")
    except ValueError:
        return None
    if parts.scheme not in _PORTS or parts.username is not None or host is None:
        return None
    port = _PORTS[parts.scheme] if port is None else port
    if port not in _PORTS.values():
        return None
    query = f"?{parts.query}" if parts.query else ""
    target = quote(f"{parts.path or '/'}{query}", safe=_PLAIN, errors="replace")
    return Link(parts.scheme, host, port, target)


def _ascii(host: str) -> str | None:
    if _NUMBERS.fullmatch(host):
        return host
    ascii_host = host if host.isascii() else host.encode("idna").decode()
    ascii_host = ascii_host.lower()
    fits = len(ascii_host) <= _HOST_LENGTH_MAX and _HOST.fullmatch(ascii_host) is not None
    return ascii_host if fits else None
