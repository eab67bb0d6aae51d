"""Webhooks and slash commands: how other people's programs hear of a server, and speak in it."""

import msgspec

from sidetone.protocol.ids import ChannelId, DeliveryId, FileId, ServerId, UserId, WebhookId
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.requests import Answer, Body

# --- Webhooks: a server tells a program ---


class CreateWebhook(Body, frozen=True):
    """``POST /integrations/servers/{server}/webhooks``.

    *events* are kinds such as ``message.sent`` or ``message.*``; an empty list is all of them.
    """

    name: str
    url: str
    events: list[str] = []


class EditWebhook(Body, frozen=True):
    """``PATCH /integrations/webhooks/{webhook}``: what is absent stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    url: str | msgspec.UnsetType = msgspec.UNSET
    events: list[str] | msgspec.UnsetType = msgspec.UNSET


class Webhook(Answer, frozen=True):
    """Where public events of a server are sent to; who made it, and when."""

    id: WebhookId
    server: ServerId
    name: str
    url: str
    events: list[str]
    creator: UserId
    created_at_ms: int


class WebhookSecret(Answer, frozen=True):
    """A webhook with the *secret* that its deliveries are signed with, shown this one time."""

    webhook: Webhook
    secret: str


class Delivery(Answer, frozen=True):
    """A delivery that was given up: how often it was tried, and what the last answer was."""

    id: DeliveryId
    webhook: WebhookId
    attempts: int
    error: str
    event: PublicEvent


# --- Incoming webhooks: a program tells a channel ---


class CreateIncomingWebhook(Body, frozen=True):
    """``POST /integrations/channels/{channel}/incoming``.

    *avatar* is a picture that was uploaded as one.
    """

    name: str
    avatar: FileId | None = None


class IncomingWebhook(Answer, frozen=True):
    """A way for a program to write in a channel without an account."""

    id: WebhookId
    server: ServerId
    channel: ChannelId
    name: str
    avatar: FileId | None
    creator: UserId
    created_at_ms: int


class IncomingWebhookUrl(Answer, frozen=True):
    """An incoming webhook with its *path*, which is the permission to write; shown once."""

    webhook: IncomingWebhook
    path: str


class PostMessage(Body, frozen=True):
    """``POST /integrations/incoming/{webhook}/{secret}``.

    *name* stands for the webhook's own this one time. The same *nonce* is the same message.
    """

    text: str
    name: str | None = None
    nonce: str | None = None
