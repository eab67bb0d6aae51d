"""Give a server its icon, and emoji: a picture is brought first, then taken into use."""

from msgspec import UNSET

from sidetone.desktop.application.account import Account
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


async def set_icon(account: Account, server: ServerId, name: str, content: bytes) -> Server:
    """Show *content*, a picture of a file called *name*, as the icon of *server*."""
    file = await account.client.api.media.upload(content, name, _media_type(name), "icon")
    changes = EditServer(UNSET, UNSET, file.id)
    return await account.client.api.servers.edit(server, changes)


async def add_emoji(
    account: Account, server: ServerId, name: str, file_name: str, content: bytes
) -> Emoji:
    """Add an emoji called *name* to *server*."""
    media = account.client.api.media
    file = await media.upload(content, file_name, _media_type(file_name), "emoji")
    return await account.client.api.servers.create_emoji(server, name, file.id)


def _media_type(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    if ending not in _MEDIA_TYPES:
        raise Invalid("picture_unsuitable", f"choose a picture: {', '.join(ENDINGS)}")
    return _MEDIA_TYPES[ending]
