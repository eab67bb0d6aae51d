"""What the use cases need from outside."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.protocol.commands import Command, Invocation
from sidetone.protocol.ids import (
    CommandId,
    DeliveryId,
    InvocationId,
    ServerId,
    UserId,
    WebhookId,
)
from sidetone.protocol.integrations import Delivery, IncomingWebhook, Webhook
from sidetone.protocol.public import PublicEvent


class Stream(Protocol):
    """Where public events are kept for integrators."""

    async def keep(self, event: PublicEvent) -> None:
        """Keep *event*, once. Raises ``Unavailable``: keep it again."""
        ...


class NoStream:
    """Keeps nothing: a server in one process has no integrators on NATS."""

    async def keep(self, event: PublicEvent) -> None:
        """Forget *event*."""


class Due(msgspec.Struct, frozen=True):
    """A delivery that is to be tried now, with all that it takes."""

    id: DeliveryId
    webhook: WebhookId
    url: str
    secret: bytes
    body: bytes
    attempts: int


class Webhooks(Protocol):
    """The webhooks of servers, and what is on its way to them."""

    async def add(self, webhook: Webhook, secret: bytes, most: int) -> bool:
        """Store a webhook; False: its server has *most* already."""
        ...

    async def of(self, server: ServerId) -> Sequence[Webhook]:
        """Return the webhooks of *server*, oldest first."""
        ...

    async def find(self, webhook: WebhookId) -> Webhook | None:
        """Return the webhook, if there is one."""
        ...

    async def save(self, webhook: Webhook) -> None:
        """Store name, address and events."""
        ...

    async def change_secret(self, webhook: WebhookId, secret: bytes) -> None:
        """Sign what is sent from now on with *secret*."""
        ...

    async def remove(self, webhook: WebhookId) -> None:
        """Forget the webhook and what is on its way to it."""
        ...

    async def remove_all(self, server: ServerId) -> None:
        """Forget all that belongs to a *server* that is no more."""
        ...

    async def queue(
        self, event: PublicEvent, to: Sequence[tuple[WebhookId, DeliveryId]], now_ms: int
    ) -> None:
        """Let *event* be delivered; to who has it already it is not delivered again."""
        ...

    async def take_due(self, now_ms: int, until_ms: int, most: int) -> Sequence[Due]:
        """Return what is due, the oldest first; until *until_ms* it is nobody else's."""
        ...

    async def done(self, delivery: DeliveryId) -> None:
        """Forget what was delivered."""
        ...

    async def failed(self, delivery: DeliveryId, error: str, due_at_ms: int | None) -> None:
        """Try again at *due_at_ms*; None: it is given up."""
        ...

    async def given_up(
        self, webhook: WebhookId, after: DeliveryId | None, most: int
    ) -> Sequence[Delivery]:
        """Return the deliveries that were given up, oldest first, of those *after* one."""
        ...

    async def send_again(self, webhook: WebhookId, delivery: DeliveryId, now_ms: int) -> bool:
        """Let what was given up be tried anew; False: there is no such delivery."""
        ...


class IncomingWebhooks(Protocol):
    """The ways for programs to write without an account."""

    async def add(self, webhook: IncomingWebhook, secret_sha256: bytes, most: int) -> bool:
        """Store a webhook; False: its server has *most* already."""
        ...

    async def of(self, server: ServerId) -> Sequence[IncomingWebhook]:
        """Return those of *server*, oldest first."""
        ...

    async def find(self, webhook: WebhookId) -> tuple[IncomingWebhook, bytes] | None:
        """Return the webhook with the digest of its secret, if there is one."""
        ...

    async def remove(self, webhook: WebhookId) -> None:
        """Forget the webhook."""
        ...

    async def remove_all(self, server: ServerId) -> None:
        """Forget all of a *server* that is no more."""
        ...


class Post(Protocol):
    """Sends bodies to addresses on the public internet."""

    async def __call__(self, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> str:
        """Return what went wrong in a few words; nothing: it was taken."""
        ...


class Commands(Protocol):
    """What bots can be asked."""

    async def replace(self, bot: UserId, commands: Sequence[Command]) -> None:
        """Let *commands* be all of *bot*."""
        ...

    async def of(self, bots: Sequence[UserId]) -> Sequence[Command]:
        """Return the commands of those of *bots* that have some, by name."""
        ...

    async def find(self, command: CommandId) -> Command | None:
        """Return the command, if there is one."""
        ...


class Open(msgspec.Struct, frozen=True):
    """An invocation that waits for its answer: until *due_at_ms*, or *deferred* for longer."""

    invocation: Invocation
    due_at_ms: int
    deferred: bool = False


class Invocations(Protocol):
    """What was asked and not answered yet; losing it loses no fact."""

    async def open(self, open_: Open) -> None:
        """Remember what was asked."""
        ...

    async def find(self, invocation: InvocationId) -> Open | None:
        """Return what was asked, if it waits."""
        ...

    async def answer(self, open_: Open, *, deferred: bool) -> bool:
        """Note that it is answered, or *deferred*; False: it is not as it was any more."""
        ...

    async def end_if_unanswered(self, invocation: InvocationId) -> bool:
        """Return whether nobody has answered; then it is over."""
        ...
