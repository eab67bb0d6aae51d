"""Send to webhooks what waits for them."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import structlog

from sidetone.integrations.application.ports import Due, Post, Webhooks
from sidetone.integrations.domain.webhook import ATTEMPTS_MAX, pause_ms, signature
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock

# Deliveries that one process takes at once; those of one webhook go one after the other.
TAKEN_MAX: Final = 64
# Until then a delivery is its process's; one that died leaves it to another.
LEASE_MS: Final = 900_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeliverEvents:
    """Tries what is due, in as many processes as there are; each delivery is one's alone."""

    webhooks: Webhooks
    post: Post
    clock: Clock
    queued: asyncio.Event
    poll_seconds: float
    chance: Callable[[], float] = random.random

    async def work(self) -> None:
        """Deliver for as long as the process lives."""
        while True:
            try:
                while await self():
                    pass
            except Unavailable as unavailable:
                log.warning("deliveries_wait", reason=unavailable.detail)
            except Exception:
                log.exception("deliveries_wait")
            await self._something_queued()

    async def __call__(self) -> int:
        """Try what is due now, and return how much that was. Raises ``Unavailable``."""
        now_ms = self.clock.now_ms()
        due = await self.webhooks.take_due(now_ms, now_ms + LEASE_MS, TAKEN_MAX)
        by_webhook = groupby(sorted(due, key=_of_webhook), _of_webhook)
        await asyncio.gather(*(self._deliver_all(list(some)) for _, some in by_webhook))
        return len(due)

    async def _deliver_all(self, deliveries: Sequence[Due]) -> None:
        for delivery in deliveries:
            await self._deliver(delivery)

    async def _deliver(self, delivery: Due) -> None:
        now_ms = self.clock.now_ms()
        headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Sidetone webhook"),
            ("Sidetone-Delivery", str(delivery.id)),
            ("Sidetone-Signature", signature(delivery.secret, now_ms // 1_000, delivery.body)),
        ]
        error = await self.post(delivery.url, delivery.body, headers)
        if not error:
            await self.webhooks.done(delivery.id)
            return
        attempts = delivery.attempts + 1
        given_up = attempts >= ATTEMPTS_MAX
        due_at_ms = None if given_up else now_ms + pause_ms(attempts, self.chance())
        await self.webhooks.failed(delivery.id, error, due_at_ms)
        log.info("delivery_failed", webhook=str(delivery.webhook), given_up=given_up, error=error)

    async def _something_queued(self) -> None:
        """Wait until this process queues an event, or until it is time to look by itself."""
        try:
            async with asyncio.timeout(self.poll_seconds):
                await self.queued.wait()
        except TimeoutError:
            pass
        self.queued.clear()


def _of_webhook(delivery: Due) -> str:
    return delivery.webhook.hex
