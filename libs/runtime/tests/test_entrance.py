"""What a process answers before its engines are there, and when it is about to leave."""

import asyncio

import httpx
from litestar import Litestar, get
from litestar.exceptions import HTTPException

from sidetone.runtime.clock import SystemClock
from sidetone.runtime.entrance import Entrance
from sidetone.runtime.process import serving


@get("/livez")
async def livez() -> str:
    return "alive"


@get("/readyz")
async def readyz() -> str:
    return "ready"


@get("/slow")
async def slow() -> str:
    await asyncio.sleep(0.1)
    raise HTTPException(status_code=418)


APP = Litestar([livez, readyz, slow], openapi_config=None, logging_config=None)


async def test_a_process_is_alive_before_it_is_ready_and_ready_until_it_leaves() -> None:
    entrance = Entrance()
    async with (
        serving(entrance.answer, "127.0.0.1", 0, clock=SystemClock()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        entrance.missing = "PostgreSQL"
        assert (await client.get("/livez")).status_code == 200
        for path in ("/readyz", "/slow"):
            refused = await client.get(path)
            assert refused.status_code == 503
            assert refused.headers["retry-after"] == "1"
            assert refused.json()["code"] == "starting"
            assert "PostgreSQL" in refused.json()["detail"]
        entrance.open(APP)
        assert [(await client.get(path)).status_code for path in ("/readyz", "/slow")] == [
            200,
            418,
        ]
        entrance.leave()
        assert (await client.get("/readyz")).json()["code"] == "stopping"
        assert [(await client.get(path)).status_code for path in ("/livez", "/slow")] == [200, 418]
