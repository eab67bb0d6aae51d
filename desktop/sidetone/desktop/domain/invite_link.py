"""Invites as people hand them round: a code alone, or a link that also says at which machine.

A link is the machine's address with ``/invite/CODE`` before the pin:
``sidetone://host:port/invite/CODE#pin``, or ``http://127.0.0.1:port/invite/CODE`` at home.
"""

import re
from typing import Final, NamedTuple

from sidetone.protocol.refusals import Invalid

_CODE: Final = re.compile(r"[a-z2-7]{16}")
_LINK: Final = re.compile(r"(?P<base>[a-z]+://[^/#\s]+)/invite/(?P<code>[^/#\s]+)(?P<pin>#\S+)?")


class InviteLink(NamedTuple):
    """A code, and the *address* of the machine where it works; None: where one is signed in."""

    address: str | None
    code: str


def link_of(address: str, code: str) -> str:
    """Return what to hand round so that *code* is found from anywhere.

    >>> link_of("sidetone://play.example:8443#PIN", "aaaaaaaaaaaaaaaa")
    'sidetone://play.example:8443/invite/aaaaaaaaaaaaaaaa#PIN'
    """
    base, mark, pin = address.strip().partition("#")
    return f"{base.rstrip('/')}/invite/{code}{mark}{pin}"


def read_invite(text: str) -> InviteLink:
    """Read a code or a link as it was pasted. Raises ``Invalid`` that says what one looks like.

    >>> read_invite(" sidetone://play.example:8443/invite/aaaaaaaaaaaaaaaa#PIN ")
    InviteLink(address='sidetone://play.example:8443#PIN', code='aaaaaaaaaaaaaaaa')
    >>> read_invite("AAAAAAAAAAAAAAAA").code
    'aaaaaaaaaaaaaaaa'
    """
    pasted = text.strip()
    link = _LINK.fullmatch(pasted)
    address = f"{link['base']}{link['pin'] or ''}" if link is not None else None
    code = (link["code"] if link is not None else pasted).lower()
    if not _CODE.fullmatch(code):
        raise Invalid(
            "invite_unreadable",
            "an invite is a code of 16 letters and digits, or a link that ends in one",
        )
    return InviteLink(address, code)
