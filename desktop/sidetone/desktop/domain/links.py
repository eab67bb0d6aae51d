"""``sidetone://`` links, as the system hands them over: where to go, and nothing else.

Anybody can make somebody click on a link, so that what is not exactly one of three forms is
refused: ``sidetone://host:port#pin`` names a machine, ``.../invite/CODE#pin`` invites,
``.../channel/ID#pin`` and ``.../channel/ID/message/ID#pin`` show a place. A link does nothing by
itself: it opens the dialog or the screen in which the user does it.
"""

import re
from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from sidetone.credentials.pins import parse_address
from sidetone.desktop.domain.invite_link import InviteLink, read_invite
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Invalid

SCHEME: Final = "sidetone"
LENGTH_MAX: Final = 600
_PARTS: Final = re.compile(r"(sidetone://[^/?#\s]+)((?:/[^/?#\s]+)*)(#[^/?#\s]+)")


class ServerLink(msgspec.Struct, frozen=True):
    """A server machine to sign in at."""

    address: str


class PlaceLink(msgspec.Struct, frozen=True):
    """A channel of a server machine, and perhaps one message in it."""

    address: str
    channel: ChannelId
    message: MessageId | None = None


Link: TypeAlias = ServerLink | InviteLink | PlaceLink


def read_link(text: str) -> Link:
    """Read a link. Raises ``Invalid`` in one line for everything that is none.

    >>> pin = "A" * 43
    >>> read_link(f"sidetone://play.example:8443/invite/aaaaaaaaaaaaaaaa#{pin}").code
    'aaaaaaaaaaaaaaaa'
    """
    parts = _PARTS.fullmatch(text) if len(text) <= LENGTH_MAX else None
    if parts is None:
        raise _invalid()
    base, path, pin = parts.groups()
    address = str(parse_address(base + pin))
    match path.split("/")[1:]:
        case []:
            return ServerLink(address)
        case ["invite", _]:
            return InviteLink(address, read_invite(text).code)
        case ["channel", channel]:
            return PlaceLink(address, ChannelId(_id(channel)))
        case ["channel", channel, "message", message]:
            return PlaceLink(address, ChannelId(_id(channel)), MessageId(_id(message)))
        case _:
            raise _invalid()


def place_link(address: str, channel: ChannelId, message: MessageId | None = None) -> str:
    """Return a link to *channel*, or to *message* in it, at the machine of *address*.

    >>> place_link("sidetone://a:1#PIN", ChannelId(UUID(int=1)))
    'sidetone://a:1/channel/00000000-0000-0000-0000-000000000001#PIN'
    """
    base, mark, pin = address.partition("#")
    place = f"/channel/{channel}" + (f"/message/{message}" if message is not None else "")
    return f"{base}{place}{mark}{pin}"


def _id(text: str) -> UUID:
    try:
        found = UUID(text)
    except ValueError:
        raise _invalid() from None
    # UUID reads many spellings; a link has one.
    if str(found) != text:
        raise _invalid()
    return found


def _invalid() -> Invalid:
    return Invalid("link_invalid", "this is no Sidetone link; copy the whole of it")
