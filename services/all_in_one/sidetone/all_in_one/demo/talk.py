"""The talk: two speak, one listens, a fourth comes and goes; then joins are timed."""

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import numpy as np

from sidetone.all_in_one.demo.cast import Actor, KeyRing
from sidetone.all_in_one.demo.joins import first_audio_ms, settled, timed_joins
from sidetone.all_in_one.demo.measures import Pair, timeline
from sidetone.audio.quality import delays_ms
from sidetone.audio.tracks import Track
from sidetone.client.call import Call
from sidetone.protocol.ids import ChannelId

POLL_SECONDS = 0.25
# What is on its way when the speakers stop has arrived after this.
DRAIN_SECONDS = 0.4
DELAY_NS_MAX = 300_000_000
LIVE_WINDOW_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the live table: how one member hears another right now."""

    speaker: str
    listener: str
    delivered_ratio: float
    lost: int
    depth_ms: float
    delay_ms: float | None
    epoch: int | None
    code: str | None


Show = Callable[[str, Sequence[Row]], None]


@dataclass(slots=True)
class Outcome:
    """Everything that the talk leaves behind for the measurements and the proof."""

    pairs: list[Pair] = field(default_factory=list)
    first_audio_ms: list[float | None] = field(default_factory=list)
    codes_equal: bool = True
    epochs: int = 0
    ring: KeyRing = field(default_factory=KeyRing)
    removed: KeyRing = field(default_factory=KeyRing)
    removed_at_ns: int = 0
    seconds: float = 0.0


class Talk:
    """One performance in one channel."""

    def __init__(self, channel: ChannelId, cast: Sequence[Actor], show: Show) -> None:
        self._channel = channel
        self._speakers = cast[:2]
        self._members = cast[:3]
        self._visitor, self._guest = cast[3:5]
        self._show = show
        self._calls: dict[str, Call] = {}
        self._outcome = Outcome()
        self._delays: dict[tuple[str, str], float] = {}

    async def perform(self, seconds: float, joins: int) -> Outcome:
        """Talk for *seconds*, time *joins*, and return what it left."""
        async with AsyncExitStack() as stack:
            await self._gather(stack)
            sent, received = await self._hush()
            from_ns = time.monotonic_ns()
            self._mute(muted=False)
            await self._talk(seconds)
            to_ns = time.monotonic_ns()
            sent_end, received_end = await self._hush()
            self._outcome.seconds = (to_ns - from_ns) / 1e9
            self._outcome.pairs = await asyncio.to_thread(
                self._pairs, (from_ns, to_ns), (sent, sent_end), (received, received_end)
            )
            self._mute(muted=False)
            self._show(f"timing {joins} joins", [])
            witness = self._calls[self._members[0].name]
            self._outcome.first_audio_ms = await timed_joins(
                self._guest, witness, self._channel, joins
            )
            self._outcome.epochs = (witness.epoch or 0) + 1
        return self._outcome

    async def _gather(self, stack: AsyncExitStack) -> None:
        self._show("members join", [])
        for actor in self._members:
            call = await stack.enter_async_context(actor.join(self._channel))
            self._calls[actor.name] = call
            if len(self._calls) == 1:
                follower = asyncio.create_task(self._outcome.ring.follow(call))
                stack.callback(follower.cancel)
            else:
                await first_audio_ms(call)
        for call in self._calls.values():
            await settled(call, len(self._members))
        for speaker, listener in self._couples():
            await asyncio.wait_for(self._calls[listener.name].heard(speaker.user), 10)

    async def _talk(self, seconds: float) -> None:
        visit = asyncio.create_task(self._visit(seconds))
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        start = self._counts()
        measuring = asyncio.create_task(self._measure_delays())
        while loop.time() < end:
            await asyncio.sleep(min(POLL_SECONDS, max(0.0, end - loop.time())))
            self._outcome.ring.note(self._calls[self._members[0].name])
            self._show(f"{max(0.0, end - loop.time()):.0f} s to go", self._rows(start))
        measuring.cancel()
        await visit

    async def _visit(self, seconds: float) -> None:
        """Let the fourth member hear a part of the talk and leave; the rest is not for it."""
        await self._check_codes(list(self._calls.values()))
        await asyncio.sleep(seconds * 0.35)
        async with self._visitor.join(self._channel) as call:
            await first_audio_ms(call)
            await asyncio.sleep(seconds * 0.15)
            await self._check_codes([*self._calls.values(), call])
            self._outcome.removed.note(call)
            self._outcome.removed_at_ns = time.monotonic_ns()
        await settled(self._calls[self._members[0].name], len(self._members))
        await self._check_codes(list(self._calls.values()))

    async def _check_codes(self, calls: Sequence[Call]) -> None:
        """All show the same code; a commit on its way may take a second to reach everybody."""
        for _ in range(50):
            codes = {call.code for call in calls}
            if len(codes) == 1 and None not in codes:
                return
            await asyncio.sleep(0.02)
        self._outcome.codes_equal = False

    async def _hush(self) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        """Stop the speakers, let what is on its way arrive, and count."""
        self._mute(muted=True)
        await asyncio.sleep(DRAIN_SECONDS)
        return self._counts()

    def _mute(self, *, muted: bool) -> None:
        for speaker in self._speakers:
            self._calls[speaker.name].set_muted(muted)

    def _couples(self) -> list[tuple[Actor, Actor]]:
        return [(s, m) for s in self._speakers for m in self._members if m is not s]

    def _counts(self) -> tuple[dict[str, int], dict[tuple[str, str], int]]:
        stats = {actor.name: self._calls[actor.name].stats() for actor in self._members}
        sent = {
            s.name: stats[s.name].engine.packets_sent - sum(stats[s.name].frames_not_sent.values())
            for s in self._speakers
        }
        received = {
            (s.name, m.name): peer.received if (peer := stats[m.name].peers.get(s.user)) else 0
            for s, m in self._couples()
        }
        return sent, received

    def _rows(self, start: tuple[dict[str, int], dict[tuple[str, str], int]]) -> list[Row]:
        sent, received = self._counts()
        rows: list[Row] = []
        for speaker, listener in self._couples():
            pair = (speaker.name, listener.name)
            call = self._calls[listener.name]
            jitter = call.stats().peers.get(speaker.user)
            rows.append(
                Row(
                    *pair,
                    delivered_ratio=(received[pair] - start[1][pair])
                    / max(1, sent[speaker.name] - start[0][speaker.name]),
                    lost=jitter.lost if jitter else 0,
                    depth_ms=jitter.depth_ms if jitter else 0.0,
                    delay_ms=self._delays.get(pair),
                    epoch=call.epoch,
                    code=call.code,
                )
            )
        return rows

    async def _measure_delays(self) -> None:
        """Keep the live delays fresh; the arithmetic runs beside the event loop."""
        for speaker, listener in itertools.cycle(self._couples()):
            await asyncio.sleep(2 * POLL_SECONDS)
            spoken = _latest(speaker.spoken)
            heard = _latest(listener.heard[speaker.user])
            found = await asyncio.to_thread(delays_ms, spoken, heard)
            if found:
                self._delays[(speaker.name, listener.name)] = float(np.median(found))

    def _pairs(
        self,
        span_ns: tuple[int, int],
        sent: tuple[dict[str, int], dict[str, int]],
        received: tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]],
    ) -> list[Pair]:
        pairs: list[Pair] = []
        for speaker, listener in self._couples():
            name = (speaker.name, listener.name)
            heard = listener.heard[speaker.user]
            peer = self._calls[listener.name].stats().peers.get(speaker.user)
            pairs.append(
                Pair(
                    *name,
                    sent=sent[1][speaker.name] - sent[0][speaker.name],
                    received=received[1][name] - received[0][name],
                    fec_recovered=peer.fec_recovered if peer else 0,
                    delays_ms=delays_ms(speaker.spoken.between(*span_ns), heard.between(*span_ns)),
                    said=timeline(speaker.spoken, *span_ns),
                    heard=timeline(heard, span_ns[0], span_ns[1] + DELAY_NS_MAX),
                )
            )
        return pairs


def _latest(track: Track) -> Track:
    now_ns = time.monotonic_ns()
    return track.between(now_ns - LIVE_WINDOW_SECONDS * 1_000_000_000, now_ns)
