"""Set up ways for programs to write in a channel without an account."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sidetone.bus import Bus
from sidetone.integrations.application.ports import IncomingWebhooks
from sidetone.integrations.domain.rights import (
    channel_to_write_in,
    require_webhooks,
    unknown_channel,
    unknown_webhook,
)
from sidetone.integrations.domain.webhook import WEBHOOKS_PER_SERVER_MAX, checked_name
from sidetone.protocol.ids import ChannelId, FileId, ServerId, UserId, WebhookId
from sidetone.protocol.integrations import (
    CreateIncomingWebhook,
    IncomingWebhook,
    IncomingWebhookUrl,
)
from sidetone.protocol.questions import ClaimFiles, DescribeChannel, DropFiles, NoteDeed
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities

_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ManageIncoming:
    """Make, list and remove incoming webhooks."""

    webhooks: IncomingWebhooks
    communities: Communities
    bus: Bus
    clock: Clock

    async def create(
        self, channel: ChannelId, user: UserId, wish: CreateIncomingWebhook
    ) -> IncomingWebhookUrl:
        """Return the webhook and its path, which nobody is told again. Raises ``Refusal``."""
        server = await self._server_of(channel, user)
        name = checked_name(wish.name)
        webhook = IncomingWebhook(
            WebhookId(self.clock.new_id()),
            server,
            channel,
            name,
            wish.avatar,
            user,
            self.clock.now_ms(),
        )
        if len(await self.webhooks.of(server)) >= WEBHOOKS_PER_SERVER_MAX:
            raise _too_many()
        if wish.avatar is not None:
            await self.bus.ask(ClaimFiles(user, "avatar", [wish.avatar]))
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        added = False
        try:
            await self._note(user, "incoming_webhook.create", webhook)
            added = await self.webhooks.add(webhook, digest_of(secret), WEBHOOKS_PER_SERVER_MAX)
        finally:
            if not added:
                await self._drop(wish.avatar)
        if not added:
            raise _too_many()
        return IncomingWebhookUrl(webhook, f"/integrations/incoming/{webhook.id}/{secret}")

    async def of(self, server: ServerId, user: UserId) -> Sequence[IncomingWebhook]:
        """Return those of *server*, without their secrets. Raises ``Refusal``."""
        await self._require(server, user)
        return await self.webhooks.of(server)

    async def remove(self, webhook: WebhookId, user: UserId) -> None:
        """Remove the webhook; its path opens nothing any more. Raises ``Refusal``."""
        found = await self.webhooks.find(webhook)
        if found is None:
            raise unknown_webhook()
        try:
            await self._require(found[0].server, user)
        except NotFound:
            raise unknown_webhook() from None
        await self._note(user, "incoming_webhook.delete", found[0])
        await self.webhooks.remove(webhook)
        await self._drop(found[0].avatar)

    async def _server_of(self, channel: ChannelId, user: UserId) -> ServerId:
        """Return the server of *channel*, which *user* sees and may manage webhooks in."""
        server = (await self.bus.ask(DescribeChannel(channel))).server.id
        community = await self.communities.get(server)
        if user not in community.members:
            raise unknown_channel()
        channel_to_write_in(community, user, channel)
        require_webhooks(community, user, self.clock.now_ms())
        return server

    async def _require(self, server: ServerId, user: UserId) -> None:
        require_webhooks(await self.communities.get(server), user, self.clock.now_ms())

    async def _note(self, user: UserId, action: str, webhook: IncomingWebhook) -> None:
        named = {"name": webhook.name}
        await self.bus.ask(NoteDeed(webhook.server, user, action, webhook.id, after=named))

    async def _drop(self, avatar: FileId | None) -> None:
        if avatar is not None:
            await self.bus.ask(DropFiles([avatar]))


def _too_many() -> Conflict:
    return Conflict(
        "webhooks_too_many",
        f"a server has at most {WEBHOOKS_PER_SERVER_MAX} incoming webhooks; remove one",
    )


def digest_of(secret: str) -> bytes:
    """Return what is kept of *secret*; it is random, so that one digest is enough."""
    return hashlib.sha256(secret.encode()).digest()
