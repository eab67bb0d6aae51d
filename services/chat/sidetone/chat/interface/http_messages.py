"""Messages over HTTP: send, read, edit, delete, pin, react."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_messages import ManageMessages
from sidetone.chat.application.react import React
from sidetone.chat.application.read_history import ReadHistory
from sidetone.chat.application.send_message import SendMessage
from sidetone.chat.application.signal_typing import SignalTyping
from sidetone.chat.interface.http_pages import LIMIT, Cursor, Limit
from sidetone.protocol import messages
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

_TAGS = ["messages"]
_ALL = "/channels/{channel:uuid}/messages"
_ONE = "/channels/{channel:uuid}/messages/{message:uuid}"
_REACTION = "/channels/{channel:uuid}/messages/{message:uuid}/reactions/{emoji:str}"


class MessageCases(msgspec.Struct, frozen=True):
    """What can be asked of messages."""

    send: SendMessage
    manage: ManageMessages
    react: React
    history: ReadHistory
    typing: SignalTyping


def message_routes(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    """Bind the use cases of messages to their paths."""
    return [*_writing(chat), *_reading(chat), *_changing(chat), *_pins(chat), *_reactions(chat)]


def _writing(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    @post(_ALL, operation_id="send_message", tags=_TAGS, responses=responses(404, 409, 422))
    async def send(channel: UUID, user: UserId, data: messages.SendMessage) -> Response[Message]:
        """Write in a channel; the same nonce again returns the first message with 200."""
        message, is_new = await chat.send(user, ChannelId(channel), data)
        return _message(message, 201 if is_new else 200)

    @post(
        "/channels/{channel:uuid}/typing",
        operation_id="signal_typing",
        tags=_TAGS,
        status_code=204,
        responses=responses(404, 409),
    )
    async def typing(channel: UUID, user: UserId) -> None:
        """Tell who sees the channel that you are writing."""
        await chat.typing(user, ChannelId(channel))

    return [send, typing]


def _reading(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    @get(_ALL, operation_id="read_history", tags=_TAGS, responses=responses(404, 422))
    async def page(
        channel: UUID,
        user: UserId,
        before: UUID | None = None,
        after: UUID | None = None,
        around: UUID | None = None,
        limit: Limit = LIMIT,
    ) -> Page[Message]:
        """Read a page of history, newest first; `next` goes on in the same direction."""
        marks = (_mark(before), _mark(after), _mark(around))
        return await chat.history.page(user, ChannelId(channel), marks, limit)

    @get(_ONE, operation_id="read_message", tags=_TAGS, responses=responses(404))
    async def one(channel: UUID, message: UUID, user: UserId) -> Response[Message]:
        """Read one message."""
        found = await chat.history.one(user, ChannelId(channel), MessageId(message))
        return _message(found, 200)

    return [page, one]


def _changing(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    @patch(_ONE, operation_id="edit_message", tags=_TAGS, responses=responses(404, 409, 422))
    async def edit(
        channel: UUID,
        message: UUID,
        user: UserId,
        data: messages.EditMessage,
        request: AnyRequest,
    ) -> Response[Message]:
        """Change what one of your messages says."""
        edited = await chat.manage.edit(
            user, ChannelId(channel), MessageId(message), data.text, expected(request)
        )
        return _message(edited, 200)

    @delete(_ONE, operation_id="delete_message", tags=_TAGS, responses=responses(404, 409))
    async def remove(channel: UUID, message: UUID, user: UserId) -> None:
        """Delete a message: your own, or anybody's with MANAGE_MESSAGES."""
        await chat.manage.delete(user, ChannelId(channel), MessageId(message))

    @post(
        f"{_ALL}/delete",
        operation_id="delete_messages",
        tags=_TAGS,
        status_code=204,
        responses=responses(404, 409, 422),
    )
    async def remove_many(channel: UUID, user: UserId, data: messages.DeleteMessages) -> None:
        """Delete up to a hundred messages; takes MANAGE_MESSAGES."""
        await chat.manage.delete_many(user, ChannelId(channel), data.messages)

    return [edit, remove, remove_many]


def _pins(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    @get(
        "/channels/{channel:uuid}/pins",
        operation_id="list_pins",
        tags=_TAGS,
        responses=responses(404),
    )
    async def every(channel: UUID, user: UserId) -> list[Message]:
        """List what is pinned, the latest first."""
        return await chat.history.pins(user, ChannelId(channel))

    @put(
        "/channels/{channel:uuid}/pins/{message:uuid}",
        operation_id="pin_message",
        tags=_TAGS,
        status_code=204,
        responses=responses(404, 409),
    )
    async def pin(channel: UUID, message: UUID, user: UserId) -> None:
        """Pin a message; takes MANAGE_MESSAGES."""
        await chat.manage.pin(user, ChannelId(channel), MessageId(message))

    @delete(
        "/channels/{channel:uuid}/pins/{message:uuid}",
        operation_id="unpin_message",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def unpin(channel: UUID, message: UUID, user: UserId) -> None:
        """Take a pin off; takes MANAGE_MESSAGES."""
        await chat.manage.unpin(user, ChannelId(channel), MessageId(message))

    return [every, pin, unpin]


def _reactions(chat: MessageCases) -> Sequence[HTTPRouteHandler]:
    @get(_REACTION, operation_id="list_reactions", tags=_TAGS, responses=responses(404, 422))
    async def users(
        channel: UUID,
        message: UUID,
        emoji: str,
        user: UserId,
        cursor: Cursor = None,
        limit: Limit = LIMIT,
    ) -> Page[UserId]:
        """List who reacted with an emoji."""
        place = (ChannelId(channel), MessageId(message))
        return await chat.react.users(user, place, emoji, cursor, limit)

    @put(
        _REACTION,
        operation_id="add_reaction",
        tags=_TAGS,
        status_code=204,
        responses=responses(404, 409, 422),
    )
    async def add(channel: UUID, message: UUID, emoji: str, user: UserId) -> None:
        """React with an emoji: a character, or the id of one of the server's own."""
        await chat.react.put(user, ChannelId(channel), MessageId(message), emoji)

    @delete(
        _REACTION, operation_id="remove_reaction", tags=_TAGS, responses=responses(404, 409, 422)
    )
    async def remove(channel: UUID, message: UUID, emoji: str, user: UserId) -> None:
        """Take your reaction away."""
        await chat.react.take(user, ChannelId(channel), MessageId(message), emoji, user)

    @delete(
        f"{_REACTION}/{{whose:uuid}}",
        operation_id="remove_reaction_of",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def remove_of(
        channel: UUID, message: UUID, emoji: str, whose: UUID, user: UserId
    ) -> None:
        """Take somebody's reaction away; takes MANAGE_MESSAGES unless it is yours."""
        place = (ChannelId(channel), MessageId(message))
        await chat.react.take(user, *place, emoji, UserId(whose))

    return [users, add, remove, remove_of]


def _message(message: Message, status: int) -> Response[Message]:
    headers = {"etag": etag(message.edited_at_ms or 0)}
    return Response(message, status_code=status, headers=headers)


def _mark(mark: UUID | None) -> MessageId | None:
    return None if mark is None else MessageId(mark)
