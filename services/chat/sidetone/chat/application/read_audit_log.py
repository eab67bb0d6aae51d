"""See what was done in a server."""

from dataclasses import dataclass

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import AuditLog
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import AuditCheck, AuditEntry


@dataclass(frozen=True, slots=True)
class ReadAuditLog:
    """Return the log, and whether it is as it was written."""

    log: AuditLog
    enter_server: EnterServer

    async def of(
        self, server: ServerId, user: UserId, cursor: int | None, limit: int
    ) -> Page[AuditEntry]:
        """Return entries, newest first. Raises ``Refusal``."""
        await self.enter_server(user, server, Permission.VIEW_AUDIT_LOG)
        return await self.log.of(server, cursor, limit)

    async def check(self, server: ServerId, user: UserId) -> AuditCheck:
        """Return whether any entry was altered, removed or inserted. Raises ``Refusal``."""
        await self.enter_server(user, server, Permission.VIEW_AUDIT_LOG)
        return AuditCheck(await self.log.broken_at(server))
