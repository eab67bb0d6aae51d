"""Webhooks over REST, and how a receiver knows that an event is real."""

import hashlib
import hmac
from uuid import UUID

import msgspec

from sidetone.client.requests import Requests
from sidetone.protocol.ids import ChannelId, DeliveryId, FileId, ServerId, WebhookId
from sidetone.protocol.integrations import (
    CreateIncomingWebhook,
    CreateWebhook,
    Delivery,
    EditWebhook,
    IncomingWebhook,
    IncomingWebhookUrl,
    PostMessage,
    Webhook,
    WebhookSecret,
)
from sidetone.protocol.messages import Message
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.refusals import Invalid, Unauthenticated
from sidetone.protocol.requests import Page

# How old an event may be: a copy of an old one must not count.
AGE_SECONDS_MAX = 300


class Webhooks:
    """Where a server sends its public events, and how programs write in its channels."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def of(self, server: ServerId) -> list[Webhook]:
        """Return where *server* sends its events."""
        path = f"/integrations/servers/{server}/webhooks"
        return await self._requests.ask("GET", path, list[Webhook])

    async def create(
        self, server: ServerId, name: str, url: str, events: list[str] | None = None
    ) -> WebhookSecret:
        """Have events sent to *url*, such as ``message.*``; all of them by default."""
        path = f"/integrations/servers/{server}/webhooks"
        body = CreateWebhook(name, url, events or [])
        return await self._requests.ask("POST", path, WebhookSecret, body)

    async def edit(self, webhook: WebhookId, changes: EditWebhook) -> Webhook:
        """Return the webhook with *changes*."""
        path = f"/integrations/webhooks/{webhook}"
        return await self._requests.ask("PATCH", path, Webhook, changes)

    async def rotate(self, webhook: WebhookId) -> WebhookSecret:
        """Return a new secret; the old one signs nothing any more."""
        path = f"/integrations/webhooks/{webhook}/secret"
        return await self._requests.ask("POST", path, WebhookSecret)

    async def delete(self, webhook: WebhookId) -> None:
        """Send nothing there any more."""
        await self._requests.tell("DELETE", f"/integrations/webhooks/{webhook}")

    async def failed(self, webhook: WebhookId, cursor: str | None = None) -> Page[Delivery]:
        """Return a page of what could not be delivered, oldest first."""
        path = f"/integrations/webhooks/{webhook}/deliveries"
        return await self._requests.ask("GET", path, Page[Delivery], query={"cursor": cursor})

    async def resend(self, webhook: WebhookId, delivery: DeliveryId) -> None:
        """Try to deliver an event anew."""
        path = f"/integrations/webhooks/{webhook}/deliveries/{delivery}/resend"
        await self._requests.tell("POST", path)

    async def incoming(self, server: ServerId) -> list[IncomingWebhook]:
        """Return the webhooks that programs write by."""
        path = f"/integrations/servers/{server}/incoming"
        return await self._requests.ask("GET", path, list[IncomingWebhook])

    async def create_incoming(
        self, channel: ChannelId, name: str, avatar: UUID | None = None
    ) -> IncomingWebhookUrl:
        """Let a program write in *channel* by a secret path."""
        path = f"/integrations/channels/{channel}/incoming"
        body = CreateIncomingWebhook(name, None if avatar is None else FileId(avatar))
        return await self._requests.ask("POST", path, IncomingWebhookUrl, body)

    async def delete_incoming(self, webhook: WebhookId) -> None:
        """Close the path."""
        await self._requests.tell("DELETE", f"/integrations/incoming/{webhook}")

    async def post(
        self, path: str, text: str, *, name: str | None = None, nonce: str | None = None
    ) -> Message:
        """Write by the secret *path*; who has it needs no account."""
        body = PostMessage(text, name, nonce)
        return await self._requests.ask_openly("POST", path, Message, body)


def verified(secret: str, signature: str, body: bytes, now_seconds: float) -> PublicEvent:
    """Return the event in *body*, which the header ``Sidetone-Signature`` vouches for.

    Raises ``Unauthenticated`` where it was not signed with *secret* or is an old copy, and
    ``Invalid`` for what cannot be read.
    """
    parts: dict[str, str] = {}
    for part in signature.split(","):
        name, _, value = part.partition("=")
        parts[name] = value
    at = parts.get("t", "")
    wanted = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    given = parts.get("v1", "").encode()
    if not hmac.compare_digest(wanted.encode(), given):
        raise Unauthenticated("signature_wrong", "this was not signed with the webhook's secret")
    if abs(now_seconds - int(at)) > AGE_SECONDS_MAX:
        raise Unauthenticated("signature_old", "this is old; check the clock of this machine")
    try:
        return msgspec.json.decode(body, type=PublicEvent)
    except msgspec.MsgspecError as error:
        raise Invalid("event_malformed", f"the event cannot be read: {error}") from error
