"""How a follower of a journal is told one fact, alike in every journal."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from sidetone.bus.meters import (
    FACT_DELAY,
    FACT_FAILURES,
    FACT_RETRIES,
    FACT_SECONDS,
    FACTS_HANDLED,
    PENDING,
    name_of,
)
from sidetone.protocol.events import Fact
from sidetone.protocol.refusals import Unavailable
from sidetone.telemetry.metrics import age_seconds
from sidetone.telemetry.origins import continued

# How long a journal remembers an id, and leaves out its repetition.
REPEATS_SECONDS = 120.0
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Telling:
    """Tells one follower, and counts what became of it."""

    def __init__(self, handler: Callable[[Fact], Awaitable[None]]) -> None:
        self._handler = handler
        follower = name_of(handler)
        self._handled = FACTS_HANDLED.labels(follower)
        self._failures = FACT_FAILURES.labels(follower)
        self._retries = FACT_RETRIES.labels(follower)
        self._seconds = FACT_SECONDS.labels(follower)
        self._delay = FACT_DELAY.labels(follower)
        self._pending = PENDING.labels(follower)

    async def __call__(self, fact: Fact, pending: int) -> None:
        """Call the handler until it has taken *fact*; *pending* others wait behind it.

        What it needs may be away for a while: after ``Unavailable`` it is called again. Any other
        exception is a bug of the handler; it is logged, and one fact may not stop all that follow.
        """
        self._pending.set(pending)
        self._delay.observe(age_seconds(fact.id))
        began = time.perf_counter()
        with continued(fact.origin, f"process {fact.event.__struct_config__.tag}"):
            while not await self._try(fact):
                self._retries.inc()
                await asyncio.sleep(RETRY_SECONDS)
        self._seconds.observe(time.perf_counter() - began)

    async def _try(self, fact: Fact) -> bool:
        """Return whether that was the end of it."""
        try:
            await self._handler(fact)
        except Unavailable as unavailable:
            log.warning("follower_waits", fact=str(fact.id), reason=unavailable.detail)
            return False
        except Exception:
            self._failures.inc()
            log.exception("follower_failed", fact=str(fact.id), kind=type(fact.event).__name__)
        except asyncio.CancelledError:
            # Something that the handler waited for was cancelled; only our own end counts.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.warning("follower_cancelled", fact=str(fact.id))
        else:
            self._handled.inc()
        return True
