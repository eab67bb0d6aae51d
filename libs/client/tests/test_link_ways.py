"""Links over real QUIC through a real node: by kernels and by the interpreter, all the same."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aioquic.tls import Epoch

from libs.client.tests.networks import Relay, Router
from sidetone.audio.rings import ARRIVED_SLOTS, FRAME_SLOT, SENT_SLOTS, Ring, put_bytes
from sidetone.audio.wake import close_wake, open_wake
from sidetone.bus.memory import MemoryBus
from sidetone.client.fast_link import FastLink
from sidetone.client.link_opening import open_link
from sidetone.client.link_trial import kernels_work
from sidetone.client.screen_streams import Arrival
from sidetone.native.clock import now_ns
from sidetone.protocol import voice_control as control
from sidetone.quic.connections import WINDOW_MIN
from sidetone.quic.system import new_lock
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from tests.load.sfu_stage import VoiceDesk, frame
from tests.waiting import until

DATA = 2


@pytest.fixture(params=[True, False], ids=["kernels", "interpreter"])
def fast(request: pytest.FixtureRequest) -> bool:
    assert kernels_work()
    return request.param


class Voice:
    """One end of a link: what the audio threads and the rest of a client are to it."""

    def __init__(self, *, fast: bool) -> None:
        self._fast = fast
        self.messages: asyncio.Queue[control.ServerMessage] = asyncio.Queue()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sent = Ring(FRAME_SLOT, SENT_SLOTS)
        self.arrived = Ring(FRAME_SLOT, ARRIVED_SLOTS)
        self.captured, self._wake = open_wake()
        self.path: FastLink | None = None
        self.link: Any = None
        self.sender = -1
        self._heard: list[bytes] = []

    async def open(self, address: tuple[str, int], identity: Identity, ticket: bytes) -> None:
        way = self._new_path if self._fast else None
        self.link = await open_link(*address, identity.spki_sha256, self, 10, way)
        if self.path is not None:
            self.path.let_speak(speaks=True)
        self.link.send(control.Join(ticket))
        welcome = await asyncio.wait_for(self.messages.get(), 10)
        assert isinstance(welcome, control.Welcome)
        self.sender = welcome.sender

    def _new_path(self) -> FastLink:
        rings = self.sent, self.arrived
        self.path = FastLink(new_lock(), *rings, self.captured, self.frame_received)
        return self.path

    def close(self) -> None:
        if self.link is not None:
            self.link.abort()
        close_wake(self.captured, self._wake)

    def say(self, kind: int = 0, *, wakes: bool = True) -> bytes:
        """Say one frame, as the capturing thread does it; returns it."""
        said = frame(self.sender, kind)
        if self.path is None or kind:
            self.link.send_frame(said)
        else:
            put_bytes(self.sent.slots, self.sent.words, said, now_ns())
            if wakes:
                os.write(self._wake, b"\0")
        return said

    def heard(self) -> list[bytes]:
        """Return all frames that have come."""
        slots = self.arrived.drain()
        self._heard += [slot.frame[: slot.length].tobytes() for slot in slots]
        return self._heard

    @property
    def counts(self) -> Any:
        """What the kernels have counted."""
        assert self.path is not None
        return self.path._link.connection[0].counts

    # --- what a link tells its listener ---

    def frame_received(self, data: bytes) -> None:
        self._heard.append(data)

    def video_received(self, arrival: Arrival) -> None:
        raise AssertionError(arrival)

    def message_received(self, message: control.ServerMessage) -> None:
        self.messages.put_nowait(message)

    def link_closed(self, code: str, detail: str) -> None:
        assert detail
        self.closed.set_result(code)


class Stage:
    """A node, and two voices in its room; the second may have a network between."""

    def __init__(self, unit: Unit, identity: Identity, desk: VoiceDesk) -> None:
        self.unit = unit
        self.identity = identity
        self.desk = desk
        self.voices: list[Voice] = []

    async def join(self, *, fast: bool, address: tuple[str, int] | None = None) -> Voice:
        voice = Voice(fast=fast)
        self.voices.append(voice)
        ticket = self.desk.ticket(self.unit.node.node)
        await voice.open(address or ("127.0.0.1", self.unit.port), self.identity, ticket)
        return voice

    def node_side(self, voice: Voice) -> Any:
        """Return the node's connection to *voice*."""
        return next(
            each
            for each in self.unit.server.connections
            if each.session._seat and each.session._seat.sender == voice.sender
        )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    bus, desk = MemoryBus(), VoiceDesk()
    await desk.open(bus)
    identity = Identity.open(tmp_path / "tls", [], time.time_ns() // 1_000_000)
    async with serving(bus, SystemClock(), identity, Options()) as unit:
        await unit.briefed.wait()
        stage = Stage(unit, identity, desk)
        try:
            yield stage
        finally:
            for voice in stage.voices:
                voice.close()
    await bus.close()


async def talk(one: Voice, other: Voice, times: int = 3) -> None:
    """Let each hear all that the other says, once and in order."""
    for speaker, listener in ((one, other), (other, one)) * times:
        before = len(listener.heard())
        said = [speaker.say()]
        await until(lambda: len(listener.heard()) > before)  # noqa: B023 - it is awaited here
        assert listener.heard()[before:] == said


async def test_each_hears_what_the_other_says(stage: Stage, fast: bool) -> None:
    ann, ben = await stage.join(fast=fast), await stage.join(fast=fast)
    await talk(ann, ben, 50)
    said = [ann.say(wakes=last) for last in [False] * (SENT_SLOTS - 1) + [True]]
    await until(lambda: ben.heard()[-1] == said[-1])
    assert ben.heard()[-len(said) :] == said
    if fast:
        assert ann.counts.packets_in >= 50
        assert ann.counts.forged == 0
        assert 50 < ann.counts.packets_out < 50 + SENT_SLOTS, "frames that wait share packets"


async def test_the_two_ways_understand_each_other(stage: Stage) -> None:
    ann, ben = await stage.join(fast=True), await stage.join(fast=False)
    await talk(ann, ben, 20)


async def test_a_frame_that_is_no_sound_is_for_the_rest_of_the_client(
    stage: Stage, fast: bool
) -> None:
    ann, ben = await stage.join(fast=fast), await stage.join(fast=fast)
    said = ann.say(DATA)
    await until(lambda: ben.heard() == [said])
    assert ben.arrived.words[0] == 0


async def test_keys_are_renewed_from_both_sides_while_they_talk(stage: Stage, fast: bool) -> None:
    ann, ben = await stage.join(fast=fast), await stage.join(fast=fast)
    theirs = stage.node_side(ann)
    for turn in range(1, 7):
        ours = ann.link if turn % 2 else theirs
        pair = ours._quic._cryptos[Epoch.ONE_RTT]
        ours._quic.request_key_update()
        ours._quic.send_ping(turn)
        (ann.link._transmit if ours is ann.link else theirs.transmit)()
        await talk(ann, ben)
        assert pair.send.key_phase == turn % 2
        other = (theirs if ours is ann.link else ann.link)._quic._cryptos[Epoch.ONE_RTT]
        await until(lambda: other.recv.key_phase == turn % 2)  # noqa: B023
        # No side may begin the next phase before the other has answered in this one.
        ann.link.send(control.Ping(turn))
        await until(lambda: any(m == control.Pong(turn) for m in told(ann)))  # noqa: B023
    await talk(ann, ben)


def told(voice: Voice) -> list[control.ServerMessage]:
    """Return the messages that have come."""
    return list(voice.messages._queue)


async def test_kernels_ask_for_new_keys_in_time(stage: Stage) -> None:
    ann, ben = await stage.join(fast=True), await stage.join(fast=True)
    ann.link._lane.key_packets_max = 20
    pair = ann.link._quic._cryptos[Epoch.ONE_RTT]
    for phase in (1, 0, 1):
        while pair.send.key_phase != phase:
            await talk(ann, ben)
    await talk(ann, ben)


async def test_a_router_that_forgets_costs_no_connection(stage: Stage, fast: bool) -> None:
    ann = await stage.join(fast=fast)
    router = await Router.open(("127.0.0.1", stage.unit.port))
    ben = await stage.join(fast=fast, address=router.address)
    await talk(ann, ben)
    for _ in range(3):
        await router.forget()
        # The node learns the new place from what comes from there.
        said = ben.say()
        await until(lambda: said in ann.heard())  # noqa: B023 - it is awaited here
        ann_says = ann.say()
        await until(lambda: ann_says in ben.heard())  # noqa: B023
        await talk(ann, ben)
    assert not ben.closed.done()
    router.close()


async def test_a_lossy_network_loses_what_it_loses_and_no_more(stage: Stage, fast: bool) -> None:
    ann = await stage.join(fast=fast)
    relay = await Relay.open(("127.0.0.1", stage.unit.port))
    ben = await stage.join(fast=fast, address=relay.address)
    relay.loss = 0.2
    heard: list[tuple[int, int]] = []
    for speaker, listener in ((ann, ben), (ben, ann)):
        said: list[bytes] = []
        for _ in range(300):
            said.append(speaker.say())
            await asyncio.sleep(0.002)
        relay.loss = 0.0
        last = speaker.say()
        await until(lambda: last in listener.heard())  # noqa: B023 - it is awaited here
        came = [each for each in listener.heard() if each in said]
        assert came == [each for each in said if each in came], "once each, and in order"
        heard.append((len(came), len(said)))
        relay.loss = 0.2
    for came, said in heard:
        assert 0.6 * said < came < said
    if fast:
        connection = ben.path._link.connection[0]
        assert connection.window >= WINDOW_MIN
        await until(lambda: connection.in_flight < WINDOW_MIN)
    relay.close()


@pytest.mark.parametrize("to_node", [True, False], ids=["to the node", "from the node"])
async def test_a_lost_message_is_sent_again_though_nobody_says_more(
    stage: Stage, fast: bool, to_node: bool
) -> None:
    """While somebody talks, acknowledgements of frames pass over the lost packet."""
    relay = await Relay.open(("127.0.0.1", stage.unit.port))
    ann, ben = await stage.join(fast=fast), await stage.join(fast=fast, address=relay.address)
    teller, told = (ben, ann) if to_node else (ann, ben)
    talking = asyncio.create_task(_keep_talking(ann, ben))
    for muted in (True, False, True, False):
        relay.cut, dropped = True, relay.dropped
        teller.link.send(control.State(muted=muted, deafened=False))
        await until(lambda: relay.dropped >= dropped + 3)  # noqa: B023 - it is awaited here
        relay.cut = False
        await asyncio.wait_for(_hears_state(told, muted=muted), 5)
    talking.cancel()
    relay.close()


async def _keep_talking(*voices: Voice) -> None:
    while True:
        for voice in voices:
            voice.say()
        await asyncio.sleep(0.02)


async def _hears_state(voice: Voice, *, muted: bool) -> None:
    while True:
        message = await voice.messages.get()
        if isinstance(message, control.PeerState) and message.muted == muted:
            return


async def test_a_node_that_falls_silent_is_noticed(stage: Stage) -> None:
    relay = await Relay.open(("127.0.0.1", stage.unit.port))
    ann = await stage.join(fast=True, address=relay.address)
    relay.cut = True
    assert await asyncio.wait_for(ann.closed, 15) == "node_silent"
    relay.close()


async def test_who_hears_much_and_reads_nothing_by_itself_is_not_taken_for_silent(
    stage: Stage,
) -> None:
    """What comes is seen by kernels alone for longer than a silence lasts."""
    ann, ben = await stage.join(fast=True), await stage.join(fast=True)
    until = time.monotonic() + 3
    while time.monotonic() < until:
        ann.say()
        await asyncio.sleep(0.02)
    assert not ben.closed.done()
    # Pings would have come from a link that heard nothing.
    assert not ben.link._quic._ping_pending
    assert ben.link._silence_seconds < 0.5


async def test_of_two_links_of_a_call_one_speaks(stage: Stage) -> None:
    """As while a call moves from node to node: both may be open for a moment."""
    ann, old = await stage.join(fast=True), await stage.join(fast=True)
    said = old.say()
    await until(lambda: said in ann.heard())
    assert old.path is not None
    old.path.let_speak(speaks=False)
    old.say()
    await talk_one_way(ann, old)
    assert old.sent.words[0] - old.sent.words[8] == 1, "the frame still waits for who speaks"


async def talk_one_way(speaker: Voice, listener: Voice) -> None:
    """Let *listener* hear a frame."""
    said = speaker.say()
    await until(lambda: said in listener.heard())


def open_files_and_threads() -> tuple[int, int]:
    """Count what this process has open, and its threads."""
    return tuple(len(list(Path(f"/proc/self/{each}").iterdir())) for each in ("fd", "task"))


async def test_links_come_and_go_and_leave_no_thread_and_no_file_behind(stage: Stage) -> None:
    first = await stage.join(fast=True)
    before = open_files_and_threads()
    for _ in range(5):
        voice = await stage.join(fast=True)
        await talk(first, voice, 1)
        voice.close()
        stage.voices.remove(voice)
    await until(lambda: open_files_and_threads() == before)
