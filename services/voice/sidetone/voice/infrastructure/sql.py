"""Ticket keys and watermarks in a relational database: one text for SQLite and PostgreSQL."""

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from nacl.signing import SigningKey

from sidetone.credentials import tickets
from sidetone.credentials.tickets import Ticket
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.storage import Database
from sidetone.voice.domain.ticket_keys import DatedKey, next_kid, over, signing

# A ticket lives 30 seconds; the rest is for units that lost their bus and came back.
MEMORY_MS = 10 * 60_000
# How soon an instance learns of a key that another one made.
LOOKED_AT_EVERY_SECONDS = 60.0
# About half a megabyte on the bus.
_RECENT_MAX = 5_000
_log = structlog.get_logger(__name__)


class SqlTicketKeys:
    """The keys that all instances share; which one signs is a matter of the time alone."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys: dict[int, SigningKey] = {}
        self._dated: list[DatedKey] = []

    @classmethod
    async def open(cls, database: Database, clock: Clock) -> "SqlTicketKeys":
        """Read the keys; the first service that ever starts makes the first one.

        Services that start at once agree, since all of them offer a key for the same place and
        then read who got it.
        """
        keys = cls(database, clock)
        await keys.look()
        if not keys._dated:
            await keys._offer(1)
            await keys.look()
        return keys

    @property
    def kid(self) -> int:
        """Return the number of the key that signs now."""
        return signing(self._dated, self._clock.now_ms())

    def sign(self, ticket: Ticket) -> bytes:
        """Return the ticket on the wire, signed with its ``kid``."""
        return tickets.sign(ticket, self._keys[ticket.kid])

    def public_keys(self) -> dict[int, bytes]:
        """Return what verifies tickets: ``kid`` to Ed25519 public key."""
        return {kid: bytes(key.verify_key) for kid, key in self._keys.items()}

    async def rotate(self) -> DatedKey:
        """Make the next key and return it; it signs when it was published for an hour."""
        await self.look()
        kid = next_kid(self._dated)
        await self._offer(kid)
        await self.look()
        return next(key for key in self._dated if key.kid == kid)

    async def look(self) -> None:
        """Read the keys, and forget those that are over."""
        dated = await self._stored()
        for kid in over(dated, self._clock.now_ms()):
            await self._database.execute("DELETE FROM ticket_keys WHERE kid = :kid", {"kid": kid})
        await self._stored()

    async def keep(self) -> None:
        """Look again and again, for as long as the process lives."""
        while True:
            await asyncio.sleep(LOOKED_AT_EVERY_SECONDS)
            try:
                await self.look()
            except Unavailable as unavailable:
                _log.warning("ticket_keys_not_read", reason=unavailable.detail)
            except Exception:
                _log.exception("ticket_keys_not_read")

    async def _offer(self, kid: int) -> None:
        await self._database.execute(
            """
            INSERT INTO ticket_keys (kid, seed, created_at_ms) VALUES (:kid, :seed, :now_ms)
            ON CONFLICT (kid) DO NOTHING
            """,
            {"kid": kid, "seed": bytes(SigningKey.generate()), "now_ms": self._clock.now_ms()},
        )

    async def _stored(self) -> list[DatedKey]:
        rows = await self._database.fetch(
            "SELECT kid, seed, created_at_ms FROM ticket_keys ORDER BY kid LIMIT 255", {}
        )
        found = msgspec.convert(rows, list[_KeyRow])
        self._keys = {kid: SigningKey(seed) for kid, seed, _ in found}
        self._dated = [DatedKey(kid, created_at_ms) for kid, _, created_at_ms in found]
        return self._dated


_KeyRow = tuple[int, bytes, int]


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
