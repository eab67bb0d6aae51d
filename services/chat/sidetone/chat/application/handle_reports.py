"""Tell moderators, and answer as one."""

from dataclasses import dataclass
from uuid import UUID

import msgspec

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Changes, Reports
from sidetone.chat.domain.report import (
    OPEN_REPORTS_MAX,
    checked_report,
    checked_resolution,
    unknown_report,
)
from sidetone.chat.domain.server import require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateReport, Report
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class HandleReports:
    """Create, list and resolve reports. Those who may silence members read them."""

    reports: Reports
    changes: Changes
    enter_server: EnterServer
    clock: Clock

    async def create(self, server: ServerId, user: UserId, wish: CreateReport) -> Report:
        """Return the new report. Raises ``Refusal``."""
        standing = await self.enter_server(user, server)
        if wish.channel is not None:
            standing.in_channel(wish.channel)
        report = Report(
            self.clock.new_id(),
            server,
            user,
            wish.user,
            wish.channel,
            wish.message,
            checked_report(wish.text),
            self.clock.now_ms(),
        )
        count = await self.reports.count_open(server, user)
        require_room_for_one_more(count, OPEN_REPORTS_MAX, "reports")
        await self.reports.add(report)
        return report

    async def of(
        self, server: ServerId, user: UserId, cursor: UUID | None, limit: int
    ) -> Page[Report]:
        """Return the reports, newest first. Raises ``Refusal``."""
        await self.enter_server(user, server, Permission.MODERATE_MEMBERS)
        return await self.reports.of(server, cursor, limit)

    async def resolve(
        self, server: ServerId, user: UserId, report: UUID, resolution: str
    ) -> Report:
        """Return the report, closed with what was done about it. Raises ``Refusal``."""
        words = checked_resolution(resolution)
        async with self.changes.of(server) as change:
            draft = change.draft
            draft.standing(user).require(Permission.MODERATE_MEMBERS)
            found = await change.reports.find(report)
            if found.server != server:
                raise unknown_report()
            if not await change.reports.resolve(report, user, words):
                raise Conflict("report_resolved", "somebody has resolved this report already")
            draft.note(user, "report.resolve", report, reason=words)
        return msgspec.structs.replace(found, resolved_by=user, resolution=words)
