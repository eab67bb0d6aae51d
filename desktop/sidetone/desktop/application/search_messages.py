"""Look for messages: by words, by whom, where, what they have, and when."""

from sidetone.client.api_messages import Search
from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ServerId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page


async def search_messages(
    account: Account, server: ServerId, wanted: Search, cursor: str | None = None
) -> Page[Message]:
    """Return a page of what was found, newest first, and have the names in it asked for."""
    found = await account.client.api.messages.search(server, wanted, cursor)
    account.want_names(*(message.author for message in found.items))
    return found
