"""Webhooks over HTTP, outgoing and incoming."""

from collections.abc import Sequence
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler

from sidetone.integrations.application.manage_incoming import ManageIncoming
from sidetone.integrations.application.manage_webhooks import ManageWebhooks
from sidetone.integrations.application.post_message import PostMessage
from sidetone.protocol import integrations
from sidetone.protocol.ids import ChannelId, DeliveryId, ServerId, UserId, WebhookId
from sidetone.protocol.integrations import (
    CreateIncomingWebhook,
    CreateWebhook,
    Delivery,
    EditWebhook,
    IncomingWebhook,
    IncomingWebhookUrl,
    Webhook,
    WebhookSecret,
)
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page
from sidetone.runtime.openapi import responses

_TAGS = ["webhooks"]
_SCOPE = "manage"


def webhook_routes(manage: ManageWebhooks) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns webhooks that a server sends."""
    return [*_all(manage), *_one(manage), *_deliveries(manage)]


def _all(manage: ManageWebhooks) -> Sequence[HTTPRouteHandler]:
    @get(
        "/servers/{server:uuid}/webhooks",
        operation_id="list_webhooks",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409),
    )
    async def every(server: UUID, user: UserId) -> Sequence[Webhook]:
        """List where the server sends its public events."""
        return await manage.of(ServerId(server), user)

    @post(
        "/servers/{server:uuid}/webhooks",
        operation_id="create_webhook",
        tags=_TAGS,
        scope=_SCOPE,
        privileged=True,
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateWebhook) -> WebhookSecret:
        """Have public events sent to an address; the answer holds what they are signed with."""
        return await manage.create(ServerId(server), user, data)

    return [every, create]


def _one(manage: ManageWebhooks) -> Sequence[HTTPRouteHandler]:
    @patch(
        "/webhooks/{webhook:uuid}",
        operation_id="edit_webhook",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409, 422),
    )
    async def edit(webhook: UUID, user: UserId, data: EditWebhook) -> Webhook:
        """Change the name, the address or the kinds of events."""
        return await manage.edit(WebhookId(webhook), user, data)

    @post(
        "/webhooks/{webhook:uuid}/secret",
        operation_id="rotate_webhook_secret",
        tags=_TAGS,
        scope=_SCOPE,
        privileged=True,
        responses=responses(404, 409),
    )
    async def rotate(webhook: UUID, user: UserId) -> WebhookSecret:
        """Draw a new secret; the old one signs nothing any more."""
        return await manage.rotate(WebhookId(webhook), user)

    @delete(
        "/webhooks/{webhook:uuid}",
        operation_id="delete_webhook",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409),
    )
    async def remove(webhook: UUID, user: UserId) -> None:
        """Send nothing there any more."""
        await manage.remove(WebhookId(webhook), user)

    return [edit, rotate, remove]


def _deliveries(manage: ManageWebhooks) -> Sequence[HTTPRouteHandler]:
    @get(
        "/webhooks/{webhook:uuid}/deliveries",
        operation_id="list_failed_deliveries",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409, 422),
    )
    async def given_up(webhook: UUID, user: UserId, cursor: str | None = None) -> Page[Delivery]:
        """List the events that could not be delivered, oldest first."""
        return await manage.given_up(WebhookId(webhook), user, cursor)

    @post(
        "/webhooks/{webhook:uuid}/deliveries/{delivery:uuid}/resend",
        operation_id="resend_delivery",
        tags=_TAGS,
        scope=_SCOPE,
        status_code=204,
        responses=responses(404, 409),
    )
    async def again(webhook: UUID, delivery: UUID, user: UserId) -> None:
        """Try to deliver an event anew."""
        await manage.send_again(WebhookId(webhook), DeliveryId(delivery), user)

    return [given_up, again]


def incoming_routes(manage: ManageIncoming, write: PostMessage) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns webhooks that write in a channel."""

    @get(
        "/servers/{server:uuid}/incoming",
        operation_id="list_incoming_webhooks",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409),
    )
    async def every(server: UUID, user: UserId) -> Sequence[IncomingWebhook]:
        """List the webhooks that programs may write by."""
        return await manage.of(ServerId(server), user)

    @post(
        "/channels/{channel:uuid}/incoming",
        operation_id="create_incoming_webhook",
        tags=_TAGS,
        scope=_SCOPE,
        privileged=True,
        responses=responses(404, 409, 422),
    )
    async def create(
        channel: UUID, user: UserId, data: CreateIncomingWebhook
    ) -> IncomingWebhookUrl:
        """Let a program write in a channel by a secret path, which the answer holds."""
        return await manage.create(ChannelId(channel), user, data)

    @delete(
        "/incoming/{webhook:uuid}",
        operation_id="delete_incoming_webhook",
        tags=_TAGS,
        scope=_SCOPE,
        responses=responses(404, 409),
    )
    async def remove(webhook: UUID, user: UserId) -> None:
        """Close the path."""
        await manage.remove(WebhookId(webhook), user)

    @post(
        "/incoming/{webhook:uuid}/{secret:str}",
        operation_id="post_by_webhook",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def say(webhook: UUID, secret: str, data: integrations.PostMessage) -> Message:
        """Write in the channel of the webhook; the path is the permission."""
        return await write(WebhookId(webhook), secret, data)

    return [every, create, remove, say]
