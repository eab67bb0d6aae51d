"""Hand out ways in, and come in."""

import secrets
from dataclasses import dataclass

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.places import Places
from sidetone.chat.application.ports import Changes, Invites, Servers
from sidetone.chat.domain.invite import (
    CODE_BYTES,
    INVITES_MAX,
    code_of,
    invite,
    require_code,
    unknown_invite,
)
from sidetone.chat.domain.server import MEMBERS_MAX, SERVERS_MAX, require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Forbidden, NotFound
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateInvite, Invite, InvitePreview, Member, Server
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageInvites:
    """Create, show, revoke and accept invites. Every code that does not work is refused alike."""

    servers: Servers
    invites: Invites
    changes: Changes
    places: Places
    enter_server: EnterServer
    clock: Clock

    async def create(self, server: ServerId, user: UserId, wish: CreateInvite) -> Invite:
        """Return a new invite. Raises ``Refusal``."""
        now_ms = self.clock.now_ms()
        code = code_of(secrets.token_bytes(CODE_BYTES))
        made = invite(code, server, user, wish, now_ms)
        async with self.changes.of(server) as change:
            change.draft.standing(user).require(Permission.CREATE_INVITE)
            # Dead ones are kept while there is room: a repeat of the last use still finds one.
            if await change.invites.count(server) >= INVITES_MAX:
                await change.invites.drop_dead(server, now_ms)
            require_room_for_one_more(await change.invites.count(server), INVITES_MAX, "invites")
            await change.invites.add(made)
            change.draft.note(user, "invite.create", None, None, made)
        return made

    async def of(
        self, server: ServerId, user: UserId, cursor: str | None, limit: int
    ) -> Page[Invite]:
        """Return the invites of *server*. Raises ``Refusal``."""
        await self.enter_server(user, server, Permission.MANAGE_SERVER)
        return await self.invites.of(server, cursor, limit)

    async def revoke(self, code: str, user: UserId) -> None:
        """Make a code useless: one's own, or any with ``MANAGE_SERVER``. Raises ``Refusal``."""
        require_code(code)
        found = await self.invites.find(code)
        async with self.changes.of(found.server) as change:
            try:
                standing = change.draft.standing(user)
            except NotFound:
                raise unknown_invite() from None
            if found.creator != user:
                standing.require(Permission.MANAGE_SERVER)
            await change.invites.remove(code)
            change.draft.note(user, "invite.revoke", None, found)

    async def preview(self, code: str) -> InvitePreview:
        """Return what *code* leads to. Raises ``NotFound``."""
        require_code(code)
        found = await self.invites.find(code)
        if not _works(found, self.clock.now_ms()):
            raise unknown_invite()
        community = await self.places.community(found.server)
        return InvitePreview(code, community.server, len(community.members), found.expires_at_ms)

    async def accept(self, code: str, user: UserId) -> Server:
        """Make *user* a member. Raises ``NotFound``, or ``Forbidden`` for who is banned.

        Who is a member already gets the same answer and takes no use, so that a request whose
        answer was lost can be repeated.
        """
        require_code(code)
        server = (await self.invites.find(code)).server
        community = await self.places.community(server)
        if user in community.members:
            return community.server
        count = await self.servers.count_of(user, ["community"])
        require_room_for_one_more(count, SERVERS_MAX, "servers")
        async with self.changes.of(server) as change:
            draft = change.draft
            if user in draft.before.members:
                return draft.before.server
            if await change.bans.find(server, user) is not None:
                raise Forbidden("banned", "you are banned from this server; ask its moderators")
            require_room_for_one_more(len(draft.before.members), MEMBERS_MAX, "members")
            if not await change.invites.use(code, draft.now_ms):
                raise unknown_invite()
            draft.put(Member(user, draft.now_ms))
        return community.server


def _works(invite: Invite, now_ms: int) -> bool:
    return (invite.expires_at_ms is None or now_ms < invite.expires_at_ms) and (
        invite.uses_left != 0
    )
