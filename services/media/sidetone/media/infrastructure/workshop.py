"""Child processes that do what is dangerous: decode pictures and pages of strangers.

A process for each job, few at once, each with an end to its memory, its time and its answer, and
with nothing of ours in its environment. A job that fails hurts nobody but its sender.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterable
from typing import TypeVar

import msgspec
import structlog

from sidetone.media.domain.bounds import Bounds, Picture
from sidetone.media.infrastructure.child_jobs import Job, Limits, PageWords, Paint, Painted, Skim
from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.telemetry.metrics import Timed, counter, gauge, seconds

DEFAULT_LIMITS = Limits()
_JOBS_AT_ONCE = 2
_JOBS_WAITING_MAX = 64
_ANSWER_BYTES_MAX = 64 * 1024 * 1024
# Processor time is limited by the system; this also ends a child that only sleeps.
_SECONDS_MAX_FACTOR = 2

T = TypeVar("T")

_JOBS = counter(
    "sidetone_media_jobs_total",
    "Jobs of children; those that failed hurt nobody.",
    "kind",
    "outcome",
)
_JOB_SECONDS = seconds("sidetone_media_job_seconds", "Time that a child takes.", "kind")
for _job in (Paint, Skim):
    for _outcome in ("done", "failed"):
        _JOBS.labels(_job.__name__.lower(), _outcome)
    _JOB_SECONDS.labels(_job.__name__.lower())
_WAITING = gauge("sidetone_media_jobs_waiting", "Jobs that wait for a child.")
_log = structlog.get_logger(__name__)


class Workshop:
    """Does jobs in children, *at_once* of them; *waiting_max* others wait their turn."""

    def __init__(
        self,
        limits: Limits = DEFAULT_LIMITS,
        at_once: int = _JOBS_AT_ONCE,
        waiting_max: int = _JOBS_WAITING_MAX,
    ) -> None:
        self._limits = limits
        self._places = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._waiting_max = waiting_max

    async def paint(
        self, pieces: AsyncIterable[bytes], picture_format: str, bounds: Bounds
    ) -> Picture:
        """Return the picture in *pieces* made anew. Raises ``Invalid`` or ``Unavailable``."""
        answer = await self._do(Paint(picture_format, bounds), pieces, Painted)
        if answer is None:
            raise Invalid(
                "picture_unreadable", "this picture cannot be read; save it anew and try again"
            )
        if answer.refused is not None:
            raise Invalid(answer.refused.code, answer.refused.detail)
        if answer.picture is None:
            raise Invalid("picture_unreadable", "this picture is empty; choose another")
        return answer.picture

    async def skim(self, content: bytes, charset: str | None) -> PageWords:
        """Return what the page says of itself; nothing where it cannot be read."""
        return await self._do(Skim(charset), _one(content), PageWords) or PageWords()

    async def _do(self, job: Job, pieces: AsyncIterable[bytes], kind: type[T]) -> T | None:
        """Return the child's answer, None where it failed."""
        async with self._place():
            name = type(job).__name__.lower()
            with Timed(_JOB_SECONDS.labels(name)):
                output = await self._output_of(job, pieces)
            _JOBS.labels(name, "failed" if output is None else "done").inc()
        if output is None:
            return None
        try:
            return msgspec.msgpack.decode(output, type=kind)
        except msgspec.DecodeError:
            return None

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        if self._waiting >= self._waiting_max:
            raise Unavailable("checks_busy", "too many files are being checked; try again later")
        self._waiting += 1
        _WAITING.inc()
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
            _WAITING.dec()
        try:
            yield
        finally:
            self._places.release()

    async def _output_of(self, job: Job, pieces: AsyncIterable[bytes]) -> bytes | None:
        child = await _spawn(self._limits, job)
        try:
            async with asyncio.timeout(self._limits.cpu_seconds * _SECONDS_MAX_FACTOR):
                feeding = asyncio.create_task(_feed(child, pieces))
                try:
                    output = await _answer(child)
                    await feeding
                finally:
                    feeding.cancel()
                    await asyncio.wait([feeding])
                status = await child.wait()
        except TimeoutError:
            output, status = None, None
        finally:
            await _end(child)
        if status != 0 or output is None:
            _log.info("child_failed", job=type(job).__name__, status=status)
            return None
        return output


async def _spawn(limits: Limits, job: Job) -> asyncio.subprocess.Process:
    arguments = [msgspec.json.encode(part).decode() for part in (limits, job)]
    module = "sidetone.media.infrastructure.child"
    try:
        return await asyncio.create_subprocess_exec(
            # Isolated: no path, variable or user folder leads it to other code.
            *(sys.executable, "-I", "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd=os.sep,
        )
    except OSError as error:
        raise Unavailable(
            "checks_unavailable", "files cannot be checked now; try again later"
        ) from error


async def _feed(child: asyncio.subprocess.Process, pieces: AsyncIterable[bytes]) -> None:
    if child.stdin is None:
        return
    # A child that gives up early hears no more.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        try:
            async for piece in pieces:
                child.stdin.write(piece)
                await child.stdin.drain()
        finally:
            # Without an end it would wait for one.
            child.stdin.close()
        await child.stdin.wait_closed()


async def _answer(child: asyncio.subprocess.Process) -> bytes | None:
    output = bytearray()
    while child.stdout is not None and (piece := await child.stdout.read(256 * 1024)):
        output += piece
        if len(output) > _ANSWER_BYTES_MAX:
            return None
    return bytes(output)


async def _end(child: asyncio.subprocess.Process) -> None:
    """Leave no process behind, whatever happened."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    await child.wait()


async def _one(content: bytes) -> AsyncGenerator[bytes]:
    yield content
