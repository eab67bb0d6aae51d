"""Show what is behind links, after the message was sent."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import structlog

from sidetone.chat.application.media import Media
from sidetone.chat.application.messages import Messages
from sidetone.chat.domain.message import links_to_preview
from sidetone.protocol.files import LinkPreview
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import NotFound, Refusal, Unavailable

WAITING_MAX = 1_000
_AT_ONCE = 4
# A page may take longer than an answer may: asked again, what was found meanwhile is there.
_TRIES_MAX = 4
_ASKED_AGAIN_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PreviewLinks:
    """Asks for previews beside the traffic: a send never waits, and a full queue drops them.

    A preview is an ornament: one that is lost with the process stays lost.
    """

    messages: Messages
    media: Media
    waiting: asyncio.Queue[Message] = field(
        default_factory=lambda: asyncio.Queue[Message](WAITING_MAX)
    )

    def look_at(self, message: Message) -> None:
        """Remember *message* for a preview; where too many wait, it gets none."""
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            _log.warning("previews_dropped", waiting=WAITING_MAX)

    async def work(self) -> None:
        """Preview what is remembered, for as long as the process lives."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            message = await self.waiting.get()
            try:
                await self.preview(message)
            except Refusal as refusal:
                _log.info("preview_refused", code=refusal.code)
            except Exception:
                _log.exception("preview_failed")

    async def preview(self, message: Message) -> None:
        """Store what the links of *message* lead to, unless it says something else by now."""
        asked = [await self._ask(link, message) for link in links_to_preview(message.text)]
        previews = [preview for preview in asked if preview is not None]
        if not previews:
            return
        async with self.messages.change(message.server, message.channel) as change:
            try:
                now = await change.find(message.id)
            except NotFound:
                return
            if now.text == message.text and now.previews != previews:
                await change.save(msgspec.structs.replace(now, previews=previews))

    async def _ask(self, link: str, message: Message) -> LinkPreview | None:
        for attempt in range(_TRIES_MAX):
            if attempt:
                await asyncio.sleep(_ASKED_AGAIN_SECONDS)
            try:
                return await self.media.preview(link, message.channel)
            except Unavailable as later:
                _log.info("preview_waits", code=later.code)
            except Refusal as refusal:
                _log.info("preview_refused", code=refusal.code)
                return None
        return None
