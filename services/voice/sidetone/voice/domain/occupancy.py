"""Who is in which room, by what the forwarding units tell.

A unit tells each of its rooms every second. One that falls silent takes its rooms with it. While a
call moves from one unit to another both may report it, and those in either are in the call.
"""

from collections.abc import Sequence

import msgspec

from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import RoomChanged, RoomMember, VoiceStateChanged
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, ServerId, UserId

# Two reports of a room may be lost.
SILENT_MS = 2_500
ROOMS_MAX = 20_000


class _Room(msgspec.Struct):
    """What one unit says of a room, since when, and when it said so last."""

    members: dict[DeviceId, RoomMember]
    heard_at_ms: int


class Occupancy:
    """The rooms with somebody inside; of more than ``ROOMS_MAX`` the others are not heard."""

    def __init__(self) -> None:
        self._rooms: dict[ChannelId, dict[NodeId, _Room]] = {}

    def hear(self, told: RoomChanged, now_ms: int) -> bool:
        """Take what a unit tells; return whether that changed who is inside, or how."""
        before = self.inside(told.channel)
        rooms = self._rooms.get(told.channel, {})
        if told.members and (rooms or len(self._rooms) < ROOMS_MAX):
            members = {DeviceId(member.device): member for member in told.members}
            self._rooms.setdefault(told.channel, rooms)[told.node] = _Room(members, now_ms)
        else:
            self._drop(told.channel, told.node)
        return before != self.inside(told.channel)

    def end_silent(self, now_ms: int) -> list[ChannelId]:
        """Empty the rooms that their units do not speak of any more; return which."""
        silent = [
            (channel, node)
            for channel, rooms in self._rooms.items()
            for node, room in rooms.items()
            if now_ms - room.heard_at_ms >= SILENT_MS
        ]
        for channel, node in silent:
            self._drop(channel, node)
        return [channel for channel, _ in silent]

    def inside(self, channel: ChannelId) -> dict[DeviceId, RoomMember]:
        """Return who is in *channel*, by device."""
        rooms = self._rooms.get(channel, {})
        return {
            device: member for room in rooms.values() for device, member in room.members.items()
        }

    def users(self, channel: ChannelId) -> frozenset[UserId]:
        """Return which users are in *channel*."""
        return frozenset(member.user for member in self.inside(channel).values())

    def counts(self) -> tuple[int, int]:
        """Return how many rooms there are, and how many devices are in them."""
        return len(self._rooms), sum(len(self.inside(channel)) for channel in self._rooms)

    def _drop(self, channel: ChannelId, node: NodeId) -> None:
        rooms = self._rooms.get(channel, {})
        rooms.pop(node, None)
        if not rooms:
            self._rooms.pop(channel, None)


def states_of(
    server: ServerId,
    channel: ChannelId,
    inside: dict[DeviceId, RoomMember],
    before: Sequence[VoiceState],
    now_ms: int,
) -> list[VoiceState]:
    """Return the voice states in *channel*, sorted; who was there *before* keeps their time."""
    since_ms = {(state.user, state.device): state.since_ms for state in before}
    states = [
        VoiceState(
            member.user,
            device,
            server,
            channel,
            member.muted,
            member.deafened,
            since_ms.get((member.user, device), now_ms),
        )
        for device, member in inside.items()
    ]
    return sorted(states, key=lambda state: (state.since_ms, state.device))


def changes(
    channel: ChannelId, before: Sequence[VoiceState], after: Sequence[VoiceState]
) -> list[VoiceStateChanged]:
    """Return what is told of the step from *before* to *after*: one event for each user.

    Of a user with several devices in the channel the first one stands for them.
    """
    earlier, later = _by_user(before), _by_user(after)
    return [
        VoiceStateChanged(channel, user, later.get(user))
        for user in {**earlier, **later}
        if earlier.get(user) != later.get(user)
    ]


def _by_user(states: Sequence[VoiceState]) -> dict[UserId, VoiceState]:
    # Turned round, so that the first of several is what stays.
    return {state.user: state for state in reversed(states)}
