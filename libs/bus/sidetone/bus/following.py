"""How a follower of a journal is told one fact, alike in every journal."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sidetone.protocol.events import Fact
from sidetone.protocol.refusals import Unavailable

# How long a journal remembers an id, and leaves out its repetition.
REPEATS_SECONDS = 120.0
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def tell(handler: Callable[[Fact], Awaitable[None]], fact: Fact) -> None:
    """Call *handler* until it has taken *fact*.

    What it needs may be away for a while: after ``Unavailable`` it is called again. Any other
    exception is a bug of the handler; it is logged, and one fact may not stop all that follow.
    """
    while True:
        try:
            await handler(fact)
        except Unavailable as unavailable:
            log.warning("follower_waits", fact=str(fact.id), reason=unavailable.detail)
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            log.exception("follower_failed", fact=str(fact.id), kind=type(fact.event).__name__)
            return
        except asyncio.CancelledError:
            # Something that the handler waited for was cancelled; only our own end counts.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.warning("follower_cancelled", fact=str(fact.id))
            return
        else:
            return
