"""Give a server its icon, and emoji: a picture is brought first, then taken into use."""

import re

from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import EditServer, Emoji, Server

_MEDIA_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
}
ENDINGS = tuple(_MEDIA_TYPES)
_EMOJI_NAME = re.compile(r"[A-Za-z0-9_]{2,32}")


async def set_icon(account: Account, server: ServerId, name: str, content: bytes) -> Server:
    """Show *content*, a picture of a file called *name*, as the icon of *server*."""
    media_type = _media_type(name, content)
    file = await account.client.api.media.upload(content, name, media_type, "icon")
    changes = EditServer(UNSET, UNSET, file.id)
    return await account.client.api.servers.edit(server, changes)


async def add_emoji(
    account: Account, server: ServerId, name: str, file_name: str, content: bytes
) -> Emoji:
    """Add an emoji called *name* to *server*."""
    media_type = _media_type(file_name, content)
    check_emoji_name(name)
    file = await account.client.api.media.upload(content, file_name, media_type, "emoji")
    return await account.client.api.servers.create_emoji(server, name, file.id)


def check_emoji_name(name: str) -> None:
    """Raise ``Invalid`` for what cannot be an emoji's name, before a picture is brought for it."""
    if not _EMOJI_NAME.fullmatch(name):
        words = tr("Enter a name of 2 to 32 letters (A to Z), digits and _.")
        raise Invalid("emoji_name_unsuitable", words)


def _media_type(name: str, content: bytes) -> str:
    """Return what *content* of a file called *name* is, by its name. Raises ``Invalid``."""
    ending = name.rpartition(".")[2].lower()
    if ending not in _MEDIA_TYPES:
        kinds = ", ".join(ENDINGS)
        words = tr("This is no picture; choose one of these: {kinds}.", kinds=kinds)
        raise Invalid("picture_unsuitable", words)
    if not content:
        raise Invalid("file_empty", tr("This file is empty; choose another one."))
    return _MEDIA_TYPES[ending]
