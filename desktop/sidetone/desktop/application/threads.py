"""Threads: begin one at a message, find them, name them, and put them away."""

from sidetone.desktop.application.account import Account
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.messages import ChangeThread, Message
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel


async def open_thread(account: Account, message: Message, name: str) -> ChannelId:
    """Begin a thread at *message*, and return it; the one that hangs there already stays."""
    if message.thread is not None:
        return message.thread
    api = account.client.api.messages
    return ChannelId((await api.open_thread(message.channel, message.id, name.strip())).id)


async def list_threads(
    account: Account, channel: ChannelId, *, archived: bool, cursor: str | None = None
) -> Page[Channel]:
    """Return a page of the threads of *channel*, newest first."""
    return await account.client.api.messages.threads(channel, archived=archived, cursor=cursor)


async def rename_thread(account: Account, thread: ChannelId, name: str) -> None:
    """Call a thread *name*."""
    await account.client.api.messages.change_thread(thread, ChangeThread(name=name.strip()))


async def archive_thread(account: Account, thread: ChannelId, *, archived: bool) -> None:
    """Put a thread away as history, or open it again."""
    await account.client.api.messages.change_thread(thread, ChangeThread(archived=archived))
