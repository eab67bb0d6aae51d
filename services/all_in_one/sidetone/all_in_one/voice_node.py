"""The voice node of a server on one machine: a child process that forwards frames.

A process of its own, because busy HTTP in the same interpreter delays audio (docs/decisions). It
reaches the bus by a local socket and ends by itself when that closes, so nothing is left behind
when the server is killed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping

import structlog

RESTART_SECONDS = 0.5
START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 12.0

log = structlog.get_logger()


class VoiceNode:
    """Keeps one voice node running: starts it again when it dies, stops it with the server."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **{f"SIDETONE_SFU_{k}": v for k, v in settings.items()}}
        self._child: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self, alive: asyncio.Event) -> bool:
        """Start the node and tell whether it lives: *alive* is set by its first report.

        One that ends before that would end again, so only one that lived is kept running.
        """
        child = await self._spawn()
        born, ended = asyncio.create_task(alive.wait()), asyncio.create_task(child.wait())
        await asyncio.wait(
            {born, ended}, timeout=START_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        born.cancel()
        ended.cancel()
        if alive.is_set():
            self._keeper = asyncio.create_task(self._keep(child))
        return alive.is_set()

    async def stop(self) -> None:
        """Let the node move its members elsewhere, then end it."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._child is None or self._child.returncode is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._child.wait(), STOP_SECONDS_MAX)
        except TimeoutError:
            self._child.kill()
            await self._child.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sidetone.voice_sfu",
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            # Our output is for people and scripts; the node's log goes where logs go.
            stdout=sys.stderr,
            # A Ctrl-C in the terminal is for the server, which then stops us in order.
            start_new_session=True,
        )
        return self._child

    async def _keep(self, child: asyncio.subprocess.Process) -> None:
        while True:
            status = await child.wait()
            log.error("voice_node_ended", status=status, restart_seconds=RESTART_SECONDS)
            await asyncio.sleep(RESTART_SECONDS)
            child = await self._spawn()
