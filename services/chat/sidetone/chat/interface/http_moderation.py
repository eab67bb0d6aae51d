"""Bans, reports and the audit log over HTTP."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sidetone.chat.application.handle_reports import HandleReports
from sidetone.chat.application.manage_bans import ManageBans
from sidetone.chat.application.read_audit_log import ReadAuditLog
from sidetone.chat.interface.http_pages import LIMIT, Limit
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import (
    AuditCheck,
    AuditEntry,
    Ban,
    BanMember,
    CreateReport,
    Report,
    ResolveReport,
)
from sidetone.runtime.openapi import responses

IdCursor = Annotated[UUID | None, Parameter(description="The `next` of the page before.")]
NumberCursor = Annotated[
    int | None, Parameter(ge=1, le=1 << 53, description="The `next` of the page before.")
]


def ban_routes(manage: ManageBans) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns bans."""

    @put(
        "/servers/{server:uuid}/bans/{member:uuid}",
        operation_id="ban_member",
        tags=["moderation"],
        responses=responses(404, 409, 422),
    )
    async def ban(server: UUID, member: UUID, user: UserId, data: BanMember) -> Ban:
        """Ban somebody, whether they are a member or not."""
        return await manage.ban(ServerId(server), user, UserId(member), data)

    @delete(
        "/servers/{server:uuid}/bans/{member:uuid}",
        operation_id="unban_member",
        tags=["moderation"],
        responses=responses(404),
    )
    async def unban(server: UUID, member: UUID, user: UserId) -> None:
        """Lift a ban."""
        await manage.unban(ServerId(server), user, UserId(member))

    @get(
        "/servers/{server:uuid}/bans",
        operation_id="list_bans",
        tags=["moderation"],
        responses=responses(404),
    )
    async def every(
        server: UUID, user: UserId, limit: Limit = LIMIT, cursor: IdCursor = None
    ) -> Page[Ban]:
        """List who is banned."""
        return await manage.of(
            ServerId(server), user, None if cursor is None else UserId(cursor), limit
        )

    return [ban, unban, every]


def report_routes(handle: HandleReports) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns reports."""

    @post(
        "/servers/{server:uuid}/reports",
        operation_id="create_report",
        tags=["moderation"],
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateReport) -> Report:
        """Report somebody to the moderators."""
        return await handle.create(ServerId(server), user, data)

    @get(
        "/servers/{server:uuid}/reports",
        operation_id="list_reports",
        tags=["moderation"],
        responses=responses(404),
    )
    async def every(
        server: UUID, user: UserId, limit: Limit = LIMIT, cursor: IdCursor = None
    ) -> Page[Report]:
        """List the reports, newest first."""
        return await handle.of(ServerId(server), user, cursor, limit)

    @post(
        "/servers/{server:uuid}/reports/{report:uuid}/resolve",
        operation_id="resolve_report",
        tags=["moderation"],
        status_code=200,
        responses=responses(404, 409, 422),
    )
    async def resolve(server: UUID, report: UUID, user: UserId, data: ResolveReport) -> Report:
        """Close a report with what was done about it."""
        return await handle.resolve(ServerId(server), user, report, data.resolution)

    return [create, every, resolve]


def audit_routes(read: ReadAuditLog) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns the audit log."""

    @get(
        "/servers/{server:uuid}/audit-log",
        operation_id="list_audit_log",
        tags=["moderation"],
        responses=responses(404),
    )
    async def every(
        server: UUID, user: UserId, limit: Limit = LIMIT, cursor: NumberCursor = None
    ) -> Page[AuditEntry]:
        """List what was done in a server, newest first."""
        return await read.of(ServerId(server), user, cursor, limit)

    @get(
        "/servers/{server:uuid}/audit-log/check",
        operation_id="check_audit_log",
        tags=["moderation"],
        responses=responses(404),
    )
    async def check(server: UUID, user: UserId) -> AuditCheck:
        """Check that nobody has altered the log."""
        return await read.check(ServerId(server), user)

    return [every, check]
