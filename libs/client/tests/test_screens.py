"""Screens over a real node: shown, watched, taken away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from libs.client.tests.stage import Home, in_step, open_home
from libs.video.tests.judging import jpeg_luma, luma_of, psnr_db
from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.client.events import Event, ScreenStarted, ScreenStopped, ShareEnded
from sidetone.client.screen_share import ScreenShare
from sidetone.client.screen_view import ScreenView
from sidetone.client.session import Lost
from sidetone.e2ee import data
from sidetone.e2ee.frames import parse_header
from sidetone.e2ee.media import count_opened
from sidetone.e2ee.schedule import MediaKind
from sidetone.permissions import Permission
from sidetone.protocol.refusals import Conflict, Forbidden, NotFound, Unavailable
from sidetone.protocol.servers import Channel
from sidetone.protocol.voice_control import Subscribe
from sidetone.video import Size
from sidetone.video.capture import Monitor, Subject, TestCard
from sidetone.video.decoder import keyframe_size
from sidetone.video.quality import Quality
from sidetone.video.test_card import TestCardCapture, read_number
from tests.load.sfu_stage import connected
from tests.load.video_stage import VideoClient
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = Size(640, 360)
STILL, MOVING = TestCard(SIZE, moves=False), TestCard(SIZE)
QUALITY = Quality(SIZE, 15, 1_200_000)


class Pair:
    """Ada, who shows, and Bob, who watches, in one room of one node."""

    def __init__(self, home: Home, founder: Client, lounge: Channel, ada: Call, bob: Call) -> None:
        self.home, self.founder, self.lounge = home, founder, lounge
        self.ada, self.bob = ada, bob
        self.ada_user = next(peer.user for peer in bob.peers)
        self.bob_user = next(peer.user for peer in ada.peers)

    @asynccontextmanager
    async def shown(self, subject: Subject) -> AsyncIterator[tuple[ScreenShare, ScreenView]]:
        """Ada shows, and Bob watches, until both are done."""
        share = await self.ada.share_screen(subject, QUALITY)
        await until(lambda: self.bob.screens)
        view = self.bob.watch(self.ada_user)
        try:
            yield share, view
        finally:
            view.stop()
            await share.stop()
            await until(lambda: not self.bob.screens)


# One room for all: to join takes longer than what is tested here.
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    async with open_home(tmp_path_factory.mktemp("home")) as home, home.unit():
        ada, bob = await home.client(), await home.client()
        lounge = await home.lounge(ada, bob)
        async with ada.join_voice(lounge.id) as one, bob.join_voice(lounge.id) as other:
            await in_step(one, other)
            yield Pair(home, ada, lounge, one, other)


async def number(view: ScreenView) -> int:
    async with asyncio.timeout(15):
        return read_number(jpeg_luma((await view.next()).jpeg))


async def more(view: ScreenView, frames: int) -> None:
    """Watch until so many frames more were decoded."""
    wanted = view.stats().frames + frames
    async with asyncio.timeout(20):
        while view.stats().frames < wanted:
            await view.next()


@asynccontextmanager
async def collected(call: Call) -> AsyncIterator[list[Event]]:
    """Give what *call* tells meanwhile."""
    found: list[Event] = []

    # A stream begins when it is opened, not when it is first waited for.
    stream = call.events()

    async def keep() -> None:
        async for event in stream:
            found.append(event)  # noqa: PERF401 (looked at while it grows)

    task = asyncio.create_task(keep())
    yield found
    task.cancel()


async def test_what_is_seen_is_what_is_shown_until_it_is_stopped(pair: Pair) -> None:
    with pytest.raises(NotFound):
        pair.bob.watch(pair.ada_user)
    async with collected(pair.bob) as told, pair.shown(STILL) as (share, view):
        with pytest.raises(Conflict, match="already"):
            await pair.ada.share_screen(STILL, QUALITY)
        card = luma_of(TestCardCapture(SIZE, moves=False).grab())
        async with asyncio.timeout(15):
            while psnr_db(jpeg_luma((await view.next()).jpeg), card) < 30:
                pass
        view.set_size(320, 320)
        share.keyframe_wanted()
        async with asyncio.timeout(15):
            while (picture := await view.next()).size != Size(320, 180):
                pass
        assert jpeg_luma(picture.jpeg).shape == (180, 320)
        await until(lambda: share.stats().keyframes > 1)
        await share.stop()
        async with asyncio.timeout(15):
            async for _ in view:
                pass
        with pytest.raises(Conflict, match="not shown any more"):
            await view.next()
        assert await share.ended() == ""
        assert pair.ada.screen_share is None
        await until(lambda: ScreenStopped(pair.ada_user) in told)
    (started,) = [event.screen for event in told if isinstance(event, ScreenStarted)]
    assert (started.user, started.width, started.height) == (pair.ada_user, *SIZE)


async def test_who_joins_late_begins_at_a_keyframe_and_the_node_can_open_nothing(
    pair: Pair,
) -> None:
    # Somebody who has a ticket, but no key: gets what the node holds, and no more.
    eve = await pair.home.client()
    invite = await pair.founder.api.servers.invite(pair.lounge.server)
    await eve.api.servers.accept_invite(invite.code)
    async with pair.shown(MOVING) as (share, view):
        first = await number(view)
        before = share.stats().keyframes
        ticket = await eve.api.voice.join(pair.lounge.id, eve.device)
        async with connected(ticket.port, kind=VideoClient) as spy:
            await spy.join(ticket.ticket)
            spy.tell(Subscribe([pair.ada.member.sender], [1], [0]))
            frames = [await spy.seen()]
            while len(frames) < 8 or not any(frame[0] & 4 for frame in frames):
                frames.append(await spy.seen())
        headers = [parse_header(frame) for frame in frames]
        assert all(header and header.kind is MediaKind.VIDEO for header in headers)
        # It was begun at a keyframe, which the header tells the node; the picture says nothing.
        # A large frame may be whole only after the small ones that follow it.
        assert min(headers, key=lambda header: header.counter).low & 4
        await until(lambda: share.stats().keyframes > before)
        assert not any(keyframe_size(frame[8:]) for frame in frames)
        keys = [pair.ada.member.frame_key(pair.bob.sender, MediaKind.VIDEO), bytes(48)]
        assert not any(count_opened(key, frames) for key in keys)
        assert await number(view) > first


async def test_a_viewer_in_trouble_lowers_the_rate(pair: Pair) -> None:
    async with pair.shown(MOVING) as (share, view):
        await number(view)
        assert share.stats().bits_per_second == QUALITY.bits_per_second_max
        word = data.ViewingWord(pair.ada.sender, 100, 400_000)
        pair.bob._inside._send_data(data.pack_viewing(word))
        lower = QUALITY.bits_per_second_max // 2
        await until(lambda: share.stats().bits_per_second == lower)


async def test_shown_and_seen_go_on_after_both_connections_were_lost(pair: Pair) -> None:
    async with pair.shown(MOVING) as (_, view):
        await number(view)
        for call in (pair.ada, pair.bob):
            session, before = call._inside.lifeline.session, call.stats().reconnects
            session.abort(Lost("test", "the connection was cut"))
            await until(lambda call=call, before=before: call.stats().reconnects > before)
            await more(view, 5)


async def test_an_encoder_that_dies_is_started_anew_once(pair: Pair) -> None:
    async with collected(pair.ada) as told, pair.shown(MOVING) as (share, view):
        await number(view)
        first = share.encoder_pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: share.encoder_pid != first)
        await more(view, 3)
        os.kill(share.encoder_pid, signal.SIGKILL)
        reason = await asyncio.wait_for(share.ended(), 15)
        assert "ended by itself; share it again" in reason
        await until(lambda: ShareEnded(reason) in told)


async def test_the_end_of_the_call_waits_for_the_encoder(pair: Pair) -> None:
    cy = await pair.home.client()
    invite = await pair.founder.api.servers.invite(pair.lounge.server)
    await cy.api.servers.accept_invite(invite.code)
    async with cy.join_voice(pair.lounge.id) as call:
        share = await call.share_screen(MOVING, QUALITY)
        pid = share.encoder_pid
    assert await share.ended() == "the call is over"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_without_the_right_or_a_display_nothing_is_shown(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(Unavailable, match="no display"):
        await pair.ada.share_screen(Monitor(1), QUALITY)
    assert pair.ada.screen_share is None
    share = await pair.bob.share_screen(STILL, QUALITY)
    deny = Permission.VIDEO
    await pair.founder.api.channels.overwrite(pair.lounge.id, pair.bob_user, deny=deny)
    assert "may not show your screen" in await asyncio.wait_for(share.ended(), 15)
    with pytest.raises(Forbidden, match="may not show your screen"):
        await pair.bob.share_screen(STILL, QUALITY)
    assert pair.bob.state == "live"
