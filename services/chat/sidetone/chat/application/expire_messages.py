"""Let go of messages that are older than their server keeps them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import structlog

from sidetone.chat.application.messages import Messages
from sidetone.chat.application.retention import Kept, Retention
from sidetone.chat.domain.audit import OPERATOR
from sidetone.chat.domain.reading import id_at
from sidetone.protocol.ids import ChannelId, MessageId, ServerId
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.clock import Clock

DAY_MS = 24 * 3_600_000

_EVERY_SECONDS = 3_600.0
_AT_ONCE = 100
_SERVERS_AT_ONCE = 200
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ExpireMessages:
    """Deletes as moderators do: attachments go too, members are told, the index forgets.

    Everything is found by looking, so whoever dies in between loses nothing, and two at once do
    some of it twice. A platform that keeps messages for ever has *platform_days* of zero.
    """

    retention: Retention
    messages: Messages
    clock: Clock
    platform_days: int

    async def work(self) -> None:
        """Do it every hour, for as long as the process lives."""
        while True:
            try:
                deleted = await self()
                if deleted:
                    _log.info("messages_expired", messages=deleted)
            except Refusal as refusal:
                _log.warning("retention_waits", code=refusal.code)
            except Exception:
                _log.exception("retention_failed")
            await asyncio.sleep(_EVERY_SECONDS)

    async def __call__(self) -> int:
        """Delete what is due at this moment; return how much. Raises ``Unavailable``."""
        deleted = 0
        async for kept in self._kept():
            for channel in await self.retention.channels(kept.server):
                deleted += await self._clear(kept.server, channel, self._oldest(kept))
        return deleted

    async def due(self) -> AsyncGenerator[tuple[Kept, int], None]:
        """Yield each server that has something to let go, and how many messages it is."""
        async for kept in self._kept():
            count = 0
            for channel in await self.retention.channels(kept.server):
                count += await self.retention.count(channel, self._oldest(kept))
            if count:
                yield kept, count

    async def _kept(self) -> AsyncGenerator[Kept, None]:
        after = None
        while page := await self.retention.page(self.platform_days, after, _SERVERS_AT_ONCE):
            for kept in page:
                yield kept
            after = page[-1].server

    def _oldest(self, kept: Kept) -> MessageId:
        """Return the id before which messages go."""
        return id_at(self.clock.now_ms() - kept.days * DAY_MS)

    async def _clear(self, server: ServerId, channel: ChannelId, before: MessageId) -> int:
        deleted = 0
        while True:
            found = await self.messages.after(channel, id_at(0), _AT_ONCE, OPERATOR)
            old = [message.id for message in found if message.id < before]
            if not old:
                return deleted
            async with self.messages.change(server, channel) as change:
                await change.remove(await change.find_all(old))
            deleted += len(old)
