"""Allow or deny abilities in one channel."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.domain.channel import Membership, checked_overwrite
from sidetone.chat.domain.server import unknown_member
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import SetOverwrite as Wish


@dataclass(frozen=True, slots=True)
class SetOverwrite:
    """Replace what a channel allows and denies to one member, or to everyone."""

    servers: Servers
    changes: Changes
    announce: AnnounceRights

    async def __call__(
        self, channel: ChannelId, user: UserId, subject: UserId | None, wish: Wish
    ) -> None:
        """Let *user* set the overwrite of *subject*; None: everyone. Raises ``Refusal``."""
        asked = await self.servers.membership(channel, user)
        asked.require(Permission.MANAGE_PERMISSIONS)
        server = asked.channel.server
        new = checked_overwrite(asked.channel.kind, wish.allow, wish.deny)
        async with self.changes.of(server) as change:
            # Asked again: the right may have gone while this change waited for another.
            asked = await change.servers.membership(channel, user)
            asked.require_may_change(subject, await change.overwrite(channel, subject), new)
            if subject is not None and not await change.servers.has_member(server, subject):
                raise unknown_member()
            before = await _touched(change.servers, channel, subject)
            await change.put_overwrite(channel, subject, new)
            after = await _touched(change.servers, channel, subject)
        await self.announce(_changed(before, after))


async def _touched(
    servers: Servers, channel: ChannelId, subject: UserId | None
) -> Sequence[Membership]:
    """Return the memberships that an overwrite of *subject* can change."""
    if subject is None:
        return await servers.memberships_in(channel)
    return [await servers.membership(channel, subject)]


def _changed(before: Sequence[Membership], after: Sequence[Membership]) -> list[Membership]:
    """Return those of *after* who may do something else than in *before*."""
    had = {membership.user: membership.permissions for membership in before}
    return [m for m in after if had.get(m.user) != m.permissions]
