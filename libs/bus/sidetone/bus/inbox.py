"""The queue between a bus and one subscriber: in order, bounded, lossy, and alone.

It never makes a publisher wait and never lets one subscriber see the failure of another.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from sidetone.bus.meters import DROPPED, FAILURES, HANDLE_SECONDS, HANDLED
from sidetone.protocol.events import Event, Origin
from sidetone.telemetry.metrics import Timed
from sidetone.telemetry.origins import continued

INBOX_EVENTS_MAX = 1_000
# A subscriber that stalls misses many events; one line for each thousand tells as much.
_DROPS_PER_LOG_LINE = 1_000

E = TypeVar("E", bound=Event)

log = structlog.get_logger(__name__)


class Inbox(Generic[E]):
    """Events on their way to *handler*, oldest first; a full inbox drops and counts."""

    def __init__(self, kind: type[E], handler: Callable[[E], Awaitable[None]]) -> None:
        self._kind = kind
        self._handler = handler
        self._events: asyncio.Queue[tuple[E, Origin] | None] = asyncio.Queue(INBOX_EVENTS_MAX)
        self._ended = False
        self._dropped = 0
        self._count_dropped = DROPPED.labels(kind.subject)
        self._count_handled = HANDLED.labels(kind.subject)
        self._count_failed = FAILURES.labels(kind.subject)
        self._handle_seconds = HANDLE_SECONDS.labels(kind.subject)

    def offer(self, event: E, origin: Origin) -> None:
        """Take *event* without waiting, or drop it."""
        if not self._events.full():
            self._events.put_nowait((event, origin))
            return
        self._dropped += 1
        self._count_dropped.inc()
        if self._dropped % _DROPS_PER_LOG_LINE == 1:
            log.warning("events_dropped", subject=self._kind.subject, dropped=self._dropped)

    def end(self) -> None:
        """Start no further call of the handler; one that is running may finish."""
        self._ended = True
        if self._events.empty():
            self._events.put_nowait(None)

    async def deliver(self) -> None:
        """Call the handler for one event after the other until the inbox ends."""
        while not self._ended:
            taken = await self._events.get()
            if self._ended or taken is None:
                return
            event, origin = taken
            with continued(origin, f"process {self._kind.subject}"), Timed(self._handle_seconds):
                await self._handle(event)

    async def _handle(self, event: E) -> None:
        try:
            await self._handler(event)
        except Exception:
            self._count_failed.inc()
            log.exception("handler_failed", subject=self._kind.subject)
        except asyncio.CancelledError:
            # Something that the handler waited for was cancelled; only our own end counts.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.warning("handler_cancelled", subject=self._kind.subject)
        else:
            self._count_handled.inc()
