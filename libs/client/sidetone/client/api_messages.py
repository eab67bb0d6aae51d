"""Messages, reactions, pins, threads, read states and search over REST."""

from urllib.parse import quote
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid4

from sidetone.client.requests import Query, Requests
from sidetone.protocol.ids import ChannelId, FileId, MessageId, ServerId, UserId
from sidetone.protocol.messages import (
    ChangeThread,
    DeleteMessages,
    EditMessage,
    MarkRead,
    Message,
    ReadState,
    SendMessage,
    StartThread,
)
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel


class Search(msgspec.Struct, frozen=True):
    """What is looked for; what is left out does not matter.

    *has* holds any of ``file``, ``image``, ``link``, ``mention`` and ``pin``; times are
    milliseconds since the epoch.
    """

    text: str = ""
    author: UserId | None = None
    channel: ChannelId | None = None
    has: frozenset[str] = frozenset()
    before_ms: int | None = None
    after_ms: int | None = None


class Messages:
    """What is written in channels."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def send(
        self,
        channel: ChannelId,
        text: str = "",
        *,
        reply_to: MessageId | None = None,
        attachments: list[FileId] | None = None,
        nonce: str | None = None,
    ) -> Message:
        """Write in *channel*. Who sends again with the same *nonce* writes it only once."""
        body = SendMessage(text, nonce or str(uuid4()), reply_to, attachments or [])
        path = f"/chat/channels/{channel}/messages"
        return await self._requests.ask("POST", path, Message, body)

    async def history(
        self,
        channel: ChannelId,
        *,
        before: UUID | None = None,
        after: UUID | None = None,
        around: UUID | None = None,
        limit: int = 50,
    ) -> Page[Message]:
        """Return a page of what was written, newest first."""
        marks: Query = {"before": before, "after": after, "around": around, "limit": limit}
        path = f"/chat/channels/{channel}/messages"
        return await self._requests.ask("GET", path, Page[Message], query=marks)

    async def read(self, channel: ChannelId, message: MessageId) -> Message:
        """Return one message."""
        return await self._requests.ask("GET", _one(channel, message), Message)

    async def edit(self, channel: ChannelId, message: MessageId, text: str) -> Message:
        """Change what an own message says."""
        return await self._requests.ask(
            "PATCH", _one(channel, message), Message, EditMessage(text)
        )

    async def delete(self, channel: ChannelId, *messages: MessageId) -> None:
        """Delete one message, or up to a hundred at once."""
        if len(messages) == 1:
            await self._requests.tell("DELETE", _one(channel, messages[0]))
        else:
            path = f"/chat/channels/{channel}/messages/delete"
            await self._requests.tell("POST", path, DeleteMessages(list(messages)))

    async def react(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Put an emoji to a message."""
        await self._requests.tell("PUT", _reaction(channel, message, emoji))

    async def unreact(self, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Take one's emoji away again."""
        await self._requests.tell("DELETE", _reaction(channel, message, emoji))

    async def who_reacted(
        self, channel: ChannelId, message: MessageId, emoji: str, cursor: str | None = None
    ) -> Page[UserId]:
        """Return a page of those who put *emoji* to a message."""
        path = _reaction(channel, message, emoji)
        return await self._requests.ask("GET", path, Page[UserId], query={"cursor": cursor})

    async def pins(self, channel: ChannelId) -> list[Message]:
        """Return what is pinned, the latest first."""
        return await self._requests.ask("GET", f"/chat/channels/{channel}/pins", list[Message])

    async def pin(self, channel: ChannelId, message: MessageId) -> None:
        """Pin a message."""
        await self._requests.tell("PUT", f"/chat/channels/{channel}/pins/{message}")

    async def unpin(self, channel: ChannelId, message: MessageId) -> None:
        """Take a pin off."""
        await self._requests.tell("DELETE", f"/chat/channels/{channel}/pins/{message}")

    async def typing(self, channel: ChannelId) -> None:
        """Tell who sees *channel* that something is being written."""
        await self._requests.tell("POST", f"/chat/channels/{channel}/typing")

    async def mark_read(
        self, channel: ChannelId, message: MessageId, *, backwards: bool = False
    ) -> ReadState:
        """Say that *channel* was read up to *message*; *backwards*: only up to there."""
        path = f"/chat/channels/{channel}/read"
        return await self._requests.ask("PUT", path, ReadState, MarkRead(message, backwards))

    async def read_states(self) -> list[ReadState]:
        """Return where was read, and what waits."""
        return await self._requests.ask("GET", "/chat/read-states", list[ReadState])

    async def open_thread(self, channel: ChannelId, message: MessageId, name: str) -> Channel:
        """Open a thread at a message."""
        path = f"{_one(channel, message)}/thread"
        return await self._requests.ask("POST", path, Channel, StartThread(name))

    async def threads(
        self, channel: ChannelId, *, archived: bool = False, cursor: str | None = None
    ) -> Page[Channel]:
        """Return a page of the threads of *channel*, newest first."""
        query: Query = {"archived": "true" if archived else None, "cursor": cursor}
        path = f"/chat/channels/{channel}/threads"
        return await self._requests.ask("GET", path, Page[Channel], query=query)

    async def change_thread(self, thread: ChannelId, changes: ChangeThread) -> Channel:
        """Rename, archive or reopen a thread."""
        return await self._requests.ask("PATCH", f"/chat/threads/{thread}", Channel, changes)

    async def search(
        self, server: ServerId, wanted: Search, cursor: str | None = None
    ) -> Page[Message]:
        """Return a page of what was found in the channels that the account sees, newest first."""
        query: Query = {
            "q": wanted.text,
            "from": wanted.author,
            "in": wanted.channel,
            "has": sorted(wanted.has) or None,
            "before": wanted.before_ms,
            "after": wanted.after_ms,
            "cursor": cursor,
        }
        path = f"/chat/servers/{server}/search"
        return await self._requests.ask("GET", path, Page[Message], query=query)


def _one(channel: ChannelId, message: MessageId) -> str:
    return f"/chat/channels/{channel}/messages/{message}"


def _reaction(channel: ChannelId, message: MessageId, emoji: str) -> str:
    return f"{_one(channel, message)}/reactions/{quote(emoji, safe='')}"
