"""One channel as one window shows it: where one is in it, and what one does with its messages.

A plain object that is handed to all parts of the chat; what it changes it draws by topics.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import flet as ft
import msgspec

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.mark_read import ReadAlong
from sidetone.desktop.application.read_history import (
    jump_to,
    jump_to_present,
    open_channel,
    read_back,
    read_on,
)
from sidetone.desktop.application.tell_typing import TellTyping
from sidetone.desktop.domain import rows
from sidetone.desktop.domain.rows import Chunk, Marks, Sheet
from sidetone.desktop.domain.scrolling import Drawn, Scrolling
from sidetone.desktop.domain.timeline import Timeline
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import Channel

# Within so many pixels of an end the next page is read.
_NEAR_PIXELS = 900.0
# Who has scrolled up so far is not disturbed by what is new.
_HELD_PIXELS = 120.0
# Where in the window the line of the new stands after a channel is opened.
_LINE_AT = 0.7
# A client that had to scroll says so within this time.
_MOVED_SECONDS = 0.5


class Pane:
    """A channel of *account* in *view*, until the window goes elsewhere."""

    def __init__(self, view: View, account: Account, channel: ChannelId) -> None:
        self.view = view
        self.account = account
        self.channel = channel
        self.list = ft.Ref[ft.ListView]()
        self.typing = TellTyping(account, channel)
        self.marks = Marks()
        # What is quoted and not loaded: it was asked for once.
        self.quotes: dict[MessageId, Message] = {}
        # Whether Shift is held: then nothing is asked before something is deleted.
        self.shift = False
        self.focus_composer: Callable[[], None] = lambda: None
        self._sheet = Sheet(times.day_of)
        self._scrolling = Scrolling()
        self._chunks: list[Chunk] = []
        self._held: MessageId | None = None
        self._target: MessageId | None = None
        self._moved = asyncio.Event()
        self._loading = False
        self._opened = False
        self._reading = ReadAlong(account, channel)
        self._reads_later = False

    # --- what is there ---

    @property
    def timeline(self) -> Timeline:
        """What is loaded of the channel."""
        return self.account.knowledge.timeline(self.channel)

    @property
    def community(self) -> Community | None:
        """The server that the channel is in."""
        return self.account.knowledge.home_of(self.channel)

    @property
    def home(self) -> Topic:
        """What changes with the server of the channel.

        A thread that was put away is in none until it is opened again: then it is in the one that
        the window shows.
        """
        known = self.community
        return Topic("server", self.view.place.server if known is None else known.server.id)

    @property
    def known(self) -> Channel | None:
        """The channel itself, if it is still there."""
        return self.account.knowledge.channel(self.channel)

    def may(self, permission: Permission) -> bool:
        """Return whether we may do something here now."""
        now_ms = self.account.clock.now_ms()
        return permission in self.account.knowledge.permissions(self.channel, now_ms)

    def draw(self) -> None:
        """Draw the messages anew."""
        self.view.draw(Topic("messages", self.channel))

    def draw_pending(self) -> None:
        """Draw anew what is written and not sent."""
        self.view.draw(Topic("pending", self.channel))

    def draw_composer(self) -> None:
        """Draw anew where one writes."""
        self.view.draw(Topic("draft", self.channel))

    def start(self, work: Any) -> None:
        """Do *work* beside the window."""
        self.view.start(work)

    # --- the list ---

    @property
    def at_present(self) -> bool:
        """Whether the newest message of all is seen."""
        return self._scrolling.at_end and self.timeline.present and self._held is None

    @property
    def waiting(self) -> int:
        """How many messages have come while older ones are looked at."""
        if self._held is None:
            return 0
        return sum(message.id > self._held for message in self.timeline.messages)

    def cut(self) -> Drawn:
        """Return what the list draws now."""
        timeline = self.timeline
        messages = timeline.messages
        if self._held is not None:
            messages = [each for each in messages if each.id <= self._held]
        if timeline.loaded and not self._opened:
            self._open(messages)
        at_end = timeline.present and self._held is None
        self._chunks = self._sheet.cut(messages, self.marks, grow=at_end)
        if not timeline.loaded and self.account.connection == "online":
            self._load(open_channel(self.account, self.channel))
        return self._scrolling.draw(self._chunks)

    def _open(self, messages: list[Message]) -> None:
        """Begin at the line of what is new."""
        self._opened = True
        read = self.account.knowledge.reads.get(self.channel)
        new = None
        if read is not None and read.unread:
            new = rows.first_new(messages, read, self.account.id)
        self.marks = msgspec.structs.replace(self.marks, new=new)
        self._target = self._target or new
        self._scrolling.settled = self._target is None
        self._look_at_target(messages)

    def scrolled(self, event: ft.OnScrollEvent) -> None:
        """Note where the list is now."""
        redraw = self._scrolling.moved(event.pixels, event.viewport_dimension)
        self._moved.set()
        was_held = self._held
        timeline = self.timeline
        if timeline.present and self._held is None and event.pixels > _HELD_PIXELS:
            self._held = timeline.newest
        elif self._held is not None and self._scrolling.at_end:
            self._held = None
            redraw = True
        if redraw:
            self.draw()
        if (was_held is None) != (self._held is None):
            self.view.draw(Topic("scroll", self.channel))
        if event.extent_after < _NEAR_PIXELS and not timeline.begins:
            self._load(read_back(self.account, self.channel))
        elif event.pixels < _NEAR_PIXELS and not timeline.present:
            self._load(read_on(self.account, self.channel))
        self.seen()

    def measured(self, chunk: Chunk, event: ft.LayoutSizeChangeEvent[Any]) -> None:
        """Keep the place when *chunk* turns out to be higher or lower than it was."""
        at_end = self.at_present
        move = self._scrolling.measured(chunk.key, event.height, at_end=at_end)
        if move:
            self.start(self._scroll(delta=move))
        if self._target is not None:
            self._go_to_target()

    def _load(self, reading: Any) -> None:
        if self._loading:
            reading.close()
            return

        async def load() -> None:
            try:
                await reading
            finally:
                self._loading = False

        self._loading = True
        self.start(load())

    # --- going somewhere in it ---

    def jump(self, message: MessageId) -> None:
        """Show *message* in its context."""

        async def work() -> None:
            await jump_to(self.account, self.channel, message)
            self._show(message)

        self.start(work())

    def step(self, by: int) -> None:
        """Choose the message so many below the one that is chosen; first the newest.

        It is chosen when this returns: the key that comes next is about it already.
        """
        messages = self.timeline.messages
        chosen = [index for index, each in enumerate(messages) if each.id == self.marks.found]
        index = chosen[0] + by if chosen else len(messages) - 1
        if messages:
            self._show(messages[max(0, min(index, len(messages) - 1))].id)

    def _show(self, message: MessageId) -> None:
        """Mark *message*, which is loaded, and have it seen."""
        self._held = None
        self._target = message
        self._look_at_target(self.timeline.messages)
        self.mark(found=message)
        self._go_to_target()

    def go_to_present(self) -> None:
        """Show what was written last, at the end of the list."""

        async def work() -> None:
            if not self.timeline.present:
                self._scrolling.forget()
                await jump_to_present(self.account, self.channel)
            self._held = self._target = None
            self._scrolling.look_at(None)
            self._scrolling.settled = True
            self.draw()
            await self._scroll_to(0.0)

        self.start(work())

    def mark(self, **marks: MessageId | None) -> None:
        """Draw single messages in another way: the one that was found, or is edited."""
        self.marks = msgspec.structs.replace(self.marks, **marks)
        self.draw()

    def _look_at_target(self, messages: list[Message]) -> None:
        """Have the chunk drawn in which the target will be."""
        if self._target is None:
            return
        chunks = self._sheet.cut(messages, self.marks, grow=self.timeline.present)
        chunk = next((each for each in chunks if each.last >= self._target), None)
        self._scrolling.look_at(chunk.key if chunk is not None else None)

    def _go_to_target(self) -> None:
        """Scroll to the target as soon as the client knows where it is."""
        target = self._target
        chunk = next((each for each in self._chunks if target and each.last >= target), None)
        if target is None or chunk is None or not self._scrolling.is_measured(chunk.key):
            return
        self._target = None

        async def work() -> None:
            self._moved.clear()
            await self._scroll(scroll_key=str(target))
            # At the lower edge now, if it had to move at all; what follows it shall be seen.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), _MOVED_SECONDS)
                below = self._scrolling.offset - self._scrolling.viewport * _LINE_AT
                await self._scroll_to(max(0.0, below))
            self._scrolling.settled = True
            # Where all of it has room nothing moves, and nothing else would tell.
            self.seen()

        self.start(work())

    async def _scroll_to(self, offset: float) -> None:
        """Scroll there, and know it: of a leap the client tells the beginning and not the end."""
        await self._scroll(offset=offset)
        self._scrolling.moved(offset, self._scrolling.viewport)
        self.view.draw(Topic("scroll", self.channel))
        self.seen()

    async def _scroll(self, **where: Any) -> None:
        if self.list.current is not None:
            await self.list.current.scroll_to(**where)

    # --- what was read ---

    def seen(self) -> None:
        """Count the channel as read when its end is before the eyes of somebody."""
        read = self.account.knowledge.reads.get(self.channel)
        newest = self.timeline.newest
        if (
            read is not None
            and read.unread
            and newest is not None
            and self.at_present
            and self._target is None
            and self.view.focused
            and self.account.connection == "online"
            and not self._reads_later
            and self._reading.note(newest)
        ):
            self.start(self._reading.tell())

    def read_later(self, message: MessageId) -> None:
        """Leave *message* and what follows unread until the channel is opened again."""
        self._reads_later = True
        self._reading.stop()
        self.mark(new=message)
