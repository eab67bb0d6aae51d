"""One connection to one room: feeds the member of the group, and carries out what it asks for.

Holds no policy: whether and where to connect again is the call's decision.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sidetone.client.media_thread import RemoteLink
from sidetone.client.screen_streams import Arrival
from sidetone.client.stats import Tally
from sidetone.e2ee import actions
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.media import Opened
from sidetone.e2ee.member import Member
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.trust import Trust
from sidetone.native.clock import now_ns
from sidetone.protocol import voice_control as control
from sidetone.protocol.refusals import Unavailable


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a connection ended: a stable code and one sentence."""

    code: str
    detail: str


class SessionOwner(Protocol):
    """Who hears what a session brings. Called on the event loop; must not block."""

    tally: Tally

    def on_group(self, action: actions.Action) -> None:
        """Take what changed in the group, or what it wants that only the client can give."""
        ...

    def on_room(self, message: control.ServerMessage) -> None:
        """Take what the room told."""
        ...

    def on_video(self, arrival: Arrival) -> None:
        """Take how a video frame came; if it was not cut, it is opened next."""
        ...

    def on_opened(self, opened: Opened) -> None:
        """Take a frame that was decrypted."""
        ...


class Session:
    """A member in a room over one link. Times it hands to the member are UTC milliseconds.

    The wall clock is read once: a clock that is set during a call must not end it. ``welcomed``
    and ``in_group`` are done when the join got that far, or fail with ``lost`` as ``Unavailable``.
    """

    def __init__(
        self,
        device: tuple[DeviceIdentity, Trust],
        grant: bytes,
        grant_keys: list[bytes],
        audio: AudioKeys,
        owner: SessionOwner,
    ) -> None:
        identity, trust = device
        self.member = Member(identity, grant, trust, secrets.token_bytes, grant_keys, audio)
        audio.forget()
        audio.to_ns = self._to_ns
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[Lost] = self._loop.create_future()
        self.welcomed: asyncio.Future[None] = self._loop.create_future()
        self.in_group: asyncio.Future[None] = self._loop.create_future()
        self.link: RemoteLink | None = None
        self._owner = owner
        self._error: control.Error | None = None
        self._utc_ms = time.time() * 1000 - self._loop.time() * 1000
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ms: int | None = None

    def now_ms(self) -> int:
        """Return the time as the member knows it."""
        return int(self._loop.time() * 1000 + self._utc_ms)

    def _to_ns(self, at_ms: int) -> int:
        return now_ns() + (at_ms - self.now_ms()) * 1_000_000

    def start(self, link: RemoteLink, ticket: bytes) -> None:
        """Ask the room to let us in."""
        self.link = link
        link.send(control.Join(ticket))

    async def leave(self) -> None:
        """Say goodbye and close."""
        self._stop(Lost("left", "the call was left"))
        if self.link is not None:
            self.link.send(control.Leave())
            await self.link.close()

    def abort(self, lost: Lost) -> None:
        """Close at once."""
        self._stop(lost)
        if self.link is not None:
            self.link.abort()

    # --- media ---

    def send_data(self, payload: bytes) -> None:
        """Encrypt one packet of the data kind and send it to all; see `e2ee.data`.

        Outside an epoch it is dropped and counted.
        """
        if self.link is None or self.lost.done():
            return
        try:
            frame = self.member.seal_data(payload, self.now_ms())
        except Rejected as rejected:
            self._owner.tally.not_sent[rejected.code] += 1
        else:
            self.link.send_frame(frame)

    async def show(self, encoded: bytes, *, keyframe: bool) -> bool:
        """Encrypt one video frame and send it as the path takes it.

        False if it was not sent: outside an epoch, without a connection, or cut.
        """
        if self.link is None or self.lost.done():
            return False
        try:
            frame = self.member.seal_video(encoded, self.now_ms(), keyframe=keyframe, end=True)
        except Rejected as rejected:
            self._owner.tally.not_sent[rejected.code] += 1
            return False
        return await self.link.show(frame)

    def video_received(self, arrival: Arrival) -> None:
        """Decrypt one video frame, if it was not cut on its way."""
        if self.lost.done():
            return
        self._owner.on_video(arrival)
        if arrival.frame is not None:
            self.frame_received(arrival.frame)

    def frame_received(self, frame: bytes) -> None:
        """Decrypt one frame that is not audio; what does not open is dropped and counted."""
        try:
            opened = self.member.open(frame, self.now_ms())
        except Rejected as rejected:
            self._owner.tally.refused[rejected.code] += 1
            return
        if opened is None:
            self._arm()
        else:
            self._owner.on_opened(opened)

    # --- the room ---

    def message_received(self, message: control.ServerMessage) -> None:
        """Hand one control message to the member and to the owner."""
        if self.lost.done():
            return
        now_ms = self.now_ms()
        match message:
            case control.KeyPackages(packages):
                pairs = [(package.sender, package.package) for package in packages]
                self.act(self.member.key_packages(pairs, now_ms))
            case control.Commit(wire):
                self.act(self.member.commit(wire, now_ms))
            case control.CommitRejected(epoch):
                self.act(self.member.commit_rejected(epoch, now_ms))
            case control.Remove(senders):
                self.act(self.member.remove(senders, now_ms))
            case control.GroupEnded():
                self.act(self.member.group_ended(now_ms))
            case _:
                self._room_told(message, now_ms)

    def link_closed(self, code: str, detail: str) -> None:
        """Note that the connection is over, in the node's words where it said any."""
        error = self._error
        self._stop(Lost(code, error.detail if error and error.code == code else detail))

    def _room_told(self, message: control.ServerMessage, now_ms: int) -> None:
        self._owner.on_room(message)
        match message:
            case control.Welcome():
                joined = [peer.sender for peer in message.peers]
                self.act(self.member.welcomed(message.sender, message.roster, joined, now_ms))
                _done(self.welcomed)
            case control.PeerJoined(peer):
                self.act(self.member.peer_joined(peer.sender, now_ms))
            case control.PeerLeft(sender):
                self.act(self.member.peer_left(sender, now_ms))
            case control.Move(reason):
                self.abort(Lost("moved", f"the voice node sends everybody elsewhere: {reason}"))
            case control.Error():
                self._error = message
                self._owner.tally.refused[message.code] += 1
            case _:
                pass

    # --- the member ---

    def act(self, wanted: Iterable[actions.Action]) -> None:
        """Carry out what the member wants, in order, and wake it in time."""
        for action in wanted:
            message = _message_of(action)
            if message is not None:
                if self.link is not None:
                    self.link.send(message)
            elif isinstance(action, actions.FrameOpened):
                self._owner.on_opened(action.opened)
            else:
                self._note(action)
                self._owner.on_group(action)
        self._arm()

    def _note(self, action: actions.Action) -> None:
        match action:
            case actions.EpochStarted():
                _done(self.in_group)
            case actions.Refused(code):
                self._owner.tally.refused[code] += 1
            case actions.Removed():
                self.abort(Lost("removed", "the others removed this device from the group"))
            case _:
                pass

    def _arm(self) -> None:
        at_ms = self.member.timer()
        if at_ms == self._timer_ms or self.lost.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_ms = at_ms
        if at_ms is not None:
            delay_seconds = max(0, at_ms - self.now_ms()) / 1000
            self._timer = self._loop.call_later(delay_seconds, self._handle_timer)

    def _handle_timer(self) -> None:
        self._timer = self._timer_ms = None
        self.act(self.member.handle_timer(self.now_ms()))

    def _stop(self, lost: Lost) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.lost.done():
            self.lost.set_result(lost)
            for milestone in (self.welcomed, self.in_group):
                if not milestone.done():
                    milestone.set_exception(Unavailable(lost.code, lost.detail))
                    # Nobody may be waiting for it, and that is no fault to be logged.
                    milestone.exception()


def _done(milestone: asyncio.Future[None]) -> None:
    if not milestone.done():
        milestone.set_result(None)


def _message_of(action: actions.Action) -> control.ClientMessage | None:
    match action:
        case actions.SendKeyPackage(wire):
            return control.KeyPackage(wire)
        case actions.SendRenewal(wire):
            return control.Renew(wire)
        case actions.SendCommit(wire):
            return control.Commit(wire)
        case actions.SendCommitFailed(epoch):
            return control.CommitFailed(epoch)
        case actions.SendResync(wire):
            return control.Resync(wire)
        case _:
            return None
