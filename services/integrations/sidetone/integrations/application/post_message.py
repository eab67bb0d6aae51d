"""Write in a channel by the secret path of an incoming webhook."""

import hmac
from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.integrations.application.manage_incoming import digest_of
from sidetone.integrations.application.ports import IncomingWebhooks
from sidetone.integrations.domain.rights import unknown_webhook
from sidetone.integrations.domain.webhook import checked_name
from sidetone.protocol.ids import UserId, WebhookId
from sidetone.protocol.integrations import PostMessage as Wish
from sidetone.protocol.messages import Message, Persona
from sidetone.protocol.questions import WriteMessage
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True, slots=True)
class PostMessage:
    """The path is the permission: it writes in one channel, and can nothing else."""

    webhooks: IncomingWebhooks
    bus: Bus
    pace: Limiter
    clock: Clock

    async def __call__(self, webhook: WebhookId, secret: str, wish: Wish) -> Message:
        """Return what was written. Raises ``Refusal``; a wrong secret is an unknown webhook."""
        known = await self.webhooks.find(webhook)
        if known is None or not hmac.compare_digest(known[1], digest_of(secret)):
            raise unknown_webhook()
        await self.pace.take(webhook.hex)
        found = known[0]
        name = found.name if wish.name is None else checked_name(wish.name)
        return await self.bus.ask(
            WriteMessage(
                found.server,
                found.channel,
                UserId(found.id),
                wish.text,
                wish.nonce or self.clock.new_id().hex,
                Persona(name, found.avatar),
            )
        )
