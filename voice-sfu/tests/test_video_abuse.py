"""Video that breaks the rules, or a link that is too slow for it: nobody else pays for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sidetone.bus.memory import MemoryBus
from sidetone.protocol.voice_control import KeyframeWanted, Ping, Pong
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from sidetone.voice_sfu.domain.limits import Rates, VideoRates
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.video_frame import Cut
from sidetone.voice_sfu.interface.quic import SfuConnection
from sidetone.voice_sfu.interface.video import GAP_BYTES_MAX, STREAMS_MAX
from tests.load.sfu_stage import VoiceDesk, connected, frame
from tests.load.video_stage import SHOW, VideoClient, crowd, picture, watching
from tests.waiting import until


@pytest.fixture(params=[False, True], ids=["plain", "fast"])
def options(request: pytest.FixtureRequest) -> Options:
    return Options(fast_path=request.param)


def connection_of(unit: Unit, client: VideoClient) -> SfuConnection:
    (seat,) = [each for each in unit.node.seats() if each.sender == client.sender]
    (found,) = [each for each in unit.server.connections if each.session is seat.connection]
    return found


@asynccontextmanager
async def limited(bus: MemoryBus, identity: Identity, rates: VideoRates) -> AsyncGenerator[Unit]:
    options = Options(video_rates=rates, fast_path=False)
    async with serving(bus, SystemClock(), identity, options) as unit:
        await unit.briefed.wait()
        yield unit


async def test_without_the_permission_the_connection_is_refused(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 2) as (_, mute, good):
        await watching(good, mute)
        mute.show(picture(mute.sender, keyframe=True))
        assert await mute.closed() == "stream_forbidden"
        good.tell(Ping(3))
        assert await good.told(Pong) == Pong(3)
        assert good.pictures.empty()


async def test_before_the_ticket_there_is_no_permission(unit: Unit, desk: VoiceDesk) -> None:
    async with connected(unit.port, kind=VideoClient) as early:
        early.show(picture(0, keyframe=True))
        assert await early.closed() == "stream_forbidden"


async def test_a_wrong_frame_is_stopped_and_the_next_good_one_is_seen(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        await watching(ann, ben)
        wrongs = {
            Cut.SENDER: picture(ben.sender, keyframe=True),
            Cut.KIND: frame(ann.sender),
            Cut.FORMAT: b"\x00" * 30,
            Cut.SIZE: picture(ann.sender, keyframe=True)[:20],
        }
        for wrong in wrongs.values():
            ann.show(wrong, ended=False)
        short = ann.show(b"")
        counts = unit.node.tally.video.cut_in
        await until(lambda: len(ann.stops) == 3 and counts[Cut.SIZE])
        assert {why for _, why in ann.stops} == {Cut.SENDER, Cut.KIND, Cut.FORMAT}
        assert short not in {stream for stream, _ in ann.stops}
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key
        assert (ben.pictures.empty(), ann.pictures.empty()) == (True, True)


async def test_a_frame_without_end_is_stopped_at_its_largest_size(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        stream = ann.show(picture(ann.sender, (1 << 20) + 1, keyframe=True), ended=False)
        await until(lambda: ann.stops and ben.resets)
        assert (ann.stops, ben.resets) == ([(stream, Cut.SIZE)], [Cut.SIZE])
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key


async def test_a_frame_that_stalls_is_given_up(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        stream = ann.show(picture(ann.sender, 9000, keyframe=True)[:5000], ended=False)
        await until(lambda: ann.stops and ben.resets)
        assert (ann.stops, ben.resets) == ([(stream, Cut.STALLED)], [Cut.STALLED])
        ann.show(delta := picture(ann.sender))
        assert await ben.seen() == delta


async def test_a_slow_viewer_begins_anew_and_delays_nobody(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 2) as (ann, ben, slow):
        await watching(ben, ann)
        await watching(slow, ann)
        ann.show(key := picture(ann.sender, keyframe=True))
        assert (await ben.seen(), await slow.seen()) == (key, key)
        slow.is_deaf = True
        for _ in range(12):
            ann.show(shown := picture(ann.sender, 60_000))
            assert await ben.seen() == shown
            ann.say(said := frame(ann.sender))
            assert await ben.heard() == said
        counts = unit.node.tally.video.cut_out
        await until(lambda: counts[Cut.SLOW])
        assert not connection_of(unit, slow).video._queue
        slow.is_deaf = False
        slow.tell(Ping(5))
        assert await slow.told(Pong) == Pong(5)
        assert await ann.told(KeyframeWanted) == KeyframeWanted(0)
        ann.show(key := picture(ann.sender, 50_000, keyframe=True))
        while await slow.seen() != key:
            pass
        assert await ben.seen() == key
        assert set(slow.resets) == {Cut.SLOW}
        assert ben.resets == []


async def test_sound_does_not_wait_behind_video_that_waits(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    async with limited(bus, identity, VideoRates()) as unit, crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        link = connection_of(unit, ben)
        ben.is_deaf = True
        ann.show(picture(ann.sender, 500_000, keyframe=True))
        await until(lambda: link.video._queue.waiting_bytes > 300_000)
        assert link._quic._loss.congestion_window - link._quic._loss.bytes_in_flight > 1200
        ann.say(frame(ann.sender))
        await until(lambda: unit.node.tally.frames_out)
        await asyncio.sleep(0.05)
        assert not link._quic._datagrams_pending


async def test_what_a_viewer_leaves_unread_takes_little_memory(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        link = connection_of(unit, ben)
        ben.is_deaf = True
        held: list[int] = []
        for _ in range(30):
            ann.show(picture(ann.sender, 50_000, keyframe=True))
            await asyncio.sleep(0.02)
            held.append(sum(len(each.sender._buffer) for each in link._quic._streams.values()))
        assert max(held) < 100_000
        assert link.video._queue.waiting_bytes < 400_000


async def test_frames_above_the_rate_are_dropped_and_the_rest_is_seen(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    rates = VideoRates(frames_per_second=5)
    async with limited(bus, identity, rates) as unit, crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        for _ in range(12):
            ann.show(picture(ann.sender, keyframe=True))
        cut = unit.node.tally.video.cut_in
        await until(lambda: cut[Cut.RATE] >= 6)
        assert 5 <= unit.node.tally.video.frames_in <= 7


async def test_as_many_packets_as_video_needs_are_no_flood(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity, options: Options
) -> None:
    few = msgspec.structs.replace(options, rates=Rates(packets_per_second=20))
    async with serving(bus, SystemClock(), identity, few) as unit:
        await unit.briefed.wait()
        async with crowd(unit, desk, 1) as (ann, ben):
            await watching(ben, ann)
            ann.show(key := picture(ann.sender, 800_000, keyframe=True))
            assert await ben.seen() == key
            assert unit.node.meter.drops[Drop.FLOOD] < 100


async def test_a_flood_of_video_is_ended(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity
) -> None:
    rates = VideoRates(frames_per_second=10)
    async with (
        limited(bus, identity, rates) as unit,
        crowd(unit, desk, 1) as (ann, ben),
        connected(unit.port, kind=VideoClient) as bad,
    ):
        await bad.join(desk.ticket(unit.node.node, perms=SHOW))
        await watching(ben, ann)
        while not bad._closed.is_set():
            for _ in range(10):
                bad.show(picture(bad.sender, 30))
            await asyncio.sleep(0.05)
        assert bad.close_code == "media_flood"
        ann.show(key := picture(ann.sender, keyframe=True))
        assert await ben.seen() == key


async def test_only_so_many_frames_may_be_on_their_way_at_once(
    unit: Unit, desk: VoiceDesk
) -> None:
    async with crowd(unit, desk, 1) as (ann, ben):
        await watching(ben, ann)
        assert ann._quic._remote_max_streams_uni == STREAMS_MAX
        for _ in range(2 * STREAMS_MAX):
            ann.show(picture(ann.sender, keyframe=True))
            await ben.seen()
        for _ in range(STREAMS_MAX + 8):
            ann.show(picture(ann.sender)[:30], ended=False)
        await until(lambda: ann._quic._streams_blocked_uni)
        ann.tell(Ping(1))
        await ann.told(Pong)


@pytest.mark.alone
async def test_bytes_far_ahead_reserve_no_memory_without_end(unit: Unit, desk: VoiceDesk) -> None:
    async with crowd(unit, desk, 1) as (ann, _):
        streams = connection_of(unit, ann)._quic._streams
        stream = ann.open_stream()
        sender: Any = ann._quic._streams[stream].sender
        for _ in range(12):
            last = ann._quic._streams[stream].max_stream_data_remote
            sender._buffer_start = sender._buffer_stop = sender.highest_offset = last - 1
            ann.show(b"x", stream, ended=False)
            # A packet as small as this is looked at last.
            await until(
                lambda: stream in streams and streams[stream].receiver.highest_offset >= last  # noqa: B023
            )
            ann.tell(Ping(1))
            await ann.told(Pong)
        receiver = streams[stream].receiver
        assert 0 < len(receiver._buffer) <= 2 * GAP_BYTES_MAX
