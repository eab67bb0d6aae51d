"""Read states, threads and search over HTTP."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, patch, post, put
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sidetone.chat.application.manage_threads import ManageThreads
from sidetone.chat.application.search_messages import SearchMessages, Wish
from sidetone.chat.application.track_reading import TrackReading
from sidetone.chat.domain.search_query import Trait
from sidetone.chat.interface.http_pages import LIMIT, Cursor, Limit
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import ChangeThread, MarkRead, Message, ReadState, StartThread
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel
from sidetone.runtime.openapi import responses

FoundMax = Annotated[int, Parameter(ge=1, le=50)]
Time = Annotated[int, Parameter(ge=0, le=(1 << 48) - 1)]
_TAGS = ["messages"]


class ReadingCases(msgspec.Struct, frozen=True):
    """What can be asked of reading, of threads and of the search."""

    reading: TrackReading
    threads: ManageThreads
    search: SearchMessages


def reading_routes(chat: ReadingCases) -> Sequence[HTTPRouteHandler]:
    """Bind the use cases to their paths."""
    return [*_reading(chat), *_threads(chat), _search(chat)]


def _reading(chat: ReadingCases) -> Sequence[HTTPRouteHandler]:
    @put(
        "/channels/{channel:uuid}/read",
        operation_id="mark_read",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def mark(channel: UUID, user: UserId, data: MarkRead) -> ReadState:
        """Say how far you have read in a channel; all your devices hear of it."""
        return await chat.reading.mark(user, ChannelId(channel), data)

    @get("/read-states", operation_id="list_read_states", tags=_TAGS, responses=responses())
    async def states(user: UserId) -> list[ReadState]:
        """List how far you have read, and what waits; channels with nothing are left out."""
        return await chat.reading.states(user)

    return [mark, states]


def _threads(chat: ReadingCases) -> Sequence[HTTPRouteHandler]:
    @post(
        "/channels/{channel:uuid}/messages/{message:uuid}/thread",
        operation_id="open_thread",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def begin(channel: UUID, message: UUID, user: UserId, data: StartThread) -> Channel:
        """Open a thread at a message."""
        return await chat.threads.open(user, ChannelId(channel), MessageId(message), data.name)

    @get(
        "/channels/{channel:uuid}/threads",
        operation_id="list_threads",
        tags=_TAGS,
        responses=responses(404),
    )
    async def every(
        channel: UUID,
        user: UserId,
        cursor: UUID | None = None,
        limit: Limit = LIMIT,
        archived: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    ) -> Page[Channel]:
        """List the threads of a channel, newest first: the open ones, or the archived."""
        after = None if cursor is None else ChannelId(cursor)
        return await chat.threads.of(user, ChannelId(channel), after, limit, archived=archived)

    @patch(
        "/threads/{thread:uuid}",
        operation_id="change_thread",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def change(thread: UUID, user: UserId, data: ChangeThread) -> Channel:
        """Rename, archive or reopen a thread."""
        return await chat.threads.change(user, ChannelId(thread), data)

    return [begin, every, change]


def _search(chat: ReadingCases) -> HTTPRouteHandler:
    @get(
        "/servers/{server:uuid}/search",
        operation_id="search_messages",
        tags=_TAGS,
        responses=responses(404, 422),
        dependencies={"wish": Provide(_wish)},
    )
    async def search(
        server: UUID, user: UserId, wish: Wish, cursor: Cursor = None, limit: FoundMax = 25
    ) -> Page[Message]:
        """Look for messages: all words of `q`, by whom, where, what they have, and when."""
        return await chat.search(user, ServerId(server), wish, cursor, limit)

    return search


async def _wish(
    q: str = "",
    author: Annotated[UUID | None, Parameter(query="from")] = None,
    channel: Annotated[UUID | None, Parameter(query="in")] = None,
    has: list[Trait] | None = None,
    before: Time | None = None,
    after: Time | None = None,
) -> Wish:
    """Return what is looked for; *before* and *after* are milliseconds since the Unix epoch."""
    return Wish(
        q,
        None if author is None else UserId(author),
        None if channel is None else ChannelId(channel),
        tuple(has or ()),
        before,
        after,
    )
