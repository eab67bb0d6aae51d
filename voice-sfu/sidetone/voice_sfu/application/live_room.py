"""A room together with the connections of those inside."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from sidetone.credentials.tickets import Perm, Ticket
from sidetone.protocol.events import RoomMember, VoiceRights
from sidetone.protocol.ids import DeviceId, Sender, UserId
from sidetone.protocol.voice_control import (
    ClientMessage,
    Commit,
    CommitFailed,
    Join,
    KeyframeRequest,
    KeyPackage,
    Leave,
    Ping,
    Pong,
    Renew,
    Resync,
    State,
    Stats,
    Subscribe,
)
from sidetone.voice_sfu.application.live_video import LiveVideo
from sidetone.voice_sfu.application.ports import Connection, Place, Surroundings
from sidetone.voice_sfu.domain.actions import Actions, Allow, Close, Send
from sidetone.voice_sfu.domain.limits import MediaAllowance, Verdict
from sidetone.voice_sfu.domain.meter import Drop, Meter
from sidetone.voice_sfu.domain.room import Room

Request: TypeAlias = KeyPackage | Renew | Resync | Commit | CommitFailed | State | Stats


class LiveRoom:
    """Carries out what the room decides. Everybody who goes is reported to *vacated* once.

    *notice* is called when somebody came, went or changed what they do with their sound.
    """

    def __init__(
        self,
        room: Room,
        surroundings: Surroundings,
        vacated: Callable[["Seat"], None],
        notice: Callable[[], None],
    ) -> None:
        self.channel = room.channel
        self.surroundings = surroundings
        self.seats: dict[Sender, Seat] = {}
        self.video = LiveVideo(room, self.seats, surroundings)
        # Whether there is something that ``told`` has not said yet.
        self.changed = False
        self._room = room
        self._vacated = vacated
        self._notice = notice

    def join(self, ticket: Ticket, connection: Connection) -> "Seat":
        """Seat the ticket's holder. Raises ``Refusal``."""
        sender, actions = self._room.join(ticket, self.surroundings.clock.now_ms())
        seat = Seat(self, sender, ticket.device, connection)
        self.seats[sender] = seat
        self._mark_changed()
        self.carry_out(actions)
        return seat

    def leave(self, sender: Sender) -> None:
        """Let *sender* go; a second time does nothing."""
        if sender in self.seats:
            self._vacate(sender)
            self.carry_out(self._room.leave(sender, self.surroundings.clock.now_ms()))

    def handle(self, sender: Sender, message: Request) -> None:
        """Do what the member asks for."""
        match message:
            case KeyPackage(package) | Renew(package) | Resync(package):
                self.surroundings.evidence.held("key_package", package)
                self.carry_out(self._room.offer(sender, package))
            case Commit(wire):
                self.surroundings.evidence.held("commit", wire)
                self.carry_out(self._room.commit(sender, wire))
            case CommitFailed(epoch):
                self.carry_out(self._room.commit_failed(sender, epoch))
            case State(muted, deafened):
                self._mark_changed()
                self.carry_out(self._room.set_state(sender, muted=muted, deafened=deafened))
            case Stats():
                self._room.reported(sender, message, self.surroundings.clock.now_ms())

    def route(self, sender: Sender, datagram: bytes) -> Sequence[Connection] | Drop:
        """Return the connections of those who hear *datagram*, or why nobody does."""
        route = self._room.route(sender, datagram)
        if isinstance(route, Drop):
            return route
        seats = self.seats
        return [seats[listener].connection for listener in route]

    def set_rights(self, rights: VoiceRights) -> None:
        """Apply changed rights to those of the user's devices that are here."""
        now_ms = self.surroundings.clock.now_ms()
        showing = [sender for sender in self.seats if self._room.may_show(sender)]
        self.carry_out(
            self._room.set_rights(rights.user, Perm(rights.perms), rights.generation, now_ms)
        )
        for sender in showing:
            if sender in self.seats and not self._room.may_show(sender):
                self.video.forbid(sender)

    def put_out(self, user: UserId, device: DeviceId | None) -> None:
        """Let *device* of *user* go, or every one."""
        self.carry_out(self._room.put_out(user, device, self.surroundings.clock.now_ms()))

    def told(self) -> list[RoomMember]:
        """Return who is inside, as the voice service is told."""
        self.changed = False
        return [
            RoomMember(member.user, member.device, member.muted, member.deafened)
            for member in self._room.members()
        ]

    def handle_timer(self) -> None:
        """Let the room see the time."""
        self.carry_out(self._room.handle_timer(self.surroundings.clock.now_ms()))
        self.video.handle_timer()

    def can_be_forgotten(self) -> bool:
        """Tell whether the room is empty and may be dropped."""
        return self._room.can_be_forgotten(self.surroundings.clock.now_ms())

    def carry_out(self, actions: Actions) -> None:
        """Do what the room wants done, in order."""
        for action in actions:
            match action:
                case Send(to, message):
                    for sender in to:
                        self.seats[sender].connection.send(message)
                case Allow(sender, speaks, hears):
                    self.seats[sender].connection.allow(Place(self.channel, sender, speaks, hears))
                case Close(sender, code, detail):
                    self._vacate(sender).connection.close(code, detail)

    def _vacate(self, sender: Sender) -> "Seat":
        seat = self.seats.pop(sender)
        seat.connection.withdraw()
        self.video.left(sender)
        self._mark_changed()
        self._vacated(seat)
        return seat

    def _mark_changed(self) -> None:
        self.changed = True
        self._notice()


class Seat:
    """One member's place: what the driver of its connection calls."""

    def __init__(
        self, home: LiveRoom, sender: Sender, device: DeviceId, connection: Connection
    ) -> None:
        self.sender = sender
        self.device = device
        self.channel = home.channel
        self.connection = connection
        self.meter = Meter()
        self._home = home
        self._allowance = MediaAllowance(home.surroundings.rates)

    def receive(self, datagram: bytes, now: float) -> bool:
        """Pass a frame on to whom it concerns; False if this is a flood to be ended.

        *now* is in seconds of a monotonic clock.
        """
        verdict = self._allowance.take(len(datagram), now)
        if verdict is not Verdict.PASS:
            self.drop(Drop.RATE)
            return verdict is Verdict.DROP
        route = self._home.route(self.sender, datagram)
        if isinstance(route, Drop):
            self.drop(route)
            return True
        surroundings = self._home.surroundings
        surroundings.evidence.forwarded(datagram)
        for connection in route:
            connection.forward(datagram)
        self.meter.forwarded(len(datagram), len(route))
        surroundings.meter.forwarded(len(datagram), len(route))
        return True

    def receive_video(self, stream: int, data: bytes, *, ended: bool) -> bool:
        """Pass on what came on a video stream; False if more comes than the member may send.

        Raises ``Refusal`` if the session is to end.
        """
        return self._home.video.receive(self.sender, stream, data, ended=ended)

    def video_broken_off(self, stream: int) -> None:
        """Note that the rest of a video stream will not come."""
        self._home.video.broken_off(self.sender, stream)

    def drop(self, reason: Drop) -> None:
        """Count a frame that was not passed on, from this member or to it."""
        self.meter.dropped(reason)
        self._home.surroundings.meter.dropped(reason)

    def handle(self, message: ClientMessage) -> None:
        """Do what the member asks for on its control stream."""
        match message:
            case Ping(number):
                self.connection.send(Pong(number))
            case Stats():
                self.meter.reported(message)
                self._home.surroundings.meter.reported(message)
                self._home.handle(self.sender, message)
            case Subscribe():
                self._home.video.subscribe(self.sender, message)
            case KeyframeRequest():
                self._home.video.request(self.sender, message)
            case Leave():
                self.leave()
                self.connection.close("left", "goodbye")
            case Join():
                self.leave()
                self.connection.close("join_repeated", "a connection joins once")
            case _:
                self._home.handle(self.sender, message)

    def leave(self) -> None:
        """Give up the place; a second time does nothing."""
        self._home.leave(self.sender)
