"""Read a channel: where one left off, its present, a place in its past, and pages both ways."""

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import NotFound

PAGE = 50
# More unread messages than this do not stand on the latest page with something read above them.
_UNREAD_ON_PAGE = 40


async def open_channel(account: Account, channel: ChannelId) -> None:
    """Show *channel* where the user left off; what is loaded already takes no request."""
    timeline = account.knowledge.timeline(channel)
    if timeline.loaded:
        return
    read = account.knowledge.reads.get(channel)
    if timeline.messages or read is None or read.last_read is None:
        await _renew(account, channel)
    elif read.unread > _UNREAD_ON_PAGE:
        await _look_around(account, channel, read.last_read)
    else:
        await jump_to_present(account, channel)


async def jump_to_present(account: Account, channel: ChannelId) -> None:
    """Show what was written last in *channel*."""
    page = await account.client.api.messages.history(channel, limit=PAGE)
    begins = len(page.items) < PAGE
    account.knowledge.timeline(channel).open(page.items, begins=begins, present=True)
    _tell(account, channel)


async def jump_to(account: Account, channel: ChannelId, message: MessageId) -> None:
    """Show *message* and what is around it. Raises ``NotFound`` if it was deleted."""
    timeline = account.knowledge.timeline(channel)
    if timeline.loaded and timeline.find(message) is not None:
        return
    await _look_around(account, channel, message)
    if timeline.find(message) is None:
        raise NotFound("message_unknown", "this message was deleted")


async def read_back(account: Account, channel: ChannelId) -> None:
    """Load one older page."""
    timeline = account.knowledge.timeline(channel)
    if timeline.begins or not timeline.messages:
        return
    first = timeline.messages[0].id
    page = await account.client.api.messages.history(channel, before=first, limit=PAGE)
    timeline.extend_back(page.items, begins=len(page.items) < PAGE)
    _tell(account, channel)


async def read_on(account: Account, channel: ChannelId) -> None:
    """Load one newer page, where the present is not reached yet."""
    timeline = account.knowledge.timeline(channel)
    last = timeline.newest
    if timeline.present or last is None:
        return
    page = await account.client.api.messages.history(channel, after=last, limit=PAGE)
    timeline.extend_on(page.items, present=len(page.items) < PAGE)
    _tell(account, channel)


async def _renew(account: Account, channel: ChannelId) -> None:
    page = await account.client.api.messages.history(channel, limit=PAGE)
    account.knowledge.timeline(channel).renew(page.items, begins=len(page.items) < PAGE)
    _tell(account, channel)


async def _look_around(account: Account, channel: ChannelId, message: MessageId) -> None:
    page = await account.client.api.messages.history(channel, around=message, limit=PAGE)
    account.knowledge.timeline(channel).open(page.items, begins=False, present=False)
    _tell(account, channel)


def _tell(account: Account, channel: ChannelId) -> None:
    """Let the messages be drawn, and the names in them be asked for."""
    messages = account.knowledge.timeline(channel).messages
    account.want_names(*(message.author for message in messages))
    account.told(topics(Topic("messages", channel)))
