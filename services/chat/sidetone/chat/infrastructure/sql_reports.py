"""Reports in a relational database."""

from uuid import UUID

import msgspec

from sidetone.chat.domain.report import unknown_report
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Report
from sidetone.storage import Row, Transaction

_FIELDS = (
    "id",
    "server",
    "reporter",
    "target",
    "channel",
    "message",
    "text",
    "reported_at_ms",
    "resolved_by",
    "resolution",
)
_REPORTS = f"SELECT {', '.join(_FIELDS)} FROM reports"  # noqa: S608 - of our own words
_LAST = UUID(int=(1 << 128) - 1)


class SqlReports:
    """What members told moderators."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def add(self, report: Report) -> None:
        """Store a report."""
        await self._rows.execute(
            """
            INSERT INTO reports (id, server, reporter, target, channel, message, text,
                reported_at_ms, resolved_by, resolution)
            VALUES (:id, :server, :reporter, :target, :channel, :message, :text,
                :reported_at_ms, :resolved_by, :resolution)
            """,
            msgspec.structs.asdict(report),
        )

    async def find(self, report: UUID) -> Report:
        """Return the report. Raises ``NotFound``."""
        found = await self._rows.fetch(f"{_REPORTS} WHERE id = :report", {"report": report})
        if not found:
            raise unknown_report()
        return _report(found[0])

    async def of(self, server: ServerId, cursor: UUID | None, limit: int) -> Page[Report]:
        """Return the reports of *server*, newest first."""
        found = await self._rows.fetch(
            f"{_REPORTS} WHERE server = :server AND id < :cursor ORDER BY id DESC LIMIT :limit",
            {"server": server, "cursor": cursor or _LAST, "limit": limit + 1},
        )
        reports = [_report(row) for row in found[:limit]]
        return Page(reports, str(reports[-1].id) if len(found) > limit else None)

    async def count_open(self, server: ServerId, reporter: UserId) -> int:
        """Return how many reports of *reporter* nobody has resolved yet."""
        found = await self._rows.fetch(
            """
            SELECT COUNT(*) FROM reports
            WHERE server = :server AND reporter = :reporter AND resolved_by IS NULL
            """,
            {"server": server, "reporter": reporter},
        )
        return msgspec.convert(found[0][0], int)

    async def resolve(self, report: UUID, by: UserId, resolution: str) -> bool:
        """Close an open report; return whether it was open."""
        touched = await self._rows.execute(
            """
            UPDATE reports SET resolved_by = :by, resolution = :resolution
            WHERE id = :report AND resolved_by IS NULL
            """,
            {"report": report, "by": by, "resolution": resolution},
        )
        return touched == 1


def _report(row: Row) -> Report:
    return msgspec.convert(dict(zip(_FIELDS, row, strict=True)), Report)
