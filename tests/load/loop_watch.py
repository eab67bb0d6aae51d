"""Watches an event loop: which calls hold it for long, and where they are meanwhile.

What counts is the processor time of the loop's thread: a machine that is busy with others makes
nothing here slower. It stands in the way of every call, so that it is for measurements alone.
"""

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType
from typing import Any, Final

import msgspec

# No call of an interface may be longer, or a picture is left out.
LONG_MILLISECONDS: Final = 16.0
_SAMPLE_SECONDS: Final = 0.003
_FRAMES_MAX: Final = 5


class LongCall(msgspec.Struct, frozen=True):
    """One call of the loop: what it was, and where it was seen most, innermost first."""

    milliseconds: float
    what: str
    where: str


class LoopWatch:
    """Tells *said*, on a thread of its own, of each call that is too long."""

    def __init__(self, said: Callable[[LongCall], None]) -> None:
        self._said = said
        self._watched = threading.get_ident()
        self._began = 0.0
        self._seen: Counter[str] = Counter()
        self._found: SimpleQueue[LongCall] = SimpleQueue()

    def start(self) -> None:
        """Watch the loops of this thread until the process ends."""
        run: Callable[[asyncio.Handle], None] = vars(asyncio.Handle)["_run"]

        def watched(handle: asyncio.Handle) -> None:
            self._seen.clear()
            began = time.thread_time()
            self._began = time.perf_counter()
            try:
                run(handle)
            finally:
                self._began = 0.0
                self._note(handle, (time.thread_time() - began) * 1000)

        setattr(asyncio.Handle, "_run", watched)  # noqa: B010 (it has no other name)
        for work in (self._look, self._tell):
            threading.Thread(target=work, daemon=True).start()

    def _note(self, handle: asyncio.Handle, milliseconds: float) -> None:
        if milliseconds >= LONG_MILLISECONDS:
            where = self._seen.most_common(1)
            self._found.put(
                LongCall(round(milliseconds, 1), _name(handle), where[0][0] if where else "")
            )

    def _tell(self) -> None:
        while True:
            self._said(self._found.get())

    def _look(self) -> None:
        while True:
            time.sleep(_SAMPLE_SECONDS)
            began = self._began
            if began and time.perf_counter() - began > _SAMPLE_SECONDS:
                frames = sys._current_frames()
                self._seen[_place(frames.get(self._watched))] += 1


def _place(frame: FrameType | None) -> str:
    """Return where a thread is: the innermost of its frames that are ours, and who is called."""
    found: list[str] = []
    while frame is not None and len(found) < _FRAMES_MAX:
        file = frame.f_code.co_filename
        if "/sidetone/" in file or not found:
            name = file.rpartition("/")[2].removesuffix(".py")
            found.append(f"{name}.{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


def _name(handle: asyncio.Handle) -> str:
    callback: Any = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return str(getattr(task.get_coro(), "__qualname__", task))
    return str(getattr(callback, "__qualname__", callback))
