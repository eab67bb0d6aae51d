"""Keep track of how far one has read."""

from uuid import UUID

from sidetone.desktop.application.account import Account
from sidetone.protocol.events import ReadMarked
from sidetone.protocol.ids import ChannelId, MessageId


async def mark_read(account: Account, channel: ChannelId, message: MessageId) -> None:
    """Say that *channel* was read up to *message*; all devices of the user hear of it."""
    _know(account, ReadMarked(await account.client.api.messages.mark_read(channel, message)))


async def mark_unread(account: Account, channel: ChannelId, message: MessageId) -> None:
    """Say that *message* and what follows it is to be read later."""
    before = MessageId(UUID(int=message.int - 1))
    state = await account.client.api.messages.mark_read(channel, before, backwards=True)
    _know(account, ReadMarked(state))


def _know(account: Account, marked: ReadMarked) -> None:
    account.told(account.knowledge.apply(marked, account.clock.now_ms()))
