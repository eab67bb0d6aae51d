"""Tell other people's programs what happened in public."""

import asyncio
from dataclasses import dataclass

from sidetone.integrations.application.ports import IncomingWebhooks, Stream, Webhooks
from sidetone.integrations.domain.publicity import public_event, server_of
from sidetone.integrations.domain.webhook import wants
from sidetone.protocol.events import Fact, ServerChanged
from sidetone.protocol.ids import DeliveryId
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities


@dataclass(frozen=True, slots=True)
class TellPublic:
    """Hears each fact at least once; what it hands on is known by the fact's id.

    One process at a time hears a fact, so each keeps up with servers by itself as well. *queued*
    wakes who delivers.
    """

    communities: Communities
    stream: Stream
    webhooks: Webhooks
    incoming: IncomingWebhooks
    clock: Clock
    queued: asyncio.Event

    async def keep_up(self, fact: Fact) -> None:
        """Know how servers stand. Raises ``Unavailable``: hear it again."""
        if isinstance(fact.event, ServerChanged):
            await self.communities.hear(fact.event)

    async def __call__(self, fact: Fact) -> None:
        """Hand *fact* on if it is public. Raises ``Unavailable``: hear it again."""
        server = server_of(fact)
        if server is None:
            return
        before = self.communities.held(server)
        await self.keep_up(fact)
        try:
            community = await self.communities.get(server)
        except NotFound:
            # It was deleted: what it was before says whether that is public.
            community = before
        event = None if community is None else public_event(fact, community)
        if event is not None:
            await self.stream.keep(event)
            await self._queue(event)
        if isinstance(fact.event, ServerChanged) and fact.event.deleted:
            await self.webhooks.remove_all(server)
            await self.incoming.remove_all(server)

    async def _queue(self, event: PublicEvent) -> None:
        wanting = [
            (webhook.id, DeliveryId(self.clock.new_id()))
            for webhook in await self.webhooks.of(event.server)
            if wants(webhook.events, event.kind)
        ]
        if wanting:
            await self.webhooks.queue(event, wanting, self.clock.now_ms())
            self.queued.set()
