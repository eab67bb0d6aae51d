"""The demo's server: ``sidetone serve`` in a process of its own, on free ports."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sidetone.runtime.start import StartError

START_SECONDS_MAX = 60
_UP = "Sidetone is up: "


@asynccontextmanager
async def server(
    data: Path, log: Path, *, evidence: Path | None = None, unhurried: bool = False
) -> AsyncGenerator[str, None]:
    """Run a server with its data in *data* until the block ends; give its address.

    The node writes *evidence*, completed when the block has ended; the log goes to *log*. One that
    is *unhurried* lets a crowd in at once.
    """
    wishes = {"SIDETONE_SFU_EVIDENCE": str(evidence)} if evidence is not None else {}
    if unhurried:
        wishes["SIDETONE_LIMITS_FACTOR"] = "100"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sidetone.all_in_one", "serve"),
            *("--data", str(data), "--host", "127.0.0.1", "--port", "0", "--log", "json"),
            env={**os.environ, **wishes},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield await _address(process, log)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _address(process: asyncio.subprocess.Process, log: Path) -> str:
    if process.stdout is None:
        raise StartError("The demo's server has no output to read its address from.")
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), START_SECONDS_MAX)).decode()
    except TimeoutError:
        line = ""
    if not line.startswith(_UP):
        reason = (log.read_text().strip().splitlines() or ["it said nothing"])[-1]
        raise StartError(f"The demo's server did not start: {reason}")
    return line.removeprefix(_UP).strip()
