"""Bans, reports and the audit log over REST."""

from uuid import UUID

from sidetone.client.requests import Requests
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
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


class Moderation:
    """What keeps a server a good place."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def ban(
        self,
        server: ServerId,
        user: UserId,
        *,
        reason: str = "",
        delete_messages_seconds: int = 0,
    ) -> Ban:
        """Put *user* out for good, and delete what they wrote in the last seconds."""
        body = BanMember(reason, delete_messages_seconds)
        return await self._requests.ask("PUT", f"/chat/servers/{server}/bans/{user}", Ban, body)

    async def unban(self, server: ServerId, user: UserId) -> None:
        """Let *user* come back."""
        await self._requests.tell("DELETE", f"/chat/servers/{server}/bans/{user}")

    async def bans(self, server: ServerId, cursor: str | None = None) -> Page[Ban]:
        """Return a page of who is banned."""
        query = {"cursor": cursor}
        return await self._requests.ask(
            "GET", f"/chat/servers/{server}/bans", Page[Ban], query=query
        )

    async def report(
        self,
        server: ServerId,
        user: UserId,
        text: str,
        *,
        channel: ChannelId | None = None,
        message: MessageId | None = None,
    ) -> Report:
        """Tell the moderators of *server* about *user*, or about one message."""
        body = CreateReport(user, text, channel, message)
        return await self._requests.ask("POST", f"/chat/servers/{server}/reports", Report, body)

    async def reports(self, server: ServerId, cursor: str | None = None) -> Page[Report]:
        """Return a page of the reports, newest first."""
        query = {"cursor": cursor}
        path = f"/chat/servers/{server}/reports"
        return await self._requests.ask("GET", path, Page[Report], query=query)

    async def resolve(self, server: ServerId, report: UUID, resolution: str) -> Report:
        """Close a report with what was done about it."""
        path = f"/chat/servers/{server}/reports/{report}/resolve"
        return await self._requests.ask("POST", path, Report, ResolveReport(resolution))

    async def audit_log(self, server: ServerId, cursor: str | None = None) -> Page[AuditEntry]:
        """Return a page of what was done, newest first."""
        query = {"cursor": cursor}
        path = f"/chat/servers/{server}/audit-log"
        return await self._requests.ask("GET", path, Page[AuditEntry], query=query)

    async def check_audit_log(self, server: ServerId) -> AuditCheck:
        """Return whether the audit log is as it was written."""
        path = f"/chat/servers/{server}/audit-log/check"
        return await self._requests.ask("GET", path, AuditCheck)
