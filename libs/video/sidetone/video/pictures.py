"""What one member shows, as JPEG pictures, decoded on a thread of its own.

Every frame is decoded, because the next ones need it; only what somebody waits for becomes a
JPEG, and of several that came meanwhile only the newest.
"""

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, ParamSpec

import msgspec

from sidetone.video import Size, VideoError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from sidetone.video.decoder import Vp8Decoder

_log = logging.getLogger(__name__)

P = ParamSpec("P")

FRAMES_WAITING_MAX: Final = 64
"""Four seconds: a decoder that is so late begins anew at a keyframe."""


class Picture(msgspec.Struct, frozen=True):
    """One picture to be shown: a JPEG file, its size, and how many came before it."""

    jpeg: bytes
    size: Size
    number: int


class Pictures:
    """Takes encoded frames, gives pictures; for one event loop.

    *on_gap* is called on that loop with the number of a frame that needs a keyframe before it.
    """

    def __init__(self, on_gap: Callable[[int], None], size_max: Size) -> None:
        self._on_gap = on_gap
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._frames: deque[tuple[int, bytes]] = deque()
        self._fed = 0
        self._size_max = size_max
        self._awaited: asyncio.Future[Picture] | None = None
        self._ended = False
        self.decoded = 0
        self._thread = threading.Thread(target=self._run, name="screen-decoding", daemon=True)
        self._thread.start()

    def feed(self, encoded: bytes) -> int:
        """Take the next frame and return its number."""
        with self._changed:
            self._fed += 1
            if len(self._frames) >= FRAMES_WAITING_MAX:
                # What follows cannot be decoded without these.
                self._frames.clear()
                self._frames.append((self._fed, b""))
            self._frames.append((self._fed, encoded))
            self._changed.notify()
            return self._fed

    def missed(self) -> None:
        """Note that a frame is missing: nothing is decoded before the next keyframe."""
        self.feed(b"")

    def set_size(self, size_max: Size) -> None:
        """Make pictures that fit into so many pixels from now on."""
        with self._changed:
            self._size_max = size_max

    async def next(self) -> Picture:
        """Return the newest picture that was not returned yet, when there is one.

        For one caller at a time; raises ``asyncio.CancelledError`` after `close`.
        """
        with self._changed:
            awaited = self._awaited
            if awaited is None or awaited.done():
                awaited = self._awaited = self._loop.create_future()
            if self._ended:
                awaited.cancel()
            self._changed.notify()
        return await awaited

    def close(self) -> None:
        """Stop; the thread ends by itself."""
        with self._changed:
            self._ended = True
            self._frames.clear()
            self._changed.notify()
        if self._awaited is not None:
            self._awaited.cancel()

    # --- on the thread ---

    def _run(self) -> None:
        # Not at the top: PyAV takes a moment and 30 MB, which only who watches pays.
        from sidetone.video.decoder import JpegWriter, Vp8Decoder  # noqa: PLC0415

        decoder, writer = Vp8Decoder(), JpegWriter()
        fresh: VideoFrame | None = None
        while True:
            with self._changed:
                while not self._has_work(fresh):
                    self._changed.wait()
                if self._ended:
                    return
                number, encoded = self._frames.popleft() if self._frames else (0, None)
                awaited, size_max = self._awaited, self._size_max
            if encoded is not None:
                fresh = self._decoded(decoder, number, encoded) or fresh
            elif fresh is not None and awaited is not None:
                jpeg, size = writer.write(fresh, size_max)
                fresh = None
                self._soon(_give, awaited, Picture(jpeg, size, self.decoded))
                with self._changed:
                    if self._awaited is awaited:
                        self._awaited = None

    def _has_work(self, fresh: "VideoFrame | None") -> bool:
        wanted = fresh is not None and self._awaited is not None and not self._awaited.done()
        return self._ended or bool(self._frames) or wanted

    def _decoded(self, decoder: "Vp8Decoder", number: int, encoded: bytes) -> "VideoFrame | None":
        try:
            frame = decoder.decode(encoded)
        except VideoError as error:
            _log.debug("a keyframe is needed: %s", error)
            self._soon(self._on_gap, number)
            return None
        self.decoded += frame is not None
        return frame

    def _soon(self, call: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        # The owner's loop may be gone already when a program ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: call(*args, **kwargs))


def _give(awaited: asyncio.Future[Picture], picture: Picture) -> None:
    if not awaited.done():
        awaited.set_result(picture)
