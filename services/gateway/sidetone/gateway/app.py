"""The gateway, wired: give it its surroundings, get the door that clients come in by."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sidetone.bus.tasks import Tasks
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenPolicy
from sidetone.gateway.application.admission import Admission
from sidetone.gateway.application.directory import Directory
from sidetone.gateway.application.flusher import Flusher
from sidetone.gateway.application.follow import Follow
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.application.open_session import OpenSession
from sidetone.gateway.application.report import Report
from sidetone.gateway.domain.policy import DEFAULT, Policy
from sidetone.gateway.interface.door import Door
from sidetone.gateway.interface.encoding import encode_event
from sidetone.gateway.interface.prometheus import READ, GatewayMetrics
from sidetone.gateway.interface.reception import Reception
from sidetone.gateway.interface.ticks import Ticks
from sidetone.protocol.events import Signal
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.callers import Callers
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.surroundings import Surroundings

_AGAIN_SECONDS = 1.0
_MINUTE_MS = 60_000
_log = structlog.get_logger(__name__)


async def build(
    around: Surroundings, policy: Policy = DEFAULT, tokens: TokenPolicy = DEFAULT_POLICY
) -> Door:
    """Return what makes a socket of each client that asks ``/gateway`` for one.

    Give it to ``runtime.process.serving``, which also closes it; what runs beside it ends with the
    tasks of *around*.
    """
    flusher = Flusher()
    hub = Hub(around.bus, encode_event, flusher)
    follow = Follow(hub)
    ticks = Ticks(around.clock)
    limit = Limit(policy.identifies_per_minute, _MINUTE_MS)
    admission = Admission(
        Callers(around, tokens),
        Limiter(around.store, "gateway_identify", limit, open_when_down=True),
    )
    open_session = OpenSession(hub, Directory(around.bus), around.clock, policy)
    reception = Reception(hub, admission, open_session, around.tasks, ticks)
    door = Door(hub, reception, ticks, policy)
    READ.from_(GatewayMetrics(hub, flusher, reception, door))

    async def follow_signals() -> None:
        await around.bus.subscribe(Signal, follow.hear_signal)

    async def follow_facts() -> None:
        await around.journal.follow(follow.hear_fact)

    async def open_door() -> None:
        door.open()

    around.tasks.start(flusher.run())
    around.tasks.start(door.run())
    around.tasks.start(Report(hub, around.bus).run())
    await _at_last([follow_signals, follow_facts, open_door], around.tasks)
    return door


async def _at_last(steps: list[Callable[[], Awaitable[None]]], tasks: Tasks) -> None:
    """Take *steps* one after the other: now if the engines are there, else as soon as they are."""

    async def go_on() -> None:
        while steps:
            await steps[0]()
            del steps[0]

    async def again() -> None:
        while steps:
            await asyncio.sleep(_AGAIN_SECONDS)
            try:
                await go_on()
            except Unavailable as unavailable:
                _log.warning("gateway_deaf", reason=unavailable.detail)
            except Exception:
                _log.exception("gateway_deaf")

    try:
        await go_on()
    except Unavailable as unavailable:
        _log.warning("gateway_deaf", reason=unavailable.detail)
        tasks.start(again())
