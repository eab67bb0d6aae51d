"""Shape the roles of a server, and give them."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.role import (
    checked_color,
    checked_permissions,
    checked_role_name,
    unknown_role,
)
from sidetone.chat.domain.server import ROLES_MAX, require_room_for_one_more
from sidetone.chat.domain.standing import Standing, require_holds
from sidetone.chat.domain.version import require_version
from sidetone.permissions import Permission
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.protocol.servers import CreateRole, EditRole, Member, Role
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageRoles:
    """Create, edit, order, delete, give and take roles.

    Nobody gives a permission that they lack, or touches a role that is not below their own.
    """

    changes: Changes
    clock: Clock

    async def create(self, server: ServerId, user: UserId, wish: CreateRole) -> Role:
        """Return the new role, the lowest above everyone's. Raises ``Refusal``."""
        bits = checked_permissions(wish.permissions)
        role = Role(
            RoleId(self.clock.new_id()),
            checked_role_name(wish.name),
            1,
            int(bits),
            checked_color(wish.color),
            wish.hoisted,
            wish.mentionable,
        )
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = _ruler(draft, user)
            require_holds(standing.permissions, bits)
            require_room_for_one_more(len(draft.before.roles), ROLES_MAX, "roles")
            for other in draft.before.roles.values():
                if other.position > 0:
                    draft.put(msgspec.structs.replace(other, position=other.position + 1))
            draft.put(role)
            draft.note(user, "role.create", role.id, None, role)
        return role

    async def edit(
        self,
        server: ServerId,
        user: UserId,
        role: RoleId,
        wish: EditRole,
        version: int | None = None,
    ) -> Role:
        """Return the role with what *wish* changes. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = _ruler(draft, user)
            before = _role(draft, role)
            standing.require_role_below(before)
            require_version(before, version)
            after = _edited(before, wish)
            changed = Permission(before.permissions ^ after.permissions)
            require_holds(standing.permissions, changed)
            if after != before:
                draft.put(after)
                draft.note(user, "role.edit", role, before, after)
        return after

    async def delete(self, server: ServerId, user: UserId, role: RoleId) -> None:
        """Take the role from everybody, and from all channels. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = _ruler(draft, user)
            before = _role(draft, role)
            if role == server:
                raise Conflict("role_stays", "the role of everyone cannot be deleted")
            standing.require_role_below(before)
            require_holds(standing.permissions, Permission(before.permissions))
            draft.drop(role)
            for channel in draft.before.channels.values():
                kept = [each for each in channel.overwrites if each.subject != role]
                if len(kept) < len(channel.overwrites):
                    draft.put(msgspec.structs.replace(channel, overwrites=kept))
            draft.note(user, "role.delete", role, before)

    async def order(self, server: ServerId, user: UserId, roles: list[RoleId]) -> None:
        """Put all roles but everyone's in this order, the lowest first. Raises ``Refusal``.

        Only roles below one's own may move. As each place is taken once, they stay below it.
        """
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = _ruler(draft, user)
            movable = {each for each in draft.before.roles if each != server}
            if len(roles) != len(movable) or movable != set(roles):
                raise Conflict("order_incomplete", "name each role once; read them again")
            places = sorted(draft.before.roles[id_].position for id_ in roles)
            for position, id_ in zip(places, roles, strict=True):
                before = draft.before.roles[id_]
                if before.position != position:
                    standing.require_role_below(before)
                    draft.put(msgspec.structs.replace(before, position=position))
            if draft.alters:
                draft.note(user, "role.order", server)

    async def give(self, server: ServerId, user: UserId, member: UserId, role: RoleId) -> Member:
        """Return *member* with the role. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            before = _holder(draft, user, member, role)
            require_holds(
                draft.standing(user).permissions, Permission(_role(draft, role).permissions)
            )
            after = before
            if role not in before.roles:
                after = msgspec.structs.replace(before, roles=[*before.roles, role])
                draft.put(after)
                draft.note(user, "member.role_given", member, before, after)
        return after

    async def take(self, server: ServerId, user: UserId, member: UserId, role: RoleId) -> Member:
        """Return *member* without the role. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            after = before = _holder(draft, user, member, role)
            if role in before.roles:
                kept = [each for each in before.roles if each != role]
                after = msgspec.structs.replace(before, roles=kept)
                draft.put(after)
                draft.note(user, "member.role_taken", member, before, after)
        return after


def _ruler(draft: Draft, user: UserId) -> Standing:
    standing = draft.standing(user)
    standing.require(Permission.MANAGE_ROLES)
    return standing


def _role(draft: Draft, role: RoleId) -> Role:
    found = draft.before.roles.get(role)
    if found is None:
        raise unknown_role()
    return found


def _holder(draft: Draft, user: UserId, member: UserId, role: RoleId) -> Member:
    """Return *member*, to whom *user* may give and from whom they may take *role*."""
    standing = _ruler(draft, user)
    found = standing.member(member)
    if role == draft.before.server.id:
        raise Forbidden("role_of_everyone", "everyone has this role, and keeps it")
    standing.require_role_below(_role(draft, role))
    if member != user:
        standing.require_above(member)
    return found


def _edited(role: Role, wish: EditRole) -> Role:
    bits = role.permissions
    if wish.permissions is not UNSET:
        bits = int(checked_permissions(wish.permissions))
    return msgspec.structs.replace(
        role,
        name=role.name if wish.name is UNSET else checked_role_name(wish.name),
        permissions=bits,
        color=role.color if wish.color is UNSET else checked_color(wish.color),
        hoisted=role.hoisted if wish.hoisted is UNSET else wish.hoisted,
        mentionable=role.mentionable if wish.mentionable is UNSET else wish.mentionable,
    )
