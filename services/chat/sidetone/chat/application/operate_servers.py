"""Look after servers from above: what the operator of the platform does, without their owners."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

import msgspec

from sidetone.chat.application.operator_ports import OperatedServers, ServerLine
from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.application.retention import Retention
from sidetone.chat.domain.audit import OPERATOR
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.member import unknown_member
from sidetone.chat.domain.server import ROLES_MAX, require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.protocol.servers import Member, Role, ServerState
from sidetone.runtime.clock import Clock

_AT_ONCE = 200
_ADMINISTRATORS = "Administrators"


@dataclass(frozen=True, slots=True)
class OperateServers:
    """Stores and announces as members do; the audit log names the operator."""

    operated: OperatedServers
    servers: Servers
    changes: Changes
    retention: Retention
    clock: Clock

    async def list(self, search: str) -> AsyncGenerator[ServerLine, None]:
        """Yield the servers whose name contains *search*, the oldest first."""
        after = None
        while page := await self.operated.page(search, after, _AT_ONCE):
            for line in page:
                yield line
            after = page[-1].id

    async def find(self, which: str) -> ServerLine:
        """Return the server with the id *which*, or the only one of that name.

        Raises ``NotFound``, or ``Conflict`` where several have the name.
        """
        try:
            line = await self.operated.find(ServerId(UUID(which)))
        except ValueError:
            named = [line async for line in self.list(which) if line.name == which]
            if len(named) > 1:
                raise Conflict(
                    "server_ambiguous", f"{len(named)} servers are called {which!r}: give an id"
                ) from None
            line = named[0] if named else None
        if line is None:
            raise NotFound("server_unknown", f"there is no server {which!r}: list them to see")
        return line

    async def state(self, which: str) -> ServerState:
        """Return all of a server. Raises ``Refusal``."""
        return await self.servers.state((await self.find(which)).id)

    async def delete(self, which: str) -> ServerLine:
        """Delete a server with all that is in it. Raises ``Refusal``."""
        line = await self.find(which)
        async with self.changes.of(line.id) as change:
            change.draft.delete()
        return line

    async def keep_messages(self, which: str, days: int | None) -> ServerLine:
        """Let messages of a server go after *days*; None: as everywhere, zero: never.

        Raises ``Refusal``.
        """
        line = await self.find(which)
        await self.retention.put(line.id, days)
        return line

    async def transfer(self, which: str, to: UserId) -> ServerLine:
        """Make a member the owner. Raises ``Refusal``."""
        line = await self.find(which)
        async with self.changes.of(line.id) as change:
            draft = change.draft
            _member(draft, to)
            before = draft.before.server
            after = msgspec.structs.replace(before, owner=to)
            if after != before:
                draft.put(after)
                draft.note(OPERATOR, "server.transfer", line.id, before, after)
        return line

    async def make_admin(self, which: str, user: UserId) -> ServerLine:
        """Let a member do everything in a server, through a role. Raises ``Refusal``."""
        line = await self.find(which)
        async with self.changes.of(line.id) as change:
            draft = change.draft
            before = _member(draft, user)
            role = self._administrators(draft)
            if role.id not in before.roles:
                after = msgspec.structs.replace(before, roles=[*before.roles, role.id])
                draft.put(after)
                draft.note(OPERATOR, "member.role_given", user, before, after)
        return line

    async def drop_admin(self, which: str, user: UserId) -> ServerLine:
        """Take every role that lets a member do everything from them. Raises ``Refusal``."""
        line = await self.find(which)
        async with self.changes.of(line.id) as change:
            draft = change.draft
            before = _member(draft, user)
            mighty = {role.id for role in draft.before.roles.values() if _is_mighty(role)}
            kept = [role for role in before.roles if role not in mighty]
            if kept != before.roles:
                after = msgspec.structs.replace(before, roles=kept)
                draft.put(after)
                draft.note(OPERATOR, "member.role_taken", user, before, after)
        return line

    def _administrators(self, draft: Draft) -> Role:
        """Return the role that the operator gives, made above all others where it is not there."""
        roles = list(draft.before.roles.values())
        for role in roles:
            if role.name == _ADMINISTRATORS and _is_mighty(role):
                return role
        require_room_for_one_more(len(roles), ROLES_MAX, "roles")
        position = max(role.position for role in roles) + 1
        role = Role(
            RoleId(self.clock.new_id()), _ADMINISTRATORS, position, int(Permission.ADMINISTRATOR)
        )
        draft.put(role)
        draft.note(OPERATOR, "role.create", role.id, None, role)
        return role


def _member(draft: Draft, user: UserId) -> Member:
    member = draft.before.members.get(user)
    if member is None:
        raise unknown_member()
    return member


def _is_mighty(role: Role) -> bool:
    return Permission.ADMINISTRATOR in Permission(role.permissions)
