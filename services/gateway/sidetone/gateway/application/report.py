"""Tells other services which sessions there are: at once when one comes or goes, and regularly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

import structlog

from sidetone.bus import Bus
from sidetone.gateway.application.hub import Hub
from sidetone.protocol.events import SessionsAlive
from sidetone.protocol.refusals import Unavailable

T = TypeVar("T")

_EVERY_SECONDS: Final = 5.0
_IN_ONE_PART_MAX: Final = 500
_log = structlog.get_logger(__name__)


class Report:
    """Publishes openings and closings in order, and every five seconds who is alive."""

    def __init__(self, hub: Hub, bus: Bus) -> None:
        self._hub = hub
        self._bus = bus

    async def run(self) -> None:
        """Report until cancelled; while the bus is away, reports are lost and soon repeated."""
        loop = asyncio.get_running_loop()
        alive_at = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(alive_at):
                    await self._hub.reported.wait()
            except TimeoutError:
                alive_at = loop.time() + _EVERY_SECONDS
                await self._survive(self._alive)
            self._hub.reported.clear()
            await self._survive(self._comings_and_goings)

    async def _comings_and_goings(self) -> None:
        while self._hub.reports:
            await self._bus.publish(self._hub.reports.popleft())

    async def _alive(self) -> None:
        for part in _parts(self._hub.alive()):
            await self._bus.publish(SessionsAlive(list(part)))

    async def _survive(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Unavailable as unavailable:
            _log.warning("sessions_not_reported", reason=unavailable.detail)
        except Exception:
            _log.exception("sessions_not_reported")


def _parts(sessions: Sequence[T]) -> Iterator[Sequence[T]]:
    return (
        sessions[at : at + _IN_ONE_PART_MAX] for at in range(0, len(sessions), _IN_ONE_PART_MAX)
    )
