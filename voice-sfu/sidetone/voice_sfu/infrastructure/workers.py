"""The voice nodes of one machine: a child process for each core, kept running.

Processes of their own, because a room lives in one interpreter, and because busy HTTP in the same
one delays audio (docs/decisions). ``sidetone serve`` and the standalone unit both keep theirs with
this; it holds no room and forwards nothing itself.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence

import structlog

from sidetone.bus import Bus
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import NodeAlive, NodeLost
from sidetone.protocol.ids import NodeId
from sidetone.protocol.refusals import Refusal
from sidetone.runtime.start import StartError
from sidetone.voice_sfu.domain.restarts import Restarts
from sidetone.voice_sfu.infrastructure.worker import START_SECONDS_MAX, Listening, Place, Worker

_PORT_MAX = 65_535
_RETRY_SECONDS = 1.0

log = structlog.get_logger()


def places(count: int, port: int, metrics_port: int) -> list[Place]:
    """Return the places of *count* workers, 0 for one per core: a port each, in a row.

    Port 0 stays 0: any free one, no metrics. Raises ``StartError`` where the ports do not suffice.
    """
    count = count or cores()
    for name, first in (("UDP", port), ("metrics", metrics_port)):
        if first and first + count - 1 > _PORT_MAX:
            raise StartError(
                f"{count} voice workers from {name} port {first} on need ports above {_PORT_MAX}; "
                "choose a lower port or fewer --workers"
            )
    return [
        Place(port + index if port else 0, metrics_port + index if metrics_port else 0)
        for index in range(count)
    ]


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def environment_with(environment: Mapping[str, str], **settings: str | None) -> dict[str, str]:
    """Return *environment* with these settings of a unit, also where a file held one before.

    None leaves a setting as it is.
    """
    changed = {
        f"SIDETONE_SFU_{name.upper()}": value
        for name, value in settings.items()
        if value is not None
    }
    replaced = {f"{name}_FILE" for name in changed}
    return {name: value for name, value in environment.items() if name not in replaced} | changed


class Workers:
    """Keeps a worker at each place, and one more that waits for the death of another.

    *bus* is told of each death, so that whoever asks for a room is sent elsewhere from that
    moment on.
    """

    def __init__(self, bus: Bus, environment: Mapping[str, str], wanted: Sequence[Place]) -> None:
        self._bus = bus
        self._environment = environment
        self._wanted = wanted
        self._at: dict[int, Worker] = {}
        self._spare: asyncio.Task[Worker] | None = None
        self._children: set[Worker] = set()
        self._keeping = Tasks()

    @property
    def working(self) -> list[Worker]:
        """The workers, in the order of their places."""
        return [worker for _, worker in sorted(self._at.items())]

    @property
    def listening(self) -> list[Listening]:
        """Where they listen."""
        return [worker.listening for worker in self.working if worker.listening is not None]

    async def start(self) -> None:
        """Start all, and return when the bus has carried a first word of each.

        One that cannot start would not start later either: ``StartError`` says why, once, and
        none is left running.
        """
        heard: asyncio.Queue[NodeAlive] = asyncio.Queue()
        unsubscribe = await self._bus.subscribe(NodeAlive, heard.put)
        try:
            await _all_heard(heard, await self._begin_all())
        except BaseException:
            await self.stop()
            raise
        finally:
            await unsubscribe()
        for index, worker in sorted(self._at.items()):
            log.info("voice_worker_started", **_fields(worker))
            self._keeping.start(self._keep(index))

    async def _begin_all(self) -> set[NodeId]:
        """Begin the first one alone: what it has to compile the others find in the cache."""
        first = await self._begin_first(0)
        others = [
            asyncio.create_task(self._begin_first(index)) for index in range(1, len(self._wanted))
        ]
        # Each starts a child of its own in its first step; the spare one is not for them.
        await asyncio.sleep(0)
        self._refill()
        try:
            return {first, *await asyncio.gather(*others)}
        except BaseException:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            raise

    async def stand_by(self) -> None:
        """Return when the next death will be made good in a moment."""
        if self._spare is not None:
            await asyncio.shield(self._spare)

    async def stop(self) -> None:
        """Let all move their members elsewhere, side by side, then end them."""
        await self._keeping.close()
        if self._spare is not None:
            self._spare.cancel()
            await asyncio.gather(self._spare, return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._children))

    async def _begin_first(self, index: int) -> NodeId:
        try:
            return (await self._begin(index)).node
        except StartError as error:
            count = len(self._wanted)
            which = f"voice worker {index + 1} of {count}" if count > 1 else "the voice node"
            raise StartError(f"{which} did not start: {error}") from error

    async def _keep(self, index: int) -> None:
        restarts = Restarts()
        while True:
            try:
                await self._replace(index, restarts)
            except Exception:
                log.exception("voice_worker_not_kept")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _replace(self, index: int, restarts: Restarts) -> None:
        """Wait for the end of the worker at a place, and put another one there."""
        loop = asyncio.get_running_loop()
        worker, began_at = self._at[index], loop.time()
        status = await worker.ended()
        ended_at = loop.time()
        await self._lost(worker)
        restart = restarts.died(ended_at - began_at)
        if restart.told:
            fields = _fields(worker) | {"restart_seconds": restart.pause_seconds}
            log.error("voice_worker_ended", status=status, **fields)
        await asyncio.sleep(restart.pause_seconds)
        await self._begin_again(index, restarts)
        self._refill()
        fields = _fields(self._at[index]) | {"after_seconds": round(loop.time() - ended_at, 3)}
        log.info("voice_worker_replaced", **fields)

    async def _begin_again(self, index: int, restarts: Restarts) -> None:
        while (reason := await self._hindrance(index)) is not None:
            restart = restarts.died(0.0)
            if restart.told:
                pause_seconds = restart.pause_seconds
                log.error("voice_worker_not_started", reason=reason, restart_seconds=pause_seconds)
            await asyncio.sleep(restart.pause_seconds)

    async def _hindrance(self, index: int) -> str | None:
        try:
            await self._begin(index)
        except StartError as error:
            return str(error)
        return None

    async def _begin(self, index: int) -> Listening:
        worker = await self._take()
        try:
            listening = await worker.begin(self._wanted[index])
        except StartError:
            await self._end(worker)
            raise
        self._at[index] = worker
        return listening

    async def _lost(self, worker: Worker) -> None:
        self._children.discard(worker)
        if worker.listening is None:
            return
        try:
            await self._bus.publish(NodeLost(worker.listening.node))
        except Refusal as refusal:
            # Its lease ends soon.
            log.warning("voice_worker_loss_not_told", code=refusal.code)

    async def _take(self) -> Worker:
        """Return a child without a place: the spare one, or a new one."""
        spare, self._spare = self._spare, None
        if spare is not None:
            worker = await spare
            if worker.lives:
                return worker
            self._children.discard(worker)
        return await self._spawn()

    def _refill(self) -> None:
        """Start a spare one where there is none."""
        if self._spare is None:
            self._spare = asyncio.create_task(self._spawn())

    async def _spawn(self) -> Worker:
        worker = await Worker.spawn(self._environment)
        self._children.add(worker)
        try:
            await worker.stand_by()
        except StartError:
            await self._end(worker)
            raise
        return worker

    async def _end(self, worker: Worker) -> None:
        await worker.kill()
        self._children.discard(worker)


async def _all_heard(heard: asyncio.Queue[NodeAlive], nodes: set[NodeId]) -> None:
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while nodes:
                nodes.discard((await heard.get()).node)
    except TimeoutError:
        raise StartError(
            "the voice nodes started, but nothing of them came over the bus; see the log"
        ) from None


def _fields(worker: Worker) -> dict[str, float]:
    fields: dict[str, float] = {"pid": worker.pid}
    if worker.listening is not None:
        fields |= {"node": worker.listening.node, "port": worker.listening.port}
    return fields
