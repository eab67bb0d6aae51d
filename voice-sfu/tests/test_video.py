"""Video over real QUIC, on the plain server and beside the fast path: who sees what, and when."""

from uuid import uuid4

import pytest

from sidetone.bus.memory import MemoryBus
from sidetone.credentials.tickets import Perm
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import Sender, UserId
from sidetone.protocol.voice_control import (
    Error,
    KeyframeRequest,
    KeyframeWanted,
    Leave,
    Ping,
    Pong,
    Rights,
    State,
    Subscribe,
)
from sidetone.voice_sfu.app import Options, Unit
from sidetone.voice_sfu.domain.video_frame import Cut
from sidetone.voice_sfu.interface.prometheus import NodeCollector
from tests.load.sfu_stage import CHANNEL, TALK, VoiceDesk, connected, frame
from tests.load.video_stage import SHOW, VideoClient, crowd, picture, watching
from tests.waiting import until


@pytest.fixture(params=[False, True], ids=["plain", "fast"])
def options(request: pytest.FixtureRequest) -> Options:
    return Options(fast_path=request.param)


async def test_a_frame_reaches_those_who_watch_and_nobody_else(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 3) as (ann, ben, cem, bystander):
        await watching(ben, ann)
        await watching(cem, ann)
        shown = [picture(ann.sender, 150_000, keyframe=True)]
        shown += [picture(ann.sender, size) for size in (24, 3000, 20_000)]
        for each in shown:
            ann.show(each)
            assert await ben.seen() == each
            assert await cem.seen() == each
        assert bystander.pictures.empty()
        assert ann.pictures.empty()
        meter = unit.node.meter.video
        assert (meter.frames_in, meter.frames_out) == (4, 8)
        assert meter.bytes_out == 2 * sum(map(len, shown))


async def test_bytes_go_on_before_the_frame_is_whole(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        shown = picture(ann.sender, 30_000, keyframe=True)
        stream = ann.show(shown[:20_000], ended=False)
        await until(lambda: b"".join(ben.growing.values()) == shown[:20_000])
        ann.show(shown[20_000:], stream)
        assert await ben.seen() == shown


async def test_who_comes_late_begins_at_a_keyframe_that_is_asked_for(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 2) as (ann, ben, late):
        await watching(ben, ann)
        ann.show(picture(ann.sender, keyframe=True))
        await ben.seen()
        await watching(late, ann)
        assert await ann.told(KeyframeWanted) == KeyframeWanted(0)
        ann.show(picture(ann.sender))
        await ben.seen()
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await late.seen() == key
        ann.show(delta := picture(ann.sender))
        assert await late.seen() == delta
        assert late.pictures.empty()


async def test_a_layer_is_changed_at_a_keyframe(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann, 1)
        low, high = (picture(ann.sender, layer=layer, keyframe=True) for layer in (0, 1))
        ann.show(high)
        assert await ben.seen() == high
        ann.show(low)
        await until(lambda: unit.node.meter.video.frames_in == 2)
        await watching(ben, ann, 0)
        assert await ann.told(KeyframeWanted) == KeyframeWanted(0)
        ann.show(high := picture(ann.sender, layer=1))
        assert await ben.seen() == high
        ann.show(picture(ann.sender, layer=0))
        ann.show(low := picture(ann.sender, layer=0, keyframe=True))
        assert await ben.seen() == low
        ann.show(picture(ann.sender, layer=1))
        ann.show(low := picture(ann.sender, layer=0))
        assert await ben.seen() == low


async def test_a_frame_that_a_keyframe_overtakes_is_reset(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        ann.show(picture(ann.sender, keyframe=True))
        await ben.seen()
        old = ann.show(picture(ann.sender, 5000)[:4000], ended=False)
        await until(lambda: ben.growing)
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key
        await until(lambda: ben.resets and ann.stops)
        assert (ben.resets, ann.stops) == ([Cut.OVERTAKEN], [(old, Cut.OVERTAKEN)])


async def test_a_viewer_may_ask_for_a_keyframe_but_not_all_the_time(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 2) as (ann, ben, stranger):
        await watching(ben, ann)
        ann.show(picture(ann.sender, keyframe=True))
        await ben.seen()
        source = Sender(ann.sender)
        for asking in (stranger, ben, ben, ben):
            asking.tell(KeyframeRequest(source, 0))
            asking.tell(Ping(2))
            await asking.told(Pong)
        ben.tell(KeyframeRequest(source, 3))
        assert await ann.told(KeyframeWanted) == KeyframeWanted(0)
        assert unit.node.meter.video.keyframes_asked == 1


async def test_a_wrong_subscription_is_refused_and_nothing_changes(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        source = Sender(ann.sender)
        for wrong, code in (
            (Subscribe([source], [0], [0]), "subscribe_kinds"),
            (Subscribe([source], [1], []), "subscribe_layers"),
            (Subscribe([source, source], [1], [0, 1]), "subscribe_layers"),
            (Subscribe([source], [1], [4]), "subscribe_layers"),
            (Subscribe([Sender(n) for n in range(65)], [1], [0] * 65), "subscribe_many"),
        ):
            ben.tell(wrong)
            assert (await ben.told(Error)).code == code
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key


async def test_the_deafened_still_see(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        ben.tell(State(muted=True, deafened=True))
        await watching(ben, ann)
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key


async def test_who_watches_no_more_gets_no_more(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 2) as (ann, ben, cem):
        await watching(ben, ann)
        await watching(cem, ann)
        key = picture(ann.sender, 9000, keyframe=True)
        stream = ann.show(key[:4000], ended=False)
        await until(lambda: ben.growing and cem.growing)
        ben.tell(Subscribe([], [1], []))
        await until(lambda: ben.resets)
        ann.show(key[4000:], stream)
        assert await cem.seen() == key
        assert (ben.resets, ben.pictures.empty()) == ([Cut.UNWANTED], True)


async def test_a_viewer_may_refuse_one_frame(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        key = picture(ann.sender, 9000, keyframe=True)
        stream = ann.show(key[:4000], ended=False)
        await until(lambda: ben.growing)
        ben._quic.stop_stream(next(iter(ben.growing)), 1)
        ben.transmit()
        await until(lambda: not ben.growing)
        ann.show(key[4000:], stream)
        ann.show(delta := picture(ann.sender))
        assert await ben.seen() == delta


async def test_a_frame_that_its_sender_breaks_off_is_broken_off_for_all(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        stream = ann.show(picture(ann.sender, 9000, keyframe=True)[:4000], ended=False)
        await until(lambda: ben.growing)
        ann._quic.reset_stream(stream, 1)
        ann.transmit()
        await until(lambda: ben.resets)
        assert ben.resets == [Cut.BROKEN_OFF]
        ann.show(delta := picture(ann.sender))
        assert await ben.seen() == delta


async def test_who_leaves_takes_its_unfinished_frames_along(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        ann.show(picture(ann.sender, 9000, keyframe=True)[:4000], ended=False)
        await until(lambda: ben.growing)
        ann.tell(Leave())
        await until(lambda: ben.resets)
        assert ben.resets == [Cut.LEFT]


async def test_losing_the_right_ends_what_is_shown_at_once(
    unit: Unit, desk: VoiceDesk, bus: MemoryBus
) -> None:
    user = UserId(uuid4())
    async with (
        connected(unit.port, kind=VideoClient) as ann,
        connected(unit.port, kind=VideoClient) as ben,
    ):
        await ann.join(desk.ticket(unit.node.node, user=user, perms=SHOW))
        await ben.join(desk.ticket(unit.node.node))
        await watching(ben, ann)
        key = picture(ann.sender, 9000, keyframe=True)
        stream = ann.show(key[:4000], ended=False)
        await until(lambda: ben.growing)
        await bus.publish(VoiceRights(CHANNEL, user, int(TALK), 2))
        await until(lambda: ben.resets and ann.stops)
        assert (ben.resets, ann.stops) == ([Cut.RIGHTS], [(stream, Cut.RIGHTS)])
        # What was on its way then is no offence, and is not forwarded.
        on_its_way = ann.show(picture(ann.sender, keyframe=True))
        await until(lambda: unit.node.meter.video.cut_in[Cut.RIGHTS] == 2)
        await bus.publish(VoiceRights(CHANNEL, user, int(SHOW), 3))
        while await ann.told(Rights) != Rights(int(SHOW)):
            pass
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key
        assert on_its_way > stream
        assert Perm.VIDEO in SHOW


async def test_sound_goes_on_beside_video(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        ann.show(shown := picture(ann.sender, 1 << 20, keyframe=True))
        for _ in range(20):
            ann.say(said := frame(ann.sender))
            assert await ben.heard() == said
        assert await ben.seen() == shown


async def test_video_is_counted_for_prometheus(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        ann.show(shown := picture(ann.sender, 700, keyframe=True))
        await ben.seen()
        stream = ann.show(picture(ann.sender, 700), ended=False)
        await until(lambda: ben.growing)
        ann._quic.reset_stream(stream, 1)
        ann.transmit()
        await until(lambda: ben.resets)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in NodeCollector(unit.node).collect()
        for sample in metric.samples
    }
    video = "sidetone_voice_video"
    assert samples[f"{video}_frames_received_total",] == 2
    assert samples[f"{video}_bytes_forwarded_total",] >= len(shown)
    assert samples[f"{video}_frames_cut_total", "in", "broken_off"] == 1
    assert samples[f"{video}_frames_cut_total", "out", "broken_off"] == 1
    assert samples[f"{video}_keyframes_asked_total",] == 0
