"""Let go of who closed their account."""

from dataclasses import dataclass

import msgspec

from sidetone.chat.application.manage_conversations import leave
from sidetone.chat.application.manage_members import let_go
from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.domain.draft import Draft
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import NotFound


@dataclass(frozen=True, slots=True)
class EndMemberships:
    """Take a user out of all servers. What they own goes to the highest of the others.

    A server without others is deleted. Doing it again does nothing.
    """

    servers: Servers
    changes: Changes

    async def __call__(self, user: UserId) -> None:
        """End every membership of *user*. Raises ``Unavailable``: then do it again."""
        for server in await self.servers.of(user):
            try:
                async with self.changes.of(server.id) as change:
                    _end(change.draft, user)
            except NotFound:
                continue


def _end(draft: Draft, user: UserId) -> None:
    community = draft.before
    if user not in community.members:
        return
    if community.server.kind == "group":
        leave(draft, user)
        return
    others = [each for each in community.members.values() if each.user != user]
    if not others:
        draft.delete()
        return
    let_go(draft, user)
    if community.owner == user:
        heir = max(others, key=lambda each: (community.rank(each.user), -each.joined_at_ms))
        after = msgspec.structs.replace(community.server, owner=heir.user)
        draft.put(after)
        draft.note(user, "server.transfer", community.server.id, community.server, after)
    draft.note(user, "member.leave", user)
