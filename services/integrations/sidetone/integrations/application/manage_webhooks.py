"""Set up where the public events of a server are sent to."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from sidetone.bus import Bus
from sidetone.integrations.application.ports import Webhooks
from sidetone.integrations.domain.rights import require_webhooks, unknown_webhook
from sidetone.integrations.domain.webhook import (
    WEBHOOKS_PER_SERVER_MAX,
    checked_events,
    checked_name,
    checked_url,
)
from sidetone.protocol.ids import DeliveryId, ServerId, UserId, WebhookId
from sidetone.protocol.integrations import (
    CreateWebhook,
    Delivery,
    EditWebhook,
    Webhook,
    WebhookSecret,
)
from sidetone.protocol.questions import NoteDeed
from sidetone.protocol.refusals import Conflict, Invalid, NotFound
from sidetone.protocol.requests import Page
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities

SECRET_PREFIX: Final = "sthook_"  # noqa: S105 - what all of them begin with
_SECRET_BYTES: Final = 32
_PAGE_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class ManageWebhooks:
    """Make, change and remove webhooks; see what did not arrive, and send it again."""

    webhooks: Webhooks
    communities: Communities
    bus: Bus
    clock: Clock

    async def create(self, server: ServerId, user: UserId, wish: CreateWebhook) -> WebhookSecret:
        """Return the webhook and its secret, which nobody is told again. Raises ``Refusal``."""
        await self._require(server, user)
        webhook = Webhook(
            WebhookId(self.clock.new_id()),
            server,
            checked_name(wish.name),
            checked_url(wish.url),
            checked_events(wish.events),
            user,
            self.clock.now_ms(),
        )
        if len(await self.webhooks.of(server)) >= WEBHOOKS_PER_SERVER_MAX:
            raise _too_many()
        await self._note(user, "webhook.create", webhook, after=_fields(webhook))
        secret = _new_secret()
        if not await self.webhooks.add(webhook, secret.encode(), WEBHOOKS_PER_SERVER_MAX):
            raise _too_many()
        return WebhookSecret(webhook, secret)

    async def of(self, server: ServerId, user: UserId) -> Sequence[Webhook]:
        """Return the webhooks of *server*, without their secrets. Raises ``Refusal``."""
        await self._require(server, user)
        return await self.webhooks.of(server)

    async def edit(self, webhook: WebhookId, user: UserId, changes: EditWebhook) -> Webhook:
        """Return the webhook as it is then. Raises ``Refusal``."""
        before = await self._own(webhook, user)
        after = before
        if isinstance(changes.name, str):
            after = msgspec.structs.replace(after, name=checked_name(changes.name))
        if isinstance(changes.url, str):
            after = msgspec.structs.replace(after, url=checked_url(changes.url))
        if isinstance(changes.events, list):
            after = msgspec.structs.replace(after, events=checked_events(changes.events))
        if after != before:
            await self._note(user, "webhook.edit", after, _fields(before), _fields(after))
            await self.webhooks.save(after)
        return after

    async def rotate(self, webhook: WebhookId, user: UserId) -> WebhookSecret:
        """Return a new secret; what is sent from now on is signed with it. Raises ``Refusal``."""
        found = await self._own(webhook, user)
        await self._note(user, "webhook.new_secret", found, after={"name": found.name})
        secret = _new_secret()
        await self.webhooks.change_secret(webhook, secret.encode())
        return WebhookSecret(found, secret)

    async def remove(self, webhook: WebhookId, user: UserId) -> None:
        """Remove the webhook; what is on its way is dropped. Raises ``Refusal``."""
        found = await self._own(webhook, user)
        await self._note(user, "webhook.delete", found, before=_fields(found))
        await self.webhooks.remove(webhook)

    async def given_up(
        self, webhook: WebhookId, user: UserId, cursor: str | None
    ) -> Page[Delivery]:
        """Return the deliveries that were given up, oldest first. Raises ``Refusal``."""
        await self._own(webhook, user)
        found = await self.webhooks.given_up(webhook, _after(cursor), _PAGE_MAX)
        return Page(list(found), found[-1].id.hex if len(found) == _PAGE_MAX else None)

    async def send_again(self, webhook: WebhookId, delivery: DeliveryId, user: UserId) -> None:
        """Try what was given up anew, from the first try on. Raises ``Refusal``."""
        await self._own(webhook, user)
        if not await self.webhooks.send_again(webhook, delivery, self.clock.now_ms()):
            raise NotFound("delivery_unknown", "there is no such delivery that was given up")

    async def _note(
        self,
        user: UserId,
        action: str,
        webhook: Webhook,
        before: dict[str, str] | None = None,
        after: dict[str, str] | None = None,
    ) -> None:
        """Note it before it is done: a webhook that nobody knows of would be worse."""
        deed = NoteDeed(webhook.server, user, action, webhook.id, before or {}, after or {})
        await self.bus.ask(deed)

    async def _require(self, server: ServerId, user: UserId) -> None:
        require_webhooks(await self.communities.get(server), user, self.clock.now_ms())

    async def _own(self, webhook: WebhookId, user: UserId) -> Webhook:
        """Return the webhook, which *user* may manage: to strangers it does not exist."""
        found = await self.webhooks.find(webhook)
        if found is None:
            raise unknown_webhook()
        try:
            await self._require(found.server, user)
        except NotFound:
            raise unknown_webhook() from None
        return found


def _too_many() -> Conflict:
    return Conflict(
        "webhooks_too_many",
        f"a server has at most {WEBHOOKS_PER_SERVER_MAX} webhooks; remove one",
    )


def _fields(webhook: Webhook) -> dict[str, str]:
    """Return what is told in the audit log; the rest of a URL may be a secret."""
    return {
        "name": webhook.name,
        "host": urlsplit(webhook.url).hostname or "",
        "events": ", ".join(webhook.events),
    }


def _new_secret() -> str:
    return SECRET_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def _after(cursor: str | None) -> DeliveryId | None:
    try:
        return None if cursor is None else DeliveryId(UUID(cursor))
    except ValueError:
        raise Invalid("cursor_unusable", "use the cursor of the page before") from None
