"""Conversations beside a channel, each begun with a message."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.messages import Messages, NewMessage
from sidetone.chat.application.ports import Change, Changes
from sidetone.chat.application.threads import Threads
from sidetone.chat.domain.name import checked_name
from sidetone.chat.domain.place import Place
from sidetone.chat.domain.reading import id_at
from sidetone.chat.domain.thread import require_room, require_text_channel, thread_from
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import ChangeThread, Message
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel
from sidetone.runtime.clock import Clock

IDLE_MS_MAX = 7 * 24 * 3_600_000
_ARCHIVED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ManageThreads:
    """Open, rename, archive and reopen threads. An open one is a channel of its server."""

    enter: EnterChannel
    messages: Messages
    changes: Changes
    threads: Threads
    clock: Clock

    async def open(
        self, user: UserId, channel: ChannelId, message: MessageId, name: str
    ) -> Channel:
        """Return the thread that now hangs at *message*. Raises ``Refusal``.

        The thread comes first and the message points to it afterwards: who was interrupted in
        between asks again, and gets the same thread.
        """
        place = await self.enter(user, channel)
        place.require_writable()
        place.require(Permission.CREATE_THREADS)
        require_text_channel(place.channel)
        origin = await self.messages.find(channel, message, user)
        if origin.thread is not None:
            raise Conflict("thread_exists", "a thread hangs at this message already; write there")
        wanted = Channel(
            ChannelId(self.clock.new_id()),
            place.community.server.id,
            checked_name(name),
            "thread",
            parent=channel,
            origin=message,
            creator=user,
        )
        async with self.changes.of(wanted.server) as change:
            change.draft.standing(user).in_channel(channel).require(Permission.CREATE_THREADS)
            thread = thread_from(change.draft.before, message)
            if thread is None:
                thread = wanted
                require_room(change.draft.before)
                change.draft.put(thread)
                change.draft.note(user, "thread.open", thread.id, None, thread)
        await self._point_to(thread, place)
        return thread

    async def _point_to(self, thread: Channel, place: Place) -> None:
        """Let the message know its thread, and the channel hear of it."""
        if thread.origin is None:
            return
        async with self.messages.change(thread.server, place.channel.id) as change:
            origin = await change.find(thread.origin)
            if origin.thread is not None:
                return
            await change.save(msgspec.structs.replace(origin, thread=thread.id))
            notice = Message(
                id=MessageId(self.clock.new_id()),
                server=thread.server,
                channel=place.channel.id,
                author=place.user,
                text=thread.name,
                kind="thread_opened",
                reply_to=origin.id,
                thread=thread.id,
            )
            await change.add(NewMessage(notice, place.root))

    async def change(self, user: UserId, thread: ChannelId, wish: ChangeThread) -> Channel:
        """Return the thread with what *wish* changes.

        Who opened it may, and who has ``MANAGE_THREADS``; whoever may write reopens an archived
        one. Raises ``Refusal``.
        """
        place = await self.enter(user, thread)
        async with self.changes.of(place.community.server.id) as change:
            before = await _thread(change, thread)
            now = Place.enter(change.draft.before, before, user, self.clock.now_ms())
            reopens = wish.archived is False and wish.name is UNSET
            if reopens:
                now.require(Permission.SEND_MESSAGES)
            elif before.creator != user:
                now.require(Permission.MANAGE_THREADS)
            after = msgspec.structs.replace(
                before,
                name=before.name if wish.name is UNSET else checked_name(wish.name),
                archived=before.archived if wish.archived is UNSET else wish.archived,
            )
            if after != before:
                if before.archived and not after.archived:
                    require_room(change.draft.before)
                change.draft.put(after)
                change.draft.note(user, "thread.change", thread, before, after)
        return after

    async def of(
        self,
        user: UserId,
        channel: ChannelId,
        cursor: ChannelId | None,
        limit: int,
        *,
        archived: bool,
    ) -> Page[Channel]:
        """Return the threads of a channel, newest first. Raises ``Refusal``."""
        place = await self.enter(user, channel)
        place.require(Permission.READ_HISTORY)
        if archived:
            return await self.threads.archived(channel, cursor, limit)
        mine = [
            each
            for each in place.community.channels.values()
            if each.parent == channel and each.kind == "thread"
        ]
        mine.sort(key=lambda each: each.id, reverse=True)
        if cursor is not None:
            mine = [each for each in mine if each.id < cursor]
        return Page(mine[:limit], str(mine[limit - 1].id) if len(mine) > limit else None)

    async def archive_idle(self) -> int:
        """Archive threads in which nobody wrote for a week; return how many."""
        since = id_at(self.clock.now_ms() - IDLE_MS_MAX)
        count = 0
        for thread in await self.threads.idle(since, _ARCHIVED_AT_ONCE):
            async with self.changes.of(thread.server) as change:
                if thread.id in change.draft.before.channels:
                    change.draft.put(msgspec.structs.replace(thread, archived=True))
                    count += 1
        return count


async def _thread(change: Change, thread: ChannelId) -> Channel:
    """Return the thread as it is within the change."""
    found = await change.servers.channel(thread)
    if found.kind != "thread":
        raise Conflict("channel_no_thread", "this is not a thread; edit it as a channel")
    return found
