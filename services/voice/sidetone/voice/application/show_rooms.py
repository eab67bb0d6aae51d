"""Tell who sees a voice channel who is in it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn, TypeAlias

import structlog

from sidetone.bus import Bus
from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import InChannel, RoomChanged, Signal
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.runtime.clock import Clock
from sidetone.voice.application.places import Places
from sidetone.voice.application.ports import ShownRooms
from sidetone.voice.domain.occupancy import Occupancy, changes, states_of

_TICK_SECONDS = 0.25
_RETRY_SECONDS = 1.0
_KEPT_EVERY_MS = 20_000
_TRIES_MAX = 5

Changed: TypeAlias = Callable[[ChannelId], Awaitable[None]]

log = structlog.get_logger(__name__)


class ShowRooms:
    """Compares who is in a room with what is shown of it, and changes that once.

    Every replica hears the units. Who swaps what is shown first tells the others, so that one
    change makes one signal, and how long somebody has been in survives a restart. Without the
    store each replica tells what it sees: twice is better than never.
    """

    def __init__(
        self, occupancy: Occupancy, places: Places, shown: ShownRooms, bus: Bus, clock: Clock
    ) -> None:
        self._occupancy = occupancy
        self._places = places
        self._shown = shown
        self._bus = bus
        self._clock = clock
        self._states: dict[ServerId, dict[ChannelId, list[VoiceState]]] = {}
        self._kept_at_ms: dict[ChannelId, int] = {}
        self._pending: dict[ChannelId, None] = {}
        self._woken = asyncio.Event()

    async def hear(self, told: RoomChanged) -> None:
        """Take what a unit tells of a room."""
        now_ms = self._clock.now_ms()
        old = now_ms - self._kept_at_ms.get(told.channel, 0) >= _KEPT_EVERY_MS
        if self._occupancy.hear(told, now_ms) or (told.members and old):
            self._pending[told.channel] = None
            self._woken.set()

    def states_in(self, servers: Iterable[ServerId]) -> list[VoiceState]:
        """Return who is in the voice channels of *servers*."""
        return [
            state
            for server in servers
            for states in self._states.get(server, {}).values()
            for state in states
        ]

    async def run(self, changed: Changed) -> NoReturn:
        """Show what changed, for as long as the process lives; then report it to *changed*."""
        while True:
            try:
                await self._show_pending(changed)
            except Exception:
                log.exception("rooms_not_shown")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _show_pending(self, changed: Changed) -> None:
        for channel in self._occupancy.end_silent(self._clock.now_ms()):
            self._pending[channel] = None
        while self._pending:
            channel = next(iter(self._pending))
            del self._pending[channel]
            try:
                await self._show(channel)
                await changed(channel)
            except Unavailable as unavailable:
                log.warning("room_waits", reason=unavailable.detail)
                self._pending[channel] = None
                await asyncio.sleep(_RETRY_SECONDS)
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _show(self, channel: ChannelId) -> None:
        try:
            server = await self._places.server_of(channel)
        except NotFound:
            return
        self._kept_at_ms[channel] = self._clock.now_ms()
        try:
            after = await self._swap(server, channel)
        except Unavailable as unavailable:
            log.warning("shown_rooms_unavailable", code=unavailable.code)
            before = self._states.get(server, {}).get(channel, [])
            after = self._seen(server, channel, before)
            await self._tell(server, channel, before, after)
        self._remember(server, channel, after)

    async def _swap(self, server: ServerId, channel: ChannelId) -> list[VoiceState]:
        """Make what is shown what is seen, and return it."""
        after: list[VoiceState] = []
        for _ in range(_TRIES_MAX):
            shown = await self._shown.of(channel)
            before = shown.states if shown is not None else []
            after = self._seen(server, channel, before)
            if await self._shown.show(channel, shown, after):
                await self._tell(server, channel, before, after)
                break
        return after

    def _seen(
        self, server: ServerId, channel: ChannelId, before: list[VoiceState]
    ) -> list[VoiceState]:
        inside = self._occupancy.inside(channel)
        return states_of(server, channel, inside, before, self._clock.now_ms())

    async def _tell(
        self,
        server: ServerId,
        channel: ChannelId,
        before: list[VoiceState],
        after: list[VoiceState],
    ) -> None:
        for change in changes(channel, before, after):
            await self._bus.publish(Signal(InChannel(server, channel), change))

    def _remember(self, server: ServerId, channel: ChannelId, states: list[VoiceState]) -> None:
        if states:
            self._states.setdefault(server, {})[channel] = states
            return
        self._kept_at_ms.pop(channel, None)
        rooms = self._states.get(server, {})
        rooms.pop(channel, None)
        if not rooms:
            self._states.pop(server, None)
