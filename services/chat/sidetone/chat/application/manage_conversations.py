"""Talk with one, or with a few, outside of communities."""

from dataclasses import dataclass

import msgspec

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Changes, Contacts, Servers
from sidetone.chat.domain.conversation import (
    GROUP_MAX,
    checked_group_name,
    checked_others,
    require_contact,
    unknown_conversation,
)
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.server import (
    CONVERSATIONS_MAX,
    conversation,
    require_room_for_one_more,
)
from sidetone.chat.domain.standing import Standing
from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateConversation, Member, Server, ServerState
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageConversations:
    """Open, list, name and leave conversations, and bring friends into those of a group."""

    servers: Servers
    changes: Changes
    contacts: Contacts
    enter_server: EnterServer
    clock: Clock

    async def open(self, user: UserId, wish: CreateConversation) -> tuple[ServerState, bool]:
        """Return the conversation, and whether it is new. Raises ``Refusal``.

        Two have one conversation, whoever opens it and however often.
        """
        others = checked_others(user, wish.users)
        name = checked_group_name(wish.name)
        if len(others) == 1:
            found = await self.servers.between(user, others[0])
            if found is not None:
                return await self.one(found, user), False
        await self._require_may_meet(user, others, friends=len(others) > 1)
        for each in [user, *others]:
            await self._require_room(each)
        kind = "direct" if len(others) == 1 else "group"
        server = Server(ServerId(self.clock.new_id()), name, user, kind)
        channel = ChannelId(self.clock.new_id())
        state = conversation(server, channel, [user, *others], self.clock.now_ms())
        try:
            await self.changes.create(state)
        except Conflict:
            # The other one was faster.
            found = await self.servers.between(user, others[0])
            if found is None:
                raise
            return await self.one(found, user), False
        return state, True

    async def of(self, user: UserId, cursor: ServerId | None, limit: int) -> Page[ServerState]:
        """Return the conversations of *user*, newest first."""
        every = await self.servers.of(user)
        mine = [each.id for each in reversed(every) if each.kind != "community"]
        rest = [each for each in mine if cursor is None or each < cursor]
        items = [await self.one(each, user) for each in rest[:limit]]
        return Page(items, str(rest[limit - 1]) if len(rest) > limit else None)

    async def one(self, server: ServerId, user: UserId) -> ServerState:
        """Return a conversation. Raises ``NotFound``."""
        standing = await self.enter_server(user, server)
        _require_conversation(standing)
        return standing.community.view(user)

    async def rename(self, server: ServerId, user: UserId, name: str) -> Server:
        """Return the group under its new name. Raises ``Refusal``."""
        words = checked_group_name(name)
        async with self.changes.of(server) as change:
            draft = change.draft
            _require_group(draft.standing(user))
            after = msgspec.structs.replace(draft.before.server, name=words)
            if after != draft.before.server:
                draft.put(after)
        return after

    async def add(self, server: ServerId, user: UserId, other: UserId) -> None:
        """Bring a friend into the group. Raises ``Refusal``."""
        _require_group(await self.enter_server(user, server))
        await self._require_may_meet(user, [other], friends=True)
        await self._require_room(other)
        async with self.changes.of(server) as change:
            draft = change.draft
            _require_group(draft.standing(user))
            if other in draft.before.members:
                return
            require_room_for_one_more(len(draft.before.members), GROUP_MAX, "members")
            draft.put(Member(other, draft.now_ms))

    async def remove(self, server: ServerId, user: UserId, other: UserId) -> None:
        """Leave the group, or take another out of the group that one opened.

        The one who has been there longest takes it over; without members it is no more. Raises
        ``Refusal``.
        """
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            _require_group(standing)
            standing.member(other)
            if user not in {other, draft.before.server.owner}:
                raise Forbidden("owner_only", "only who opened the group can take others out")
            leave(draft, other)

    async def _require_may_meet(
        self, user: UserId, others: list[UserId], *, friends: bool
    ) -> None:
        await self.contacts.require_known(others)
        require_contact(await self.contacts.between(user, others), friends=friends)

    async def _require_room(self, user: UserId) -> None:
        count = await self.servers.count_of(user, ["direct", "group"])
        require_room_for_one_more(count, CONVERSATIONS_MAX, "conversations")


def leave(draft: Draft, user: UserId) -> None:
    """Take *user* out of a group, and hand it on."""
    heir = _longest_there(draft.before, besides=user)
    if heir is None:
        draft.delete()
        return
    draft.drop(user)
    if draft.before.server.owner == user:
        draft.put(msgspec.structs.replace(draft.before.server, owner=heir))


def _longest_there(community: Community, besides: UserId) -> UserId | None:
    others = [each for each in community.members.values() if each.user != besides]
    return min(others, key=lambda each: each.joined_at_ms).user if others else None


def _require_conversation(standing: Standing) -> None:
    if standing.community.server.kind == "community":
        raise unknown_conversation()


def _require_group(standing: Standing) -> None:
    _require_conversation(standing)
    if standing.community.server.kind == "direct":
        raise Conflict("conversation_of_two", "this is of two alone; open a group for more")
