"""Webhooks and their deliveries, in a relational database."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import msgspec

from sidetone.integrations.application.ports import Due
from sidetone.integrations.domain.webhook import DELIVERIES_MAX
from sidetone.protocol.ids import DeliveryId, ServerId, WebhookId
from sidetone.protocol.integrations import Delivery, Webhook
from sidetone.protocol.public import PublicEvent
from sidetone.storage import Database, Row

_COLUMNS = "id, server, name, url, events, creator, created_at_ms"
# Before all ids.
_FIRST = UUID(int=0)
_TAKE = """
UPDATE deliveries SET due_at_ms = :until_ms WHERE id = :id AND due_at_ms = :due_at_ms
"""


class SqlWebhooks:
    """One row for each webhook, and one for each event that has not arrived there yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, webhook: Webhook, secret: bytes, most: int) -> bool:
        """Store a webhook; False: its server has *most* already."""
        return bool(
            await self._database.execute(
                f"""
                INSERT INTO webhooks ({_COLUMNS}, secret)
                SELECT :id, :server, :name, :url, :events, :creator, :created_at_ms, :secret
                WHERE (SELECT COUNT(*) FROM webhooks WHERE server = :server) < :most
                """,  # noqa: S608 - the columns are ours
                _values(webhook) | {"secret": secret, "most": most},
            )
        )

    async def of(self, server: ServerId) -> Sequence[Webhook]:
        """Return the webhooks of *server*, oldest first."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM webhooks WHERE server = :server ORDER BY id LIMIT 100",  # noqa: S608
            {"server": server},
        )
        return [_webhook(row) for row in rows]

    async def find(self, webhook: WebhookId) -> Webhook | None:
        """Return the webhook, if there is one."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM webhooks WHERE id = :id LIMIT 1",  # noqa: S608
            {"id": webhook},
        )
        return _webhook(rows[0]) if rows else None

    async def save(self, webhook: Webhook) -> None:
        """Store name, address and events."""
        await self._database.execute(
            "UPDATE webhooks SET name = :name, url = :url, events = :events WHERE id = :id",
            {name: _values(webhook)[name] for name in ("id", "name", "url", "events")},
        )

    async def change_secret(self, webhook: WebhookId, secret: bytes) -> None:
        """Sign what is sent from now on with *secret*."""
        await self._database.execute(
            "UPDATE webhooks SET secret = :secret WHERE id = :id",
            {"id": webhook, "secret": secret},
        )

    async def remove(self, webhook: WebhookId) -> None:
        """Forget the webhook and what is on its way to it."""
        async with self._database.transaction() as rows:
            await rows.execute("DELETE FROM webhooks WHERE id = :id", {"id": webhook})
            await rows.execute("DELETE FROM deliveries WHERE webhook = :id", {"id": webhook})

    async def remove_all(self, server: ServerId) -> None:
        """Forget all that belongs to a *server* that is no more."""
        for webhook in await self.of(server):
            await self.remove(webhook.id)

    async def queue(
        self, event: PublicEvent, to: Sequence[tuple[WebhookId, DeliveryId]], now_ms: int
    ) -> None:
        """Let *event* be delivered; to who has it already it is not delivered again.

        One that takes nothing for long has its bound: what is beyond it is dropped.
        """
        body = msgspec.json.encode(event)
        await self._database.execute_many(
            """
            INSERT INTO deliveries (id, webhook, fact, event, attempts, due_at_ms, error)
            SELECT :id, :webhook, :fact, :event, 0, :now_ms, ''
            WHERE (SELECT COUNT(*) FROM deliveries WHERE webhook = :webhook) < :most
            ON CONFLICT DO NOTHING
            """,
            [
                {
                    "id": delivery,
                    "webhook": webhook,
                    "fact": event.id,
                    "event": body,
                    "now_ms": now_ms,
                    "most": DELIVERIES_MAX,
                }
                for webhook, delivery in to
            ],
        )

    async def take_due(self, now_ms: int, until_ms: int, most: int) -> Sequence[Due]:
        """Return what is due, the oldest first; until *until_ms* it is nobody else's.

        Two processes may read the same row; the statement that takes it counts for one of them.
        """
        rows = await self._database.fetch(
            """
            SELECT deliveries.id, webhooks.id, url, secret, event, attempts, due_at_ms
            FROM deliveries JOIN webhooks ON webhooks.id = deliveries.webhook
            WHERE due_at_ms <= :now_ms ORDER BY due_at_ms, deliveries.id LIMIT :most
            """,
            {"now_ms": now_ms, "most": most},
        )
        taken: list[Due] = []
        for *row, due_at_ms in rows:
            values = {"id": row[0], "due_at_ms": due_at_ms, "until_ms": until_ms}
            if await self._database.execute(_TAKE, values):
                taken.append(Due(*row))  # pyright: ignore[reportArgumentType]
        return taken

    async def done(self, delivery: DeliveryId) -> None:
        """Forget what was delivered."""
        await self._database.execute("DELETE FROM deliveries WHERE id = :id", {"id": delivery})

    async def failed(self, delivery: DeliveryId, error: str, due_at_ms: int | None) -> None:
        """Try again at *due_at_ms*; None: it is given up."""
        await self._database.execute(
            """
            UPDATE deliveries SET attempts = attempts + 1, error = :error, due_at_ms = :due_at_ms
            WHERE id = :id
            """,
            {"id": delivery, "error": error, "due_at_ms": due_at_ms},
        )

    async def given_up(
        self, webhook: WebhookId, after: DeliveryId | None, most: int
    ) -> Sequence[Delivery]:
        """Return the deliveries that were given up, oldest first, of those *after* one."""
        rows = await self._database.fetch(
            """
            SELECT id, webhook, attempts, error, event FROM deliveries
            WHERE webhook = :webhook AND due_at_ms IS NULL AND id > :after
            ORDER BY id LIMIT :most
            """,
            {"webhook": webhook, "after": after or _FIRST, "most": most},
        )
        return [_delivery(row) for row in rows]

    async def send_again(self, webhook: WebhookId, delivery: DeliveryId, now_ms: int) -> bool:
        """Let what was given up be tried anew; False: there is no such delivery."""
        return bool(
            await self._database.execute(
                """
                UPDATE deliveries SET attempts = 0, due_at_ms = :now_ms
                WHERE id = :id AND webhook = :webhook AND due_at_ms IS NULL
                """,
                {"id": delivery, "webhook": webhook, "now_ms": now_ms},
            )
        )


def _values(webhook: Webhook) -> dict[str, Any]:
    return msgspec.structs.asdict(webhook) | {"events": " ".join(webhook.events)}


def _webhook(row: Row) -> Webhook:
    values = list(row)
    values[4] = str(values[4]).split()
    return Webhook(*values)  # pyright: ignore[reportArgumentType]  # the columns have these types


def _delivery(row: Row) -> Delivery:
    *known, event = row
    decoded = msgspec.json.decode(cast("bytes", event), type=PublicEvent)
    return Delivery(*known, event=decoded)  # pyright: ignore[reportArgumentType]  # the columns have these types
