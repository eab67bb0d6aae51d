"""Ticket keys and watermarks in a relational database: one text for SQLite and PostgreSQL."""

from collections.abc import Sequence

import msgspec
from nacl.signing import SigningKey

from sidetone.credentials import tickets
from sidetone.credentials.tickets import Ticket
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.storage import Database

# A ticket lives 30 seconds; the rest is for units that lost their bus and came back.
MEMORY_MS = 10 * 60_000
# About half a megabyte on the bus.
_RECENT_MAX = 5_000


class SqlTicketKeys:
    """The keys as they were when the service started."""

    def __init__(self, keys: dict[int, SigningKey]) -> None:
        self._keys = keys
        self._kid = max(keys)

    @classmethod
    async def open(cls, database: Database, now_ms: int) -> "SqlTicketKeys":
        """Read the keys; the first service that ever starts makes the first one.

        Services that start at once agree, since all of them offer a key for the same place and
        then read who got it.
        """
        await database.execute(
            """
            INSERT INTO ticket_keys (kid, seed, created_at_ms) VALUES (1, :seed, :now_ms)
            ON CONFLICT (kid) DO NOTHING
            """,
            {"seed": bytes(SigningKey.generate()), "now_ms": now_ms},
        )
        rows = await database.fetch("SELECT kid, seed FROM ticket_keys LIMIT 255", {})
        return cls({kid: SigningKey(seed) for kid, seed in msgspec.convert(rows, list[_KeyRow])})

    @property
    def kid(self) -> int:
        """Return the number of the key that signs now: the greatest."""
        return self._kid

    def sign(self, ticket: Ticket) -> bytes:
        """Return the ticket on the wire, signed with its ``kid``."""
        return tickets.sign(ticket, self._keys[ticket.kid])

    def public_keys(self) -> dict[int, bytes]:
        """Return what verifies tickets: ``kid`` to Ed25519 public key."""
        return {kid: bytes(key.verify_key) for kid, key in self._keys.items()}


_KeyRow = tuple[int, bytes]


class SqlWatermarks:
    """The latest rights of users in voice channels, remembered for ten minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_to(self, rights: Sequence[VoiceRights], now_ms: int) -> Sequence[VoiceRights]:
        """Store *rights* and return those that are not older than what is stored."""
        raised: list[VoiceRights] = []
        async with self._database.transaction() as rows:
            await rows.execute(
                "DELETE FROM voice_rights WHERE changed_at_ms < :oldest_ms",
                {"oldest_ms": now_ms - MEMORY_MS},
            )
            # Sorted, so that two services that store the same changes cannot lock each other out.
            for one in sorted(rights, key=lambda one: (one.channel, one.user)):
                touched = await rows.execute(
                    """
                    INSERT INTO voice_rights (channel, member, perms, generation, changed_at_ms)
                    VALUES (:channel, :user, :perms, :generation, :now_ms)
                    ON CONFLICT (channel, member) DO UPDATE SET perms = excluded.perms,
                        generation = excluded.generation, changed_at_ms = excluded.changed_at_ms
                    WHERE voice_rights.generation <= excluded.generation
                    """,
                    {**msgspec.structs.asdict(one), "now_ms": now_ms},
                )
                if touched:
                    raised.append(one)
        return raised

    async def recent(self, now_ms: int) -> Sequence[VoiceRights]:
        """Return the rights that changed lately, the latest first."""
        rows = await self._database.fetch(
            """
            SELECT channel, member, perms, generation FROM voice_rights
            WHERE changed_at_ms >= :oldest_ms ORDER BY changed_at_ms DESC LIMIT :limit
            """,
            {"oldest_ms": now_ms - MEMORY_MS, "limit": _RECENT_MAX},
        )
        found = msgspec.convert(rows, list[tuple[ChannelId, UserId, int, int]])
        return [VoiceRights(*fields) for fields in found]
