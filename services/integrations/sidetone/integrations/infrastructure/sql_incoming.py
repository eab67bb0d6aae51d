"""Incoming webhooks, in a relational database."""

from collections.abc import Sequence

import msgspec

from sidetone.protocol.ids import ServerId, WebhookId
from sidetone.protocol.integrations import IncomingWebhook
from sidetone.storage import Database

_COLUMNS = "id, server, channel, name, avatar, creator, created_at_ms"


class SqlIncomingWebhooks:
    """One row for each, with the digest of its secret."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, webhook: IncomingWebhook, secret_sha256: bytes, most: int) -> bool:
        """Store a webhook; False: its server has *most* already."""
        return bool(
            await self._database.execute(
                f"""
                INSERT INTO incoming_webhooks ({_COLUMNS}, secret_sha256)
                SELECT :id, :server, :channel, :name, :avatar, :creator, :created_at_ms, :digest
                WHERE (SELECT COUNT(*) FROM incoming_webhooks WHERE server = :server) < :most
                """,  # noqa: S608 - the columns are ours
                msgspec.structs.asdict(webhook) | {"digest": secret_sha256, "most": most},
            )
        )

    async def of(self, server: ServerId) -> Sequence[IncomingWebhook]:
        """Return those of *server*, oldest first."""
        rows = await self._database.fetch(
            f"""
            SELECT {_COLUMNS} FROM incoming_webhooks WHERE server = :server ORDER BY id LIMIT 100
            """,  # noqa: S608
            {"server": server},
        )
        return [IncomingWebhook(*row) for row in rows]  # pyright: ignore[reportArgumentType]  # the columns have these types

    async def find(self, webhook: WebhookId) -> tuple[IncomingWebhook, bytes] | None:
        """Return the webhook with the digest of its secret, if there is one."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS}, secret_sha256 FROM incoming_webhooks WHERE id = :id LIMIT 1",  # noqa: S608
            {"id": webhook},
        )
        if not rows:
            return None
        *row, digest = rows[0]
        return IncomingWebhook(*row), digest  # pyright: ignore[reportArgumentType, reportReturnType]

    async def remove(self, webhook: WebhookId) -> None:
        """Forget the webhook."""
        await self._database.execute(
            "DELETE FROM incoming_webhooks WHERE id = :id", {"id": webhook}
        )

    async def remove_all(self, server: ServerId) -> None:
        """Forget all of a *server* that is no more."""
        await self._database.execute(
            "DELETE FROM incoming_webhooks WHERE server = :server", {"server": server}
        )
