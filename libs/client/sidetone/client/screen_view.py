"""One member's screen as we see it: pictures for whoever shows them, the newest first of all."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sidetone.client.screen_rate import PathUse
from sidetone.client.screen_streams import Arrival
from sidetone.e2ee.media import Opened
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Conflict
from sidetone.video import Size
from sidetone.video.pictures import Picture, Pictures

SIZE_MAX: Final = Size(1920, 1200)
_ASK_AGAIN_SECONDS: Final = 1.0
# Of the three low bits of a header (VX1 section 2.5).
_KEYFRAME_BIT: Final = 4


@dataclass(frozen=True, slots=True)
class ViewStats:
    """What came since the beginning: frames that could be decoded, bytes, gaps between frames."""

    frames: int
    bytes: int
    gaps: int


class ScreenView:
    """What *user* shows, until `stop` or until they end it; made by ``Call.watch``.

    Iterate over it for the pictures: ``async for picture in view``. Who is slow to come back for
    the next one misses those between, and what nobody waits for is not even made.
    """

    def __init__(self, user: UserId, on_stop: Callable[["ScreenView"], None]) -> None:
        self.user = user
        self._on_stop = on_stop
        self.sender: int | None = None
        self.path = PathUse()
        self._loop = asyncio.get_running_loop()
        self._pictures = Pictures(self._need_keyframe, SIZE_MAX)
        self._expected: tuple[int, int] | None = None
        self._needs_keyframe = False
        self._keyframe = 0
        self._asked_at = -_ASK_AGAIN_SECONDS
        self._bytes = self._gaps = 0
        self._reason: str | None = None

    def set_size(self, width: int, height: int) -> None:
        """Say how many pixels the pictures are shown in; larger ones are not made."""
        self._pictures.set_size(Size(max(2, width), max(2, height)))

    async def next(self) -> Picture:
        """Return the newest picture that was not returned yet, when there is one.

        Raises ``Conflict`` with `screen_ended` when the screen is not shown any more.
        """
        try:
            if self._reason is None:
                return await self._pictures.next()
        except asyncio.CancelledError:
            if self._reason is None:
                raise
        raise Conflict("screen_ended", self._reason or "the screen is not shown any more")

    def __aiter__(self) -> "ScreenView":
        return self

    async def __anext__(self) -> Picture:
        try:
            return await self.next()
        except Conflict:
            raise StopAsyncIteration from None

    @property
    def is_live(self) -> bool:
        """Whether more may come."""
        return self._reason is None

    def stop(self) -> None:
        """Watch no longer; a second time does nothing."""
        self.end("the screen is not watched any more")

    def stats(self) -> ViewStats:
        """Return a moment's figures."""
        return ViewStats(self._pictures.decoded, self._bytes, self._gaps)

    # --- what the call tells ---

    def arrived(self, arrival: Arrival) -> None:
        """Note how a frame came."""
        if arrival.frame is None:
            self.path.missed()
            self._expected = None
            self._gap()
        else:
            self.path.add(len(arrival.frame), arrival.began_at, arrival.ended_at)

    def opened(self, opened: Opened) -> None:
        """Take a frame that was decrypted; one that does not follow the last shows a gap."""
        place = (opened.epoch, opened.counter)
        if self._expected is not None and place != self._expected and opened.counter != 0:
            self._gap()
        self._expected = (opened.epoch, opened.counter + 1)
        self._bytes += len(opened.payload)
        number = self._pictures.feed(opened.payload)
        if opened.low & _KEYFRAME_BIT:
            self._needs_keyframe = False
            self._keyframe = number

    def place(self, sender: int | None) -> None:
        """Follow *user* to another place in the room; None while there is none."""
        if sender != self.sender:
            self.sender = sender
            self._expected = None
            self._pictures.missed()

    def keyframe_due(self, now: float) -> bool:
        """Tell whether to ask for a keyframe now; once a second while one is needed."""
        due = self._needs_keyframe and now - self._asked_at >= _ASK_AGAIN_SECONDS
        if due:
            self._asked_at = now
        return due

    def end(self, reason: str) -> None:
        """Give no more pictures; who waits for one is told *reason*."""
        if self._reason is None:
            self._reason = reason
            self._pictures.close()
            self._on_stop(self)

    def _gap(self) -> None:
        self._gaps += 1
        self._pictures.missed()

    def _need_keyframe(self, number: int) -> None:
        # One that came meanwhile is enough for what came before it.
        if number > self._keyframe:
            self._needs_keyframe = True
