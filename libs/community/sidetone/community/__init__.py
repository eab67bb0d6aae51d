"""A server as its members see it, kept in memory and changed by what is announced.

Whoever decides what a member may do (chat, gateway, voice, a client) holds one of these for each
server it needs. Pure: the state comes in once, every change of it as a ``ServerChanged``, and the
time as an argument.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from sidetone.permissions import (
    IN_TIMEOUT,
    NO_OVERWRITE,
    OF_CALLS,
    Overwrite,
    Permission,
    effective,
    merged,
)
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import Channel, Emoji, Member, Role, Server, ServerState

_NOTHING = Permission.NONE
_ADMIN = Permission.ADMINISTRATOR
_NOT_OF_CALLS = ~OF_CALLS
# What a member loses whom a moderator muted.
_NOT_OF_SPEAKING = ~(Permission.SPEAK | Permission.PRIORITY_SPEAKER)
_TALKING = frozenset({"voice", "direct"})
OWNER_RANK = 1 << 31
# A member of no role, whom no overwrite names.
_SOMEBODY = Member(UserId(UUID(int=0)), 0)


class Community:
    """One server: its pieces by id, and who may do what, remembered until something changes."""

    def __init__(self, state: ServerState) -> None:
        self.server: Server = state.server
        self.generation = state.generation
        self.roles: dict[UUID, Role] = {role.id: role for role in state.roles}
        self.channels: dict[UUID, Channel] = {channel.id: channel for channel in state.channels}
        self.members: dict[UUID, Member] = {member.user: member for member in state.members}
        self.emoji: dict[UUID, Emoji] = {emoji.id: emoji for emoji in state.emoji}
        self._decided: dict[UserId, dict[ChannelId | None, Permission]] = {}
        self._levels_of: dict[UUID, dict[UUID, Overwrite]] = {}

    # --- What changes ---

    def follows(self, change: ServerChanged) -> bool:
        """Return whether *change* is the next one: if it is a later one, something was missed."""
        return change.generation == self.generation + 1

    def apply(self, change: ServerChanged) -> None:
        """Become what *change* says; one that is not newer changes nothing."""
        if change.generation <= self.generation:
            return
        if self.alters_rules(change):
            self._decided.clear()
            self._levels_of.clear()
        self.generation = change.generation
        self.server = change.now or self.server
        lost_roles = {gone for gone in change.gone if gone in self.roles}
        for gone in change.gone:
            for pieces in (self.roles, self.channels, self.members, self.emoji):
                pieces.pop(gone, None)
        self.roles.update((role.id, role) for role in change.roles)
        self.channels.update((channel.id, channel) for channel in change.channels)
        self.members.update((member.user, member) for member in change.members)
        self.emoji.update((emoji.id, emoji) for emoji in change.emoji)
        self._take_away(lost_roles)
        for user in [*change.gone, *(member.user for member in change.members)]:
            self._decided.pop(UserId(user), None)

    def after(self, change: ServerChanged) -> "Community":
        """Return what the server is after *change*; this one stays as it is."""
        twin = Community(self.state())
        twin.apply(change)
        return twin

    def alters_rules(self, change: ServerChanged) -> bool:
        """Return whether *change* can alter what those may do whom it does not name.

        Names, topics and places in an order are no rules.
        """
        return (
            (change.now is not None and _owner(change.now) != self.owner)
            or any(gone in self.roles or gone in self.channels for gone in change.gone)
            or any(_rules_of(self.roles.get(role.id)) != _rules_of(role) for role in change.roles)
            or any(
                _rules_of(self.channels.get(channel.id)) != _rules_of(channel)
                for channel in change.channels
            )
        )

    def _take_away(self, roles: set[UUID]) -> None:
        """Take *roles* that are no more from those who had them: a delta does not repeat them."""
        if not roles:
            return
        for user, member in self.members.items():
            if not roles.isdisjoint(member.roles):
                kept = [role for role in member.roles if role not in roles]
                self.members[user] = msgspec.structs.replace(member, roles=kept)

    # --- Who may do what ---

    @property
    def owner(self) -> UserId | None:
        """Return who may do everything; in a conversation nobody stands above the others."""
        return _owner(self.server)

    def permissions(self, user: UserId, channel: ChannelId, now_ms: int) -> Permission:
        """Return what *user* may do in *channel*; nothing for a stranger or an unknown channel."""
        return self._in_time(user, self._decision(user, channel), now_ms)

    def standing(self, user: UserId, now_ms: int) -> Permission:
        """Return what *user* may do in the server as a whole; overwrites play no part in it."""
        return self._in_time(user, self._decision(user, None), now_ms)

    def sees(self, user: UserId, channel: ChannelId) -> bool:
        """Return whether *channel* exists for *user*."""
        return self._decision(user, channel) is not _NOTHING

    def is_open(self, channel: ChannelId) -> bool:
        """Return whether every member sees *channel*, whatever their roles."""
        everyone = self.roles.get(self.server.id)
        place = self.channels.get(channel)
        if everyone is None or place is None:
            return False
        levels = self._levels(place, _SOMEBODY)
        return Permission.VIEW_CHANNEL in effective(everyone.permissions, *levels)

    def visible(self, user: UserId) -> Iterator[Channel]:
        """Yield the channels that *user* sees."""
        return (channel for channel in self.channels.values() if self.sees(user, channel.id))

    def rank(self, user: UserId) -> int:
        """Return how high *user* stands: the position of their top role, the owner above all.

        Nobody acts upon an equal, and a stranger stands below everyone.
        """
        if user == self.owner:
            return OWNER_RANK
        member = self.members.get(user)
        if member is None:
            return -1
        return max((role.position for role in self._roles_of(member)), default=0)

    # --- What there is ---

    def state(self) -> ServerState:
        """Return the whole state."""
        return self._state(self.channels.values())

    def view(self, user: UserId) -> ServerState:
        """Return what *user* may know of it."""
        return self._state(self.visible(user))

    def _state(self, channels: Iterable[Channel]) -> ServerState:
        return ServerState(
            self.server,
            self.generation,
            list(self.roles.values()),
            list(channels),
            list(self.members.values()),
            list(self.emoji.values()),
        )

    def _roles_of(self, member: Member) -> Iterator[Role]:
        found = map(self.roles.get, member.roles)
        return (role for role in found if role is not None)

    def _in_time(self, user: UserId, granted: Permission, now_ms: int) -> Permission:
        member = self.members.get(user)
        if member is None or member.timeout_until_ms <= now_ms or _ADMIN in granted:
            return granted
        return granted & IN_TIMEOUT

    def _decision(self, user: UserId, channel: ChannelId | None) -> Permission:
        decided = self._decided.get(user)
        if decided is None:
            decided = self._decided[user] = {}
        granted = decided.get(channel)
        if granted is None:
            granted = decided[channel] = self._decide(user, channel)
        return granted

    def _decide(self, user: UserId, channel: ChannelId | None) -> Permission:
        member = self.members.get(user)
        everyone = self.roles.get(self.server.id)
        if member is None or everyone is None:
            return _NOTHING
        base = everyone.permissions
        for role in self._roles_of(member):
            base |= role.permissions
        is_owner = user == self.owner
        if channel is None:
            return effective(base, is_owner=is_owner) or _NOTHING
        place = self.channels.get(channel)
        if place is None:
            return _NOTHING
        granted = effective(base, *self._levels(place, member), is_owner=is_owner)
        if member.muted:
            granted &= _NOT_OF_SPEAKING
        if place.kind not in _TALKING:
            granted &= _NOT_OF_CALLS
        return granted or _NOTHING

    def _levels(self, place: Channel, member: Member) -> tuple[Overwrite, Overwrite, Overwrite]:
        """Return what the channel says of everyone, the member's roles, and the member.

        A thread is as its channel is.
        """
        if place.kind == "thread" and place.parent is not None:
            place = self.channels.get(place.parent, place)
        if not place.overwrites:
            return NO_OVERWRITE, NO_OVERWRITE, NO_OVERWRITE
        levels = self._levels_of.get(place.id)
        if levels is None:
            levels = self._levels_of[place.id] = {
                each.subject: Overwrite(each.allow, each.deny) for each in place.overwrites
            }
        return (
            levels.get(self.server.id, NO_OVERWRITE),
            merged(levels[role.id] for role in self._roles_of(member) if role.id in levels),
            levels.get(member.user, NO_OVERWRITE),
        )


def _owner(server: Server) -> UserId | None:
    return server.owner if server.kind == "community" else None


def _rules_of(piece: Role | Channel | None) -> object:
    """Return what decisions follow from; None: it is not there."""
    match piece:
        case Role():
            return piece.permissions
        case Channel():
            return piece.kind, piece.parent, piece.overwrites
        case _:
            return None
