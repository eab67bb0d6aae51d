"""One voice room, without the network: who is in it, who hears whom, whose commit is next.

Control plane (rare) changes the members and forgets what was looked up; data plane, ``route``, is
a dictionary lookup. Every control method returns all the actions it causes, in the order in which
each client must see them: a key package before the commit that adds it, an announced remove after
the key package that replaces the old one. Times are UTC milliseconds.
"""

from collections.abc import Iterable

import msgspec

from sidetone.credentials.tickets import Perm, Ticket
from sidetone.e2ee import commit as commits
from sidetone.e2ee import keypackage
from sidetone.e2ee.frames import (
    DATAGRAM_LENGTH_MAX,
    FRAME_LENGTH_MIN,
    VIDEO_LENGTH_MAX,
    parse_header,
)
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol.ids import ChannelId, DeviceId, Sender, UserId
from sidetone.protocol.refusals import Forbidden, Invalid, Refusal, Unavailable
from sidetone.protocol.voice_control import (
    KEY_PACKAGES_PER_MESSAGE_MAX,
    Commit,
    CommitRejected,
    Error,
    GroupEnded,
    KeyPackages,
    Limits,
    Peer,
    PeerJoined,
    PeerLeft,
    PeerState,
    Reception,
    Remove,
    Rights,
    SenderPackage,
    ServerMessage,
    Stats,
    Welcome,
)
from sidetone.voice_sfu.domain.actions import Action, Actions, Allow, Close, Send
from sidetone.voice_sfu.domain.group import Group
from sidetone.voice_sfu.domain.limits import Rates, VideoRates
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.reception import Losses
from sidetone.voice_sfu.domain.senders import Senders

# As many reports of one commit as make its author lose the right to commit.
FAILURES_TO_DEMOTE = 2


class Member(msgspec.Struct):
    """One connected device."""

    user: UserId
    device: DeviceId
    permissions: Perm
    generation: int
    muted: bool = False
    deafened: bool = False

    def hears(self) -> bool:
        """Tell whether frames are forwarded to the member: by its own will, and a moderator's."""
        return not self.deafened and Perm.DEAFENED not in self.permissions

    def speaks(self) -> bool:
        """Tell whether the member's frames are forwarded."""
        return not self.muted and Perm.SPEAK in self.permissions

    def shows(self) -> bool:
        """Tell whether the member's video is forwarded."""
        return Perm.VIDEO in self.permissions


class Room:
    """The members of one channel, and the state of their group."""

    def __init__(
        self,
        channel: ChannelId,
        members_max: int,
        rates: Rates,
        video_rates: VideoRates = VideoRates(),  # noqa: B008 - it is frozen
    ) -> None:
        self.channel = channel
        self._members_max = members_max
        self._limits = _limits(rates, video_rates)
        self._senders = Senders()
        self._members: dict[Sender, Member] = {}
        self._waiting: dict[Sender, KeyPackage] = {}
        self._group: Group | None = None
        self._demoted: set[Sender] = set()
        self._failed_for: set[UserId] = set()
        self._listeners: dict[Sender, tuple[Sender, ...]] = {}
        self._losses = Losses()

    # --- members ---

    def join(self, ticket: Ticket, now_ms: int) -> tuple[Sender, Actions]:
        """Let the ticket's holder in. Raises ``Unavailable`` when there is no place."""
        taken = {*self._members, *(self._group.roster if self._group else ())}
        room_left = len(self._members) < self._members_max
        sender = self._senders.take(taken, now_ms) if room_left else None
        if sender is None:
            raise Unavailable("room_full", "the voice channel is full; try again later")
        others = self._everybody()
        member = Member(ticket.user, ticket.device, ticket.perms, ticket.generation)
        welcome = self._welcome(sender, ticket.perms)
        self._members[sender] = member
        self._listeners.clear()
        actions: list[Action] = [Send((sender,), welcome), _allow(sender, member)]
        actions += [Send((sender,), message) for message in self._group_so_far()]
        if others:
            actions.append(Send(others, PeerJoined(_peer(sender, member))))
        return sender, tuple(actions)

    def leave(self, sender: Sender, now_ms: int) -> Actions:
        """Forget *sender*; who is not here leaves nothing behind, as disconnects may race."""
        if self._members.pop(sender, None) is None:
            return ()
        self._senders.retire(sender, now_ms)
        self._waiting.pop(sender, None)
        self._demoted.discard(sender)
        self._losses.forget(sender)
        self._listeners.clear()
        return (*self._tell_all(PeerLeft(sender)), *self._announce([sender]))

    def set_state(self, sender: Sender, *, muted: bool, deafened: bool) -> Actions:
        """Note what the member does with its own sound."""
        member = self._members[sender]
        if (member.muted, member.deafened) == (muted, deafened):
            return ()
        member.muted, member.deafened = muted, deafened
        self._listeners.clear()
        told = self._tell_others(sender, PeerState(sender, muted, deafened))
        return (_allow(sender, member), *told)

    def set_rights(self, user: UserId, permissions: Perm, generation: int, now_ms: int) -> Actions:
        """Apply changed rights to every device of *user*; without CONNECT they are put out.

        What is older than the member's ticket, or than the last change, is ignored.
        """
        actions: list[Action] = []
        for sender, member in list(self._members.items()):
            if member.user == user and member.generation <= generation:
                member.generation = generation
                actions += self._apply_rights(sender, member, permissions, now_ms)
        return tuple(actions)

    def handle_timer(self, now_ms: int) -> Actions:
        """Announce removals of members whose key package has run out; tell speakers of losses."""
        removes = self._announce(self._group.expired(now_ms)) if self._group else ()
        news = self._losses.news(self._members, now_ms)
        losses = (Send(tuple(to), Reception(percent)) for percent, to in news.items())
        return (*removes, *losses)

    def reported(self, sender: Sender, stats: Stats, now_ms: int) -> None:
        """Note what reached *sender*; the others learn of it with the next look at the time.

        So however many reports come, each costs the room next to nothing.
        """
        self._losses.report(sender, stats.received, stats.lost, now_ms)

    def put_out(self, user: UserId, device: DeviceId | None, now_ms: int) -> Actions:
        """Let *device* of *user* go, or every one; they may join again."""
        actions: list[Action] = []
        for sender, member in list(self._members.items()):
            if member.user == user and device in {None, member.device}:
                actions.append(Close(sender, "put_out", "you were taken out of the call"))
                actions += self.leave(sender, now_ms)
        return tuple(actions)

    def members(self) -> list[Member]:
        """Return who is connected, each device for itself."""
        return list(self._members.values())

    def may_show(self, sender: Sender) -> bool:
        """Tell whether *sender* is here and may send video."""
        member = self._members.get(sender)
        return member is not None and member.shows()

    def can_be_forgotten(self, now_ms: int) -> bool:
        """Tell whether an empty room holds nothing that a later call would need."""
        return not self._members and not self._senders.resting(now_ms)

    # --- the cryptographic group ---

    def offer(self, sender: Sender, wire: bytes) -> Actions:
        """Take the key package of a joiner, or one that renews a member's leaf or re-admits it.

        The three are one: the package waits, the others learn it, and if the sender is in the
        group its old self is announced for removal.
        """
        try:
            package = self._own_package(sender, wire)
        except Refusal as refusal:
            return (Send((sender,), Error(refusal.code, refusal.detail)),)
        self._waiting[sender] = package
        message = KeyPackages([SenderPackage(sender, package.wire)])
        return (*self._tell_others(sender, message), *self._announce([sender]))

    def commit(self, sender: Sender, wire: bytes) -> Actions:
        """Accept the next commit and relay it, or tell its sender why not.

        It goes to everybody, with the receiver's own wrap only: those in the group follow it,
        those who wait see the roster change, and to its author it is the acknowledgement.
        """
        try:
            commit = commits.parse(wire)
        except Rejected as rejected:
            epoch = self._group.epoch if self._group else 0
            return (Send((sender,), CommitRejected(epoch, rejected.code)),)
        try:
            self._accept(sender, commit)
        except Refusal as refusal:
            return (Send((sender,), CommitRejected(commit.epoch, refusal.code)),)
        return tuple(Send((to,), Commit(commit.for_member(to))) for to in self._members)

    def commit_failed(self, sender: Sender, epoch: int) -> Actions:
        """Note that *sender* cannot process the commit that started *epoch*.

        Two users who say so about the same commit take its author out of the election: its
        commits are refused until it joins again.
        """
        group = self._group
        if group is None or epoch != group.epoch or sender not in group.roster:
            return ()
        if sender == group.author:
            return ()
        self._failed_for.add(self._members[sender].user)
        if len(self._failed_for) < FAILURES_TO_DEMOTE or group.author not in self._members:
            return ()
        self._demoted.add(group.author)
        return self._end_group_if_stuck()

    # --- media ---

    def route(self, sender: Sender, datagram: bytes) -> tuple[Sender, ...] | Drop:
        """Return who hears *datagram*, or why nobody does.

        Data is no sound and goes to the deafened as well: they are to see who records the call.
        """
        if not FRAME_LENGTH_MIN <= len(datagram) <= DATAGRAM_LENGTH_MAX:
            return Drop.SIZE
        header = parse_header(datagram)
        if header is None:
            return Drop.FORMAT
        if header.sender != sender:
            return Drop.SENDER
        if header.kind is MediaKind.VIDEO:
            return Drop.KIND
        if header.kind is MediaKind.DATA:
            return tuple(other for other in self._members if other != sender)
        return self._route_audio(sender)

    # --- inside ---

    def _route_audio(self, sender: Sender) -> tuple[Sender, ...] | Drop:
        member = self._members[sender]
        if not member.speaks():
            return Drop.SILENCED
        listeners = self._listeners.get(sender)
        return self._look_up(sender) if listeners is None else listeners

    def _look_up(self, sender: Sender) -> tuple[Sender, ...]:
        listeners = tuple(
            other for other, member in self._members.items() if other != sender and member.hears()
        )
        self._listeners[sender] = listeners
        return listeners

    def _apply_rights(
        self, sender: Sender, member: Member, permissions: Perm, now_ms: int
    ) -> Actions:
        if Perm.CONNECT not in permissions:
            put_out = Close(sender, "rights_lost", "you may not be in this voice channel any more")
            return (put_out, *self.leave(sender, now_ms))
        if member.permissions == permissions:
            return ()
        member.permissions = permissions
        self._listeners.clear()
        return (_allow(sender, member), Send((sender,), Rights(int(permissions))))

    def _accept(self, sender: Sender, commit: commits.Commit) -> None:
        if sender in self._demoted:
            raise Forbidden("commit_demoted", "others could not process your commit; join again")
        if self._group is None:
            self._group = Group.found(commit, sender, self.channel.bytes, self._waiting)
        else:
            self._group.follow(commit, sender, self._waiting)
        for added, _ in commit.adds:
            del self._waiting[Sender(added)]
        self._failed_for.clear()

    def _own_package(self, sender: Sender, wire: bytes) -> KeyPackage:
        try:
            package = keypackage.parse(wire)
        except Rejected as rejected:
            raise Invalid("package_malformed", rejected.detail) from None
        member = self._members[sender]
        bound = (self.channel.bytes, member.user.bytes, member.device.bytes, sender)
        if (package.channel, package.user, package.device, package.sender) != bound:
            raise Forbidden("package_foreign", "the key package is not for this place in the room")
        return package

    def _announce(self, senders: Iterable[Sender]) -> Actions:
        if self._group is None:
            return ()
        announced = self._group.announce(senders)
        return self._end_group_if_stuck() or (
            self._tell_all(Remove(announced)) if announced else ()
        )

    def _end_group_if_stuck(self) -> Actions:
        if self._group is None or self._group.can_go_on(self._members, self._demoted):
            return ()
        self._group = None
        self._waiting.clear()
        self._failed_for.clear()
        return self._tell_all(GroupEnded())

    def _group_so_far(self) -> list[ServerMessage]:
        """Return what a joiner must know besides ``Welcome``: packages first, then removes."""
        roster = self._group.roster if self._group else {}
        packages = [
            SenderPackage(sender, package.wire)
            for held in (roster, self._waiting)
            for sender, package in held.items()
        ]
        messages: list[ServerMessage] = [
            KeyPackages(packages[start : start + KEY_PACKAGES_PER_MESSAGE_MAX])
            for start in range(0, len(packages), KEY_PACKAGES_PER_MESSAGE_MAX)
        ]
        if self._group and self._group.leaving:
            messages.append(Remove(sorted(self._group.leaving)))
        return messages

    def _welcome(self, sender: Sender, permissions: Perm) -> Welcome:
        group = self._group
        return Welcome(
            sender=sender,
            permissions=int(permissions),
            peers=[_peer(other, member) for other, member in self._members.items()],
            group=group.id if group else None,
            epoch=group.epoch if group else None,
            roster=sorted(group.roster) if group else [],
            limits=self._limits,
        )

    def _everybody(self) -> tuple[Sender, ...]:
        return tuple(self._members)

    def _tell_all(self, message: ServerMessage) -> Actions:
        return (Send(self._everybody(), message),) if self._members else ()

    def _tell_others(self, sender: Sender, message: ServerMessage) -> Actions:
        others = tuple(other for other in self._members if other != sender)
        return (Send(others, message),) if others else ()


def _limits(rates: Rates, video_rates: VideoRates) -> Limits:
    return Limits(
        packets_per_second=rates.packets_per_second,
        bits_per_second=rates.bits_per_second,
        frame_bytes_max=DATAGRAM_LENGTH_MAX,
        video_frames_per_second=video_rates.frames_per_second,
        video_bits_per_second=video_rates.bits_per_second,
        video_frame_bytes_max=VIDEO_LENGTH_MAX,
    )


def _allow(sender: Sender, member: Member) -> Allow:
    return Allow(sender, member.speaks(), member.hears())


def _peer(sender: Sender, member: Member) -> Peer:
    return Peer(sender, member.user, member.device, member.muted, member.deafened)
