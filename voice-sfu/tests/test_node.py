"""The node without a network: its door, its rooms, and what the bus tells it."""

from uuid import UUID, uuid4

import pytest

from sidetone.credentials.tickets import Perm
from sidetone.protocol import voice_control as told
from sidetone.protocol.events import MemberPutOut, RoomChanged, RoomMember, VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.voice_control import ServerMessage
from sidetone.voice_sfu.application.live_room import Seat
from sidetone.voice_sfu.application.node import RIGHTS_REMEMBERED_SECONDS, Node
from sidetone.voice_sfu.application.ports import NoEvidence, Place, Surroundings
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.meter import Drop, Meter
from sidetone.voice_sfu.domain.reception import FALL_AFTER_MS
from sidetone.voice_sfu.domain.senders import REUSE_AFTER_MS
from tests.load.sfu_stage import CHANNEL, TALK, VoiceDesk, frame
from tests.load.video_stage import NotedVideo

OTHER_CHANNEL = ChannelId(UUID(int=2))


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.ms


class Wire:
    """A connection that notes what is done with it."""

    def __init__(self) -> None:
        self.messages: list[ServerMessage] = []
        self.frames: list[bytes] = []
        self.closed: str | None = None
        self.place: Place | None = None
        self.video = NotedVideo()

    def send(self, message: ServerMessage) -> None:
        self.messages.append(message)

    def allow(self, place: Place) -> None:
        self.place = place

    def settle(self) -> None:
        pass

    def withdraw(self) -> None:
        self.place = None

    def forward(self, datagram: bytes) -> None:
        self.frames.append(datagram)

    def close(self, code: str, detail: str) -> None:
        assert detail
        self.closed = self.closed or code


class Stage:
    """A briefed node."""

    def __init__(self, room_members_max: int = 10) -> None:
        self.clock = Hand()
        self.desk = VoiceDesk()
        surroundings = Surroundings(self.clock, Meter(), NoEvidence(), Rates())
        self.node = Node(NodeId(5), surroundings, room_members_max)

    async def brief(self, *rights: VoiceRights) -> None:
        self.desk.watermarks = list(rights)
        self.node.brief(await self.desk.brief(None))  # pyright: ignore[reportArgumentType]

    def join(self, **changes: object) -> tuple[Seat, Wire]:
        wire = Wire()
        now = self.clock.ms // 1000
        times = {"issued_at": now, "expires_at": now + 30}
        ticket = self.desk.ticket(self.node.node, **(times | changes))
        return self.node.join(wire, ticket), wire


@pytest.fixture
async def stage() -> Stage:
    stage = Stage()
    await stage.brief()
    return stage


def test_a_frame_goes_to_the_others_of_that_room_only(stage: Stage) -> None:
    (ann, near), (_, room_mate) = stage.join(), stage.join()
    _, far = stage.join(channel=OTHER_CHANNEL)
    said = frame(ann.sender)
    assert ann.receive(said, 1.0)
    assert (near.frames, room_mate.frames, far.frames) == ([], [said], [])
    assert stage.node.rooms() == [CHANNEL, OTHER_CHANNEL]
    assert (ann.meter.frames_in, stage.node.meter.frames_out) == (1, 1)


def test_a_device_is_in_one_room_at_a_time(stage: Stage) -> None:
    device = DeviceId(uuid4())
    _, first = stage.join(device=device)
    _, second = stage.join(device=device, channel=OTHER_CHANNEL)
    assert (first.closed, second.closed) == ("device_replaced", None)
    assert (stage.node.rooms(), stage.node.connections()) == ([OTHER_CHANNEL], 1)


def test_the_old_connection_of_a_device_does_not_take_the_new_one_along(stage: Stage) -> None:
    device = DeviceId(uuid4())
    old, _ = stage.join(device=device)
    stage.join(device=device)
    old.leave()
    assert stage.node.connections() == 1


async def test_a_change_that_the_bus_lost_is_applied_at_the_next_briefing(stage: Stage) -> None:
    user = UserId(uuid4())
    _, ann = stage.join(user=user)
    _, ben = stage.join()
    await stage.brief(VoiceRights(CHANNEL, user, 0, 2))
    assert (ann.closed, ben.closed) == ("rights_lost", None)


async def test_after_a_silence_too_long_to_make_good_everybody_joins_again(stage: Stage) -> None:
    _, ann = stage.join()
    stage.clock.ms += RIGHTS_REMEMBERED_SECONDS * 1000
    await stage.brief()
    assert told.Move("rights_unknown") not in ann.messages
    stage.clock.ms += RIGHTS_REMEMBERED_SECONDS * 1000 + 1
    await stage.brief()
    assert ann.messages[-1] == told.Move("rights_unknown")


async def test_a_full_room_keeps_its_members(stage: Stage) -> None:
    stage = Stage(room_members_max=1)
    await stage.brief()
    _, ann = stage.join()
    with pytest.raises(Unavailable, match="room_full"):
        stage.join()
    assert (ann.closed, stage.node.connections()) == (None, 1)


async def test_an_empty_room_is_remembered_until_its_indices_have_rested(stage: Stage) -> None:
    seat, _ = stage.join()
    seat.leave()
    assert (stage.node.rooms(), stage.node.connections()) == ([], 0)
    again, _ = stage.join()
    assert again.sender == seat.sender + 1
    again.leave()
    stage.clock.ms += REUSE_AFTER_MS
    stage.node.handle_timer()
    await stage.brief()
    assert stage.join()[0].sender == 0


def test_what_is_dropped_is_counted_by_its_reason(stage: Stage) -> None:
    ann, _ = stage.join()
    for wrong in (b"", frame(ann.sender, kind=1), frame(ann.sender + 1), b"\0" * 40):
        assert ann.receive(wrong, 1.0)
    ann.handle(told.State(muted=True, deafened=False))
    assert ann.receive(frame(ann.sender), 1.0)
    reasons = (Drop.SIZE, Drop.KIND, Drop.SENDER, Drop.FORMAT, Drop.SILENCED)
    assert ann.meter.drops == dict.fromkeys(reasons, 1)
    assert stage.node.meter.drops == dict.fromkeys(reasons, 1)


def test_what_members_report_is_summed_and_nonsense_is_not(stage: Stage) -> None:
    ann, _ = stage.join()
    ann.handle(told.Stats(received=100, lost=3, jitter_ms=2.5))
    ann.handle(told.Stats(received=-5, lost=-1, jitter_ms=float("nan")))
    meter = stage.node.meter
    assert (meter.reported_received, meter.reported_lost) == (100, 3)
    assert meter.reported_jitter_ms == 2.5


def test_a_report_reaches_the_speakers_of_that_room_only(stage: Stage) -> None:
    (ann, near), (_, room_mate) = stage.join(), stage.join()
    _, far = stage.join(channel=OTHER_CHANNEL)
    ann.handle(told.Stats(received=475, lost=25, jitter_ms=2.5))
    stage.node.handle_timer()
    assert _receptions(room_mate) == [told.Reception(5)]
    assert _receptions(near) == _receptions(far) == []


def test_the_loss_of_a_listener_that_left_concerns_nobody(stage: Stage) -> None:
    (ann, _), (_, ben) = stage.join(), stage.join()
    ann.handle(told.Stats(received=90, lost=10, jitter_ms=2.0))
    stage.node.handle_timer()
    ann.leave()
    stage.node.handle_timer()
    stage.clock.ms += FALL_AFTER_MS - 1
    stage.node.handle_timer()
    assert _receptions(ben) == [told.Reception(12)]
    stage.clock.ms += 1
    stage.node.handle_timer()
    assert _receptions(ben) == [told.Reception(12), told.Reception(0)]


def test_who_joins_a_lossy_call_is_told_soon(stage: Stage) -> None:
    ann, _ = stage.join()
    ann.handle(told.Stats(received=95, lost=5, jitter_ms=2.0))
    stage.node.handle_timer()
    _, ben = stage.join()
    assert _receptions(ben) == []
    stage.node.handle_timer()
    assert _receptions(ben) == [told.Reception(5)]


def test_a_flood_of_reports_is_a_trickle_of_messages(stage: Stage) -> None:
    ann, _ = stage.join()
    _, ben = stage.join()
    for second in range(60):
        for lost in range(20):
            ann.handle(told.Stats(received=100, lost=lost * (second % 7), jitter_ms=1.0))
        stage.clock.ms += 1000
        stage.node.handle_timer()
    assert 0 < len(_receptions(ben)) <= 10


def _receptions(wire: Wire) -> list[ServerMessage]:
    return [each for each in wire.messages if isinstance(each, told.Reception)]


def test_who_a_moderator_deafened_is_forwarded_nothing_until_it_is_taken_back(
    stage: Stage,
) -> None:
    user = UserId(uuid4())
    ann, _ = stage.join()
    _, ben = stage.join(user=user)
    ann.receive(frame(ann.sender), 1.0)
    stage.node.change_rights(VoiceRights(CHANNEL, user, int(TALK | Perm.DEAFENED), 2))
    ann.receive(frame(ann.sender), 1.1)
    assert len(ben.frames) == 1
    stage.node.change_rights(VoiceRights(CHANNEL, user, int(TALK), 3))
    ann.receive(frame(ann.sender), 1.2)
    assert len(ben.frames) == 2


def test_a_ticket_can_say_that_its_holder_is_deafened(stage: Stage) -> None:
    ann, _ = stage.join()
    _, ben = stage.join(perms=TALK | Perm.DEAFENED)
    ann.receive(frame(ann.sender), 1.0)
    assert ben.frames == []


def test_who_is_in_a_room_is_told_once_for_each_change(stage: Stage) -> None:
    user, device = UserId(uuid4()), DeviceId(uuid4())
    ann, _ = stage.join(user=user, device=device)
    here = RoomMember(user, device, muted=False, deafened=False)
    assert stage.node.told(only_changed=True) == [RoomChanged(NodeId(5), CHANNEL, [here])]
    assert stage.node.told(only_changed=True) == []
    assert stage.node.told(only_changed=False) == [RoomChanged(NodeId(5), CHANNEL, [here])]
    stage.node.rooms_changed.clear()
    ann.handle(told.State(muted=True, deafened=False))
    assert stage.node.rooms_changed.is_set()
    quiet = RoomMember(user, device, muted=True, deafened=False)
    assert stage.node.told(only_changed=True) == [RoomChanged(NodeId(5), CHANNEL, [quiet])]
    ann.leave()
    assert stage.node.told(only_changed=True) == [RoomChanged(NodeId(5), CHANNEL, [])]
    assert stage.node.told(only_changed=False) == []


def test_who_is_put_out_may_come_again(stage: Stage) -> None:
    user = UserId(uuid4())
    seat, one = stage.join(user=user)
    _, other = stage.join(user=user)
    _, ben = stage.join()
    stage.node.put_out(MemberPutOut(OTHER_CHANNEL, user))
    stage.node.put_out(MemberPutOut(CHANNEL, user, DeviceId(uuid4())))
    assert one.closed is None
    stage.node.put_out(MemberPutOut(CHANNEL, user, seat.device))
    assert (one.closed, other.closed) == ("put_out", None)
    stage.node.put_out(MemberPutOut(CHANNEL, user))
    assert (one.closed, other.closed, ben.closed) == ("put_out", "put_out", None)
    _, again = stage.join(user=user)
    assert again.closed is None
