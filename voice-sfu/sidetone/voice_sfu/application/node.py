"""One forwarding unit: its rooms, its door, and what the voice service tells it."""

import asyncio
from collections.abc import Iterable

import structlog

from sidetone.protocol.events import MemberPutOut, NodeAlive, RoomChanged, VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId
from sidetone.protocol.questions import Briefing
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.voice_control import Move
from sidetone.voice_sfu.application.live_room import LiveRoom, Seat
from sidetone.voice_sfu.application.ports import Connection, Surroundings
from sidetone.voice_sfu.domain.admission import Admission
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.domain.splits import Splits

# How far back a briefing reaches; the voice service remembers changes of rights for ten minutes.
RIGHTS_REMEMBERED_SECONDS = 9 * 60

_log = structlog.get_logger()


class Node:
    """Lets devices in, one connection each, and keeps rooms by channel."""

    def __init__(self, node: NodeId, surroundings: Surroundings, room_members_max: int) -> None:
        self.node = node
        self.tally = surroundings.meter
        self.draining = False
        self.rooms_changed = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self._surroundings = surroundings
        self._room_members_max = room_members_max
        self._admission = Admission(node)
        self._splits = Splits(node)
        self._rooms: dict[ChannelId, LiveRoom] = {}
        self._seats: dict[DeviceId, Seat] = {}
        self._briefed_at: float | None = None

    @property
    def meter(self) -> Meter:
        """The unit's sums as of now; *tally* may be some seconds behind."""
        for seat in self._seats.values():
            seat.connection.settle()
        return self.tally

    def join(self, connection: Connection, ticket_wire: bytes) -> Seat:
        """Let the holder of a ticket in; an older connection of the same device is ended.

        Raises ``Unauthenticated`` or ``Unavailable``.
        """
        if self.draining:
            raise Unavailable("node_draining", "this voice node is going away; join again")
        ticket = self._admission.admit(ticket_wire, self._now_seconds())
        older = self._seats.get(ticket.device)
        if older is not None:
            older.leave()
            older.connection.close("device_replaced", "this device joined again elsewhere")
        room = self._room(ticket.channel)
        seat = room.join(ticket, connection)
        self.tally.joins += 1
        self._seats[seat.device] = seat
        self.empty.clear()
        _log.info("member_joined", room=seat.channel, sender=seat.sender)
        return seat

    def brief(self, briefing: Briefing) -> None:
        """Take over ticket keys, and changes of rights that the bus may have lost.

        After a silence in which a change may have been missed for good, everybody is asked to
        join again: who lost their rights gets no ticket.
        """
        for key in briefing.ticket_keys.values():
            self._surroundings.evidence.held("ticket_key", key)
        self._admission.brief(briefing.ticket_keys, briefing.watermarks, self._now_seconds())
        for rights in briefing.watermarks:
            self._apply(rights)
        now = self._now_seconds()
        if self._briefed_at is not None and now - self._briefed_at > RIGHTS_REMEMBERED_SECONDS:
            self._move(self._seats.values(), "rights_unknown")
        self._briefed_at = now

    def change_rights(self, rights: VoiceRights) -> None:
        """Apply what *rights* says to tickets on their way and to live connections."""
        self._admission.revoke(rights, self._now_seconds())
        self._apply(rights)

    def handle_timer(self) -> None:
        """Let rooms see the time, and forget those that are over."""
        for channel, room in list(self._rooms.items()):
            room.handle_timer()
            if room.can_be_forgotten():
                del self._rooms[channel]

    def rooms(self) -> list[ChannelId]:
        """Return the channels with somebody inside."""
        return [channel for channel, room in self._rooms.items() if room.seats]

    def told(self, *, only_changed: bool) -> list[RoomChanged]:
        """Return who is in each room, or in each that changed since it was told."""
        return [
            RoomChanged(self.node, channel, room.told())
            for channel, room in self._rooms.items()
            if room.changed or (room.seats and not only_changed)
        ]

    def put_out(self, event: MemberPutOut) -> None:
        """Take a user, or one of their devices, out of a room if they are in it."""
        room = self._rooms.get(event.channel)
        if room is not None:
            room.put_out(event.user, event.device)

    def seats(self) -> list[Seat]:
        """Return the places that are taken."""
        return list(self._seats.values())

    def connections(self) -> int:
        """Return how many devices are inside."""
        return len(self._seats)

    def hear_unit(self, alive: NodeAlive) -> None:
        """Let a room that another unit holds too grow together there."""
        now_ms = self._surroundings.clock.now_ms()
        for channel in self._splits.hear(alive, self.rooms(), now_ms):
            _log.warning("room_was_split", room=channel, other=alive.node)
            self._move(self._rooms[channel].seats.values(), "room_elsewhere")

    def drain(self, reason: str) -> None:
        """Let nobody in any more, and ask everybody to join again elsewhere."""
        self.draining = True
        self.rooms_changed.set()
        self._move(self._seats.values(), reason)

    @staticmethod
    def _move(seats: Iterable[Seat], reason: str) -> None:
        for seat in seats:
            seat.connection.send(Move(reason))

    def _room(self, channel: ChannelId) -> LiveRoom:
        room = self._rooms.get(channel)
        if room is None:
            around = self._surroundings
            made = Room(channel, self._room_members_max, around.rates, around.video_rates)
            room = self._rooms[channel] = LiveRoom(
                made, self._surroundings, self._vacated, self.rooms_changed.set
            )
        return room

    def _apply(self, rights: VoiceRights) -> None:
        room = self._rooms.get(rights.channel)
        if room is not None:
            room.set_rights(rights)

    def _vacated(self, seat: Seat) -> None:
        del self._seats[seat.device]
        if not self._seats:
            self.empty.set()
        _log.info(
            "member_left",
            room=seat.channel,
            sender=seat.sender,
            packets_in=seat.meter.frames_in,
            packets_heard=seat.meter.frames_out,
            video_frames_in=seat.meter.video.frames_in,
            dropped={reason.value: count for reason, count in seat.meter.drops.items()},
        )

    def _now_seconds(self) -> float:
        return self._surroundings.clock.now_ms() / 1000
