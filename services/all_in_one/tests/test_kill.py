"""What was acknowledged is there after ``kill -9``."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from services.all_in_one.tests.test_commands import serving
from sidetone.client.api import Api
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.protocol.refusals import Refusal

ATTEMPTS = 32
ACKNOWLEDGED_BEFORE_THE_KILL = 12
AT_ONCE = 8
PASSWORD = "a long enough passphrase"
NO_LIMITS = {
    "SIDETONE_REGISTRATIONS_PER_MINUTE": "100000",
    "SIDETONE_LOGINS_PER_MINUTE": "100000",
}


@asynccontextmanager
async def requests_to(address: str) -> AsyncGenerator[Requests, None]:
    requests = Requests(Endpoint(address))
    yield requests
    await requests.close()


async def register_until_killed(address: str, process: int) -> list[str]:
    """Register as fast as the server can; kill it half-way; return who was acknowledged."""
    acknowledged: list[str] = []
    names = iter([f"member{number}" for number in range(ATTEMPTS)])

    async def register_some() -> None:
        async with requests_to(address) as requests:
            for name in names:
                try:
                    await Api(requests).accounts.register(name, PASSWORD)
                except Refusal:
                    return
                acknowledged.append(name)
                if len(acknowledged) == ACKNOWLEDGED_BEFORE_THE_KILL:
                    os.kill(process, signal.SIGKILL)

    await asyncio.gather(*(register_some() for _ in range(AT_ONCE)))
    return acknowledged


async def can_log_in(address: str, names: list[str]) -> list[str]:
    turns = asyncio.Semaphore(AT_ONCE)

    async def log_in(name: str) -> str:
        async with turns, requests_to(address) as requests:
            return (await Api(requests).accounts.log_in(name, PASSWORD)).name

    return await asyncio.gather(*map(log_in, names))


async def test_every_acknowledged_account_survives_a_kill(tmp_path: Path) -> None:
    with serving(tmp_path, **NO_LIMITS) as (address, process):
        acknowledged = await register_until_killed(address, process)
    assert ACKNOWLEDGED_BEFORE_THE_KILL <= len(acknowledged) < ATTEMPTS

    with serving(tmp_path, **NO_LIMITS) as (again, _):
        assert await can_log_in(again, acknowledged) == acknowledged
    assert address.split("#")[1] == again.split("#")[1], "the server's key must not change"
