"""The room with real VX1 members inside: both sides of the contract, in virtual time."""

import contextlib
import random
from collections import deque

import pytest
from nacl.signing import SigningKey

from sidetone.credentials.tickets import Ticket
from sidetone.e2ee import actions
from sidetone.e2ee.grant import Grant, sign_grant
from sidetone.e2ee.identity import DeviceIdentity, create_identity
from sidetone.e2ee.member import Member
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.trust import Trust
from sidetone.protocol import voice_control as told
from sidetone.protocol.ids import Sender
from sidetone.protocol.voice_control import ServerMessage
from sidetone.voice_sfu.domain.actions import Actions, Allow, Send
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.room import Room
from tests.load.sfu_stage import CHANNEL
from tests.load.vx1_shapes import ticket

GRANT_SEED = bytes(31) + b"\x05"
GRANT_KEY = SigningKey(GRANT_SEED).verify_key.encode()
START_MS = 1_800_000_000_000


class Call:
    """A room, its members, and the time they live in."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.room = Room(CHANNEL, 200, Rates())
        self.now_ms = START_MS
        self.members: dict[Sender, Member] = {}
        self.tickets: dict[Sender, Ticket] = {}
        self.identities: dict[Sender, DeviceIdentity] = {}
        self.refused: list[str] = []
        self.ended = 0
        self.streams: deque[tuple[Sender, ServerMessage]] = deque()
        self.reading = False

    def join(self) -> Sender:
        shown = ticket()
        user, device = shown.user.bytes, shown.device.bytes
        identity = create_identity(user, device, self.now_ms, self.random.randbytes)
        grant = self.grant(shown, identity.uik, identity.dk)
        member = Member(identity, grant, Trust(), self.random.randbytes, [GRANT_KEY])
        sender, caused = self.room.join(shown, self.now_ms)
        self.members[sender], self.tickets[sender] = member, shown
        self.identities[sender] = identity
        self.deliver(caused)
        return sender

    def grant(self, shown: Ticket, uik: bytes, dk: bytes) -> bytes:
        not_after_ms = self.now_ms + 2 * 3600 * 1000
        names = (CHANNEL.bytes, shown.user.bytes, shown.device.bytes)
        return sign_grant(GRANT_SEED, Grant(*names, uik, dk, not_after_ms))

    def leave(self, sender: Sender) -> Member:
        self.deliver(self.room.leave(sender, self.now_ms))
        return self.members.pop(sender)

    def renew(self, sender: Sender) -> None:
        identity = self.identities[sender]
        grant = self.grant(self.tickets[sender], identity.uik, identity.dk)
        self.act(sender, self.members[sender].renew(grant, self.now_ms))

    def deliver(self, caused: Actions) -> None:
        """Put messages on the members' streams, and let all be read, each in its order."""
        for action in caused:
            if not isinstance(action, Send):
                assert isinstance(action, Allow)
                continue
            self.streams.extend((sender, action.message) for sender in action.to)
        if self.reading:
            return
        self.reading = True
        while self.streams:
            sender, message = self.streams.popleft()
            if sender in self.members:
                self.act(sender, self._tell(sender, message))
        self.reading = False

    def act(self, sender: Sender, wanted: tuple[actions.Action, ...]) -> None:
        for action in wanted:
            match action:
                case (
                    actions.SendKeyPackage(wire)
                    | actions.SendRenewal(wire)
                    | actions.SendResync(wire)
                ):
                    self.deliver(self.room.offer(sender, wire))
                case actions.SendCommit(wire):
                    self.deliver(self.room.commit(sender, wire))
                case actions.SendCommitFailed(epoch):
                    self.deliver(self.room.commit_failed(sender, epoch))
                case actions.Refused(code, _):
                    self.refused.append(code)
                case _:
                    pass

    def wait(self, ms: int) -> None:
        """Let time pass, with every timer on the way."""
        until = self.now_ms + ms
        while True:
            due = [
                (at, sender)
                for sender, member in self.members.items()
                if (at := member.timer()) is not None and at <= until
            ]
            if not due:
                break
            at, sender = min(due)
            self.now_ms = max(self.now_ms, at)
            self.act(sender, self.members[sender].handle_timer(self.now_ms))
        self.now_ms = until
        self.deliver(self.room.handle_timer(self.now_ms))

    def agree(self) -> bool:
        states = {(member.epoch, member.code) for member in self.members.values()}
        rosters = [
            {each.sender for each in member.participants} for member in self.members.values()
        ]
        return len(states) == 1 and all(roster == set(self.members) for roster in rosters)

    def _tell(  # noqa: C901, PLR0911
        self, sender: Sender, message: ServerMessage
    ) -> tuple[actions.Action, ...]:
        member, now = self.members[sender], self.now_ms
        match message:
            case told.Welcome():
                joined = [peer.sender for peer in message.peers]
                return member.welcomed(sender, message.roster, joined, now)
            case told.KeyPackages(packages):
                return member.key_packages([(p.sender, p.package) for p in packages], now)
            case told.Commit(wire):
                return member.commit(wire, now)
            case told.CommitRejected(epoch, _):
                return member.commit_rejected(epoch, now)
            case told.Remove(senders):
                return member.remove(senders, now)
            case told.GroupEnded():
                self.ended += 1
                return member.group_ended(now)
            case told.PeerJoined(peer):
                return member.peer_joined(peer.sender, now)
            case told.PeerLeft(left):
                return member.peer_left(left, now)
            case _:
                return ()


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_everybody_ends_in_one_epoch_and_hears_everybody(seed: int) -> None:
    call = Call(seed)
    for _ in range(60):
        happening = call.random.random()
        if happening < 0.4 or len(call.members) < 2:
            if len(call.members) < 10:
                call.join()
        elif happening < 0.6:
            call.leave(call.random.choice(sorted(call.members)))
        elif happening < 0.75:
            sender = call.random.choice(sorted(call.members))
            call.act(sender, call.members[sender].resync(call.now_ms))
        call.wait(call.random.choice((0, 0, 50, 400, 3_000)))
    call.wait(20_000)
    assert call.agree()
    for sender, member in call.members.items():
        frame = member.seal_audio(b"opus", call.now_ms)
        listeners = call.room.route(sender, frame)
        assert set(listeners) == set(call.members) - {sender}  # pyright: ignore[reportArgumentType]
        for other in set(call.members) - {sender}:
            opened = call.members[other].open(frame, call.now_ms)
            assert opened is not None
            assert opened.payload == b"opus"


def test_who_was_put_out_cannot_open_what_is_said_a_second_later() -> None:
    call = Call(7)
    senders = [call.join() for _ in range(4)]
    call.wait(5_000)
    assert call.agree()
    gone = call.leave(senders[2])
    call.wait(1_000)
    frame = call.members[senders[0]].seal_audio(b"opus", call.now_ms)
    with contextlib.suppress(Rejected):
        assert gone.open(frame, call.now_ms) is None
    assert call.agree()


def test_leaves_are_refreshed_through_the_room() -> None:
    call = Call(8)
    senders = [call.join() for _ in range(3)]
    call.wait(5_000)
    before = call.members[senders[0]].epoch
    call.renew(senders[1])
    call.wait(5_000)
    assert call.agree()
    assert (call.ended, call.refused) == (0, [])
    assert call.members[senders[0]].epoch == (before or 0) + 1


def test_a_call_of_two_hours_stays_one_call() -> None:
    call = Call(9)
    for _ in range(3):
        call.join()
    for _ in range(13):
        for sender in sorted(call.members):
            call.wait(60_000)
            call.renew(sender)
        call.wait(7 * 60_000)
    assert call.agree()
    assert call.ended == 0


def test_forty_who_join_at_once_are_in_within_seconds() -> None:
    call = Call(10)
    for _ in range(40):
        call.join()
    call.wait(3_000)
    assert call.agree()
    assert call.refused == []
