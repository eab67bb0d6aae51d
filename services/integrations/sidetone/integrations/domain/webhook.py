"""What a webhook may be, which events it wants, and when a delivery is tried again."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from sidetone.protocol.refusals import Invalid

WEBHOOKS_PER_SERVER_MAX: Final = 15
NAME_LENGTH_MAX: Final = 80
URL_LENGTH_MAX: Final = 2_000
EVENTS_MAX: Final = 20
# Deliveries of one webhook that wait or were given up; more are not even tried.
DELIVERIES_MAX: Final = 1_000
# After so many tries, in the course of a day, a delivery is given up.
ATTEMPTS_MAX: Final = 10
FIRST_PAUSE_MS: Final = 5_000
PAUSE_MS_MAX: Final = 6 * 3_600_000
_GROWTH: Final = 4

_KIND: Final = re.compile(r"[a-z_]+\.(\*|[a-z_]+)")


def checked_name(name: str) -> str:
    """Return *name* as it is shown. Raises ``Invalid``."""
    shown = " ".join(name.split())
    if not 0 < len(shown) <= NAME_LENGTH_MAX or not shown.isprintable():
        raise Invalid("name_unusable", f"a name has 1 to {NAME_LENGTH_MAX} printable characters")
    return shown


def checked_url(url: str) -> str:
    """Return *url* if events may be sent there. Raises ``Invalid``.

    Where the host is decides the network at each delivery; here it is about form.

    >>> checked_url("https://games.example/hook?x=1")
    'https://games.example/hook?x=1'
    """
    wrong = Invalid("url_unusable", "give an https:// address without a port, user or fragment")
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    named = parts.scheme == "https" and bool(parts.hostname)
    if not named or port not in {None, 443} or "@" in parts.netloc or parts.fragment:
        raise wrong
    return url


def checked_events(events: Sequence[str]) -> list[str]:
    """Return the kinds of *events*, each once. Raises ``Invalid``."""
    once = list(dict.fromkeys(events))
    if len(once) > EVENTS_MAX or not all(map(_KIND.fullmatch, once)):
        raise Invalid(
            "events_unusable", f"name at most {EVENTS_MAX} kinds: message.sent, message.*"
        )
    return once


def wants(events: Sequence[str], kind: str) -> bool:
    """Return whether who asked for *events* is told of *kind*.

    >>> wants([], "message.sent"), wants(["message.*"], "message.sent"), wants(["a.b"], "a.c")
    (True, True, False)
    """
    area = kind.partition(".")[0]
    return not events or kind in events or f"{area}.*" in events


def pause_ms(attempts: int, chance: float) -> int:
    """Return how long to wait after so many *attempts*; *chance* in [0, 1) spreads the herd.

    >>> [pause_ms(n, 0.0) for n in (1, 2, 3)], pause_ms(9, 0.999) <= PAUSE_MS_MAX
    ([2500, 10000, 40000], True)
    """
    longest = min(FIRST_PAUSE_MS * _GROWTH ** (attempts - 1), PAUSE_MS_MAX)
    return int(longest * (0.5 + chance / 2))


def signature(secret: bytes, at_seconds: int, body: bytes) -> str:
    """Return the header that proves who sent *body*, and that it is not an old one.

    HMAC-SHA256 (RFC 2104) over the time, a full stop and the body.
    """
    digest = hmac.new(secret, f"{at_seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_seconds},v1={digest}"
