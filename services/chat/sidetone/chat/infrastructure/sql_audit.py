"""The audit log in a relational database: appended within the change that it tells of."""

from collections.abc import Sequence
from typing import TypeAlias
from uuid import UUID

import msgspec

from sidetone.chat.domain.audit import sealed, verify
from sidetone.chat.domain.draft import Draft
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import AuditEntry
from sidetone.storage import Row, Transaction

# The number and the hash of a server's last entry.
Head: TypeAlias = tuple[int, bytes]

_INSERT = """
    INSERT INTO audit_log
        (server, number, at_ms, actor, action, target, before, after, reason, request, hash)
    VALUES
        (:server, :number, :at_ms, :actor, :action, :target, :before, :after, :reason, :request,
        :hash)
"""
_ENTRIES = """
    SELECT number, at_ms, actor, action, target, before, after, reason, request, hash
    FROM audit_log
"""
_Fields = tuple[int, int, UserId, str, UUID | None, str, str, str, str]
_VERIFIED_AT_ONCE = 1_000


async def append(rows: Transaction, draft: Draft, head: Head, request: str) -> None:
    """Put the deeds of *draft* on top of the server's log."""
    if not draft.deeds:
        return
    server = draft.before.server.id
    number, hash_ = head
    values: list[dict[str, object]] = []
    for number, deed in enumerate(draft.deeds, number + 1):  # noqa: B020 - goes on from the head
        entry = AuditEntry(number, draft.now_ms, **msgspec.structs.asdict(deed), request=request)
        hash_ = sealed(hash_, server, entry)
        values.append(
            {
                **msgspec.structs.asdict(entry),
                "before": _text(entry.before),
                "after": _text(entry.after),
                "server": server,
                "hash": hash_,
            }
        )
    await rows.execute_many(_INSERT, values)
    await rows.execute(
        "UPDATE servers SET audit_number = :number, audit_hash = :hash WHERE id = :server",
        {"server": server, "number": number, "hash": hash_},
    )


class SqlAuditLog:
    """What was done in servers."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def of(self, server: ServerId, cursor: int | None, limit: int) -> Page[AuditEntry]:
        """Return the entries of *server*, newest first."""
        found = await self._rows.fetch(
            f"""
            {_ENTRIES}
            WHERE server = :server AND number < :cursor ORDER BY number DESC LIMIT :limit
            """,
            {"server": server, "cursor": cursor or 1 << 62, "limit": limit + 1},
        )
        entries = [_entry(row[:-1]) for row in found[:limit]]
        return Page(entries, str(entries[-1].number) if len(found) > limit else None)

    async def servers(self) -> Sequence[tuple[ServerId, str]]:
        """Return the servers that keep a log, with their names."""
        found = await self._rows.fetch("SELECT id, name FROM servers ORDER BY id", {})
        return msgspec.convert(list(found), list[tuple[ServerId, str]])

    async def broken_at(self, server: ServerId) -> int | None:
        """Return the number of the first entry that was tampered with; None: all is well."""
        found = await self._rows.fetch(
            "SELECT audit_number, audit_hash FROM servers WHERE id = :server", {"server": server}
        )
        if not found:
            return None
        head = msgspec.convert(found[0], tuple[int, bytes])
        entries: list[tuple[AuditEntry, bytes]] = []
        while part := await self._after(server, entries[-1][0].number if entries else 0):
            entries += part
        return verify(server, entries, head)

    async def _after(self, server: ServerId, number: int) -> Sequence[tuple[AuditEntry, bytes]]:
        found = await self._rows.fetch(
            f"""
            {_ENTRIES}
            WHERE server = :server AND number > :number ORDER BY number LIMIT :limit
            """,
            {"server": server, "number": number, "limit": _VERIFIED_AT_ONCE},
        )
        return [(_entry(row[:-1]), msgspec.convert(row[-1], bytes)) for row in found]


def _entry(row: Row) -> AuditEntry:
    number, at_ms, actor, action, target, before, after, *rest = msgspec.convert(row, _Fields)
    return AuditEntry(
        number,
        at_ms,
        actor,
        action,
        target,
        msgspec.json.decode(before, type=dict[str, str]),
        msgspec.json.decode(after, type=dict[str, str]),
        *rest,
    )


def _text(fields: dict[str, str]) -> str:
    return msgspec.json.encode(fields, order="sorted").decode()
