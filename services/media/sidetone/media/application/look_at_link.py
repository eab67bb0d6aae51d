"""See what a page says of itself, once for everybody who asks."""

import asyncio
from collections import OrderedDict

import msgspec
import structlog

from sidetone.bus.tasks import Tasks
from sidetone.media.application.ports import Page, Web
from sidetone.media.domain.bounds import Picture
from sidetone.protocol.refusals import Refusal, Unavailable
from sidetone.runtime.clock import Clock

# An answer on the bus has two seconds, a slow page more: who asks too early comes back.
_PATIENCE_SECONDS = 1.7
_LOOKS_AT_ONCE = 32
_SEEN_MAX = 256
_FOUND_MS = 60 * 60_000
_NOTHING_MS = 10 * 60_000

_log = structlog.get_logger(__name__)


class Sight(msgspec.Struct, frozen=True):
    """A page, and its picture where it has one."""

    page: Page
    picture: Picture | None


class LookAtLink:
    """Looks at a page in the background and remembers it for an hour, by its address.

    However many ask, a page is read once at a time; what was not there is asked for again after
    ten minutes.
    """

    def __init__(self, web: Web, tasks: Tasks, clock: Clock) -> None:
        self._web = web
        self._tasks = tasks
        self._clock = clock
        self._seen: OrderedDict[str, tuple[int, Sight | None]] = OrderedDict()
        self._looking: dict[str, asyncio.Event] = {}

    async def __call__(self, url: str) -> Sight | None:
        """Return what is at *url*. Raises ``Unavailable`` while it is still being looked at."""
        until_ms, sight = self._seen.get(url, (0, None))
        if self._clock.now_ms() < until_ms:
            return sight
        if url not in self._looking:
            if len(self._looking) >= _LOOKS_AT_ONCE:
                raise Unavailable("previews_busy", "too many links are looked at; ask again soon")
            self._looking[url] = asyncio.Event()
            self._tasks.start(self._look(url))
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._looking[url].wait()
        except TimeoutError:
            detail = "the page has not answered yet; ask again in a second"
            raise Unavailable("preview_pending", detail) from None
        return self._seen.get(url, (0, None))[1]

    async def _look(self, url: str) -> None:
        sight = None
        try:
            page = await self._web.page(url)
            if page is not None:
                picture = await self._web.picture(page.picture) if page.picture else None
                sight = Sight(page, picture)
        except Refusal as refusal:
            _log.info("link_not_seen", reason=refusal.code)
        except Exception:
            _log.exception("link_not_seen")
        finally:
            self._remember(url, sight)
            self._looking.pop(url).set()

    def _remember(self, url: str, sight: Sight | None) -> None:
        lifetime_ms = _NOTHING_MS if sight is None else _FOUND_MS
        self._seen.pop(url, None)
        self._seen[url] = (self._clock.now_ms() + lifetime_ms, sight)
        if len(self._seen) > _SEEN_MAX:
            self._seen.popitem(last=False)
