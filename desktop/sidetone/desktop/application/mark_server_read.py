"""Say that all of a server, or one channel of it, was read."""

from sidetone.desktop.application.account import Account
from sidetone.protocol.events import ReadMarked
from sidetone.protocol.ids import ChannelId, ServerId


async def mark_server_read(account: Account, server: ServerId) -> None:
    """Mark every unread channel of *server*."""
    community = account.knowledge.communities.get(server)
    for channel in list(community.channels) if community is not None else ():
        await mark_channel_read(account, ChannelId(channel))


async def mark_channel_read(account: Account, channel: ChannelId) -> None:
    """Mark *channel*, up to what was written last."""
    read = account.knowledge.reads.get(channel)
    if read is None or not (read.unread or read.mentions):
        return
    messages = account.client.api.messages
    last = await messages.history(channel, limit=1)
    if last.items:
        state = await messages.mark_read(channel, last.items[0].id)
        marked = ReadMarked(state)
        account.told(account.knowledge.apply(marked, account.clock.now_ms()))
