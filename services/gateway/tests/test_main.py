"""The gateway as it is deployed: a process of its own on NATS and Valkey."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from uuid import uuid4

import pytest

from sidetone.protocol.events import MessagesDeleted, ToUsers
from sidetone.protocol.frames import CloseCode
from sidetone.protocol.ids import ChannelId
from tests.engines import nats_url, valkey_url
from tests.gateway_listener import listening
from tests.gateway_stage import Town
from tests.surroundings import fresh_postgres, open_surroundings

WAIT_SECONDS = 30.0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
async def test_the_process_serves_and_stops_on_sigterm_with_a_word_to_its_clients() -> None:
    async with open_surroundings("distributed") as around:
        town = Town(around)
        await town.open()
        with fresh_postgres() as url:
            settings = {
                "DATABASE_URL": url,
                "NATS_URL": nats_url(),
                "VALKEY_URL": valkey_url(),
                "PORT": "0",
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sidetone.gateway",
                env=os.environ | {f"SIDETONE_GATEWAY_{key}": one for key, one in settings.items()},
                stderr=PIPE,
            )
            assert process.stderr is not None
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    line = json.loads(await process.stderr.readline())
                    assert line["event"] == "serving", line
                    await _hear_and_be_told(town, line["port"], process)
                    assert await process.wait() == 0
                rest = (await process.stderr.read()).decode()
            finally:
                if process.returncode is None:
                    process.kill()
                await process.communicate()
    assert [json.loads(line)["event"] for line in rest.splitlines()] == ["stopping"]


async def _hear_and_be_told(town: Town, port: int, process: asyncio.subprocess.Process) -> None:
    ann = town.user("ann")
    news = MessagesDeleted(ChannelId(uuid4()), [])
    async with listening(port) as client:
        await client.ready(town.token(ann))
        await town.record(ToUsers([ann]), news)
        assert await client.event() == news
        process.send_signal(signal.SIGTERM)
        assert await client.closed() == CloseCode.RESTARTING
