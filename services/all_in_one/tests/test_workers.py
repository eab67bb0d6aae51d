"""A server with two voice workers: a call outlives the worker that it was on."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from libs.client.tests.stage import in_step, saying
from services.all_in_one.tests.test_commands import serving
from sidetone.client.client import Client
from tests.waiting import until

PASSWORD = "a long enough passphrase"
AUDIO_BACK_SECONDS_MAX = 3.0


def log_lines(log: Path, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


async def member(address: str, folder: Path, name: str, ports: list[int]) -> Client:
    """Return a member who notes the UDP ports that they are sent to."""

    def route(host: str, port: int) -> tuple[str, int]:
        ports.append(port)
        return host, port

    client = Client(address, data_dir=folder / name, route=route)
    await client.register(name, PASSWORD)
    return client


async def test_members_hear_each_other_again_when_their_worker_is_killed(tmp_path: Path) -> None:
    log, ports = tmp_path / "log", []
    with serving(tmp_path / "data", "--workers", "2", "--log", "json", log=log) as (address, _):
        started = log_lines(log, "voice_worker_started")
        assert len({worker["port"] for worker in started}) == 2
        ada = await member(address, tmp_path, "Ada", ports)
        ben = await member(address, tmp_path, "Ben", ports)
        async with ada, ben:
            home = await ada.api.servers.create("Crew")
            await ben.api.servers.accept_invite((await ada.api.servers.invite(home.id)).code)
            lounge = (await ada.find_channel("Lounge")).id
            async with ada.join_voice(lounge) as call_a, ben.join_voice(lounge) as call_b:
                await in_step(call_a, call_b)
                async with saying(call_a), saying(call_b, 660):
                    await asyncio.gather(call_a.heard(ben.user.id), call_b.heard(ada.user.id))
                    (dies,) = [w for w in started if w["port"] == ports[-1]]
                    os.kill(dies["pid"], signal.SIGKILL)
                    killed_at = time.monotonic()
                    await until(lambda: call_a.stats().reconnects + call_b.stats().reconnects == 2)
                    await asyncio.gather(call_a.heard(ben.user.id), call_b.heard(ada.user.id))
                    assert time.monotonic() - killed_at < AUDIO_BACK_SECONDS_MAX
                await in_step(call_a, call_b)
        (lost,) = log_lines(log, "voice_worker_ended")
        assert lost["node"] == dies["node"]
        await until(lambda: len(log_lines(log, "voice_worker_replaced")) == 1)
        joined = log_lines(log, "member_joined")
    # Every line of a worker says which: the call was on one, and then on one other.
    assert len(joined) == 4
    assert joined[0]["node"] == joined[1]["node"] == dies["node"]
    assert joined[2]["node"] == joined[3]["node"] != dies["node"]
