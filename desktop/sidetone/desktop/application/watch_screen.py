"""Look at a screen that somebody shows; it is decoded once, however many windows look."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sidetone.desktop.application.voice_call import VoiceCall
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict

if TYPE_CHECKING:
    # What decodes pictures is loaded when somebody looks.
    from sidetone.client.screen_view import ScreenView
    from sidetone.video.pictures import Picture


class WatchScreens:
    """The screens of the call of *voice* that somebody looks at."""

    def __init__(self, voice: VoiceCall) -> None:
        self._voice = voice
        self._feeds: dict[UserId, Feed] = {}

    @asynccontextmanager
    async def watching(self, user: UserId, size: tuple[int, int]) -> AsyncGenerator["Feed"]:
        """See what *user* shows while the block lasts, in about *size* pixels.

        Raises ``NotFound`` if they show nothing.
        """
        feed = self._feeds.get(user)
        if feed is None or not feed.view.is_live:
            feed = self._feeds[user] = Feed(self._voice.joined.watch(user))
        feed.watchers += 1
        feed.fit(*size)
        try:
            yield feed
        finally:
            feed.watchers -= 1
            if feed.watchers == 0:
                feed.stop()
                if self._feeds.get(user) is feed:
                    del self._feeds[user]


class Feed:
    """One screen, and the newest picture of it."""

    def __init__(self, view: "ScreenView") -> None:
        self.view = view
        self.watchers = 0
        self._size = (0, 0)
        self._newest: Picture | None = None
        self._ended = False
        self._changed = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    def fit(self, width: int, height: int) -> None:
        """Make pictures large enough for the largest window that looks."""
        self._size = (max(width, self._size[0]), max(height, self._size[1]))
        self.view.set_size(*self._size)

    async def after(self, number: int) -> "Picture":
        """Return the newest picture after *number*; ``Conflict`` when there are no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._has(number) or self._ended)
        if self._newest is None or not self._has(number):
            raise Conflict("screen_ended", "the screen is not shown any more")
        return self._newest

    def stop(self) -> None:
        """Look no longer."""
        self.view.stop()

    def _has(self, number: int) -> bool:
        return self._newest is not None and self._newest.number > number

    async def _read(self) -> None:
        async for picture in self.view:
            async with self._changed:
                self._newest = picture
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()
