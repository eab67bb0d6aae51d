"""Every service as a process of its own, on real engines, and people who use it."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from valkey import Valkey

from sidetone.bus.memory import MemoryBus
from tests import engines
from tests.scenarios.world import MovedClock, Platform, sign_up
from tests.surroundings import fresh_postgres

START_SECONDS_MAX = 90.0
SERVICES = ("auth", "chat", "gateway", "media", "presence", "voice")
NODE = "voice-node"


@asynccontextmanager
async def used_cluster() -> AsyncGenerator[Mapping[str, str]]:
    """Yield where each process offers its metrics, once people have done a bit of everything."""
    with running() as urls:
        async with httpx.AsyncClient(timeout=30) as http:
            addresses = {name: [url] for name, url in urls.items() if name != NODE}
            platform = Platform(addresses, MemoryBus(), MovedClock(), http)
            async with AsyncExitStack() as stack:
                await _live(platform, stack)
                yield urls


async def _live(platform: Platform, stack: AsyncExitStack) -> None:
    """Sign up, found a server, talk, look for it, get a ticket; stay connected."""
    ada, ben = await sign_up(platform, "Ada"), await sign_up(platform, "Ben")
    server = await ada.found()
    await ada.let_in(ben, server)
    await stack.enter_async_context(ben.listening())
    text, voice = await ada.place(server, "text"), await ada.place(server, "voice")
    for number in range(3):
        await ada.say(text, f"Message {number}")
    assert len(await ben.history(text)) == 3
    async with asyncio.timeout(START_SECONDS_MAX):
        while (joined := await ben.join(voice)).status_code == 503:  # noqa: ASYNC110 - the node has yet to tell of itself
            await asyncio.sleep(0.2)
    assert joined.status_code == 200, joined.text


@contextmanager
def running() -> Generator[Mapping[str, str]]:
    """Run every service and one voice node, and yield their URLs when all are ready."""
    with (
        fresh_postgres() as database,
        tempfile.TemporaryDirectory(prefix="sidetone-") as folder,
        Valkey.from_url(engines.valkey_url()) as valkey,
    ):
        valkey.flushdb()
        ports = _free_ports(len(SERVICES) + 1)
        urls = {
            name: f"http://127.0.0.1:{port}"
            for name, port in zip((*SERVICES, NODE), ports, strict=True)
        }
        processes = [
            _start(f"sidetone.{name}", _settings(name, port, database, folder), folder)
            for name, port in zip(SERVICES, ports, strict=False)
        ]
        processes.append(_start("sidetone.voice_sfu", _node_settings(ports[-1], folder), folder))
        try:
            _wait_until_ready(urls, processes, Path(folder))
            yield urls
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)


def _settings(name: str, port: int, database: str, folder: str) -> dict[str, str]:
    prefix = f"SIDETONE_{name.upper()}"
    settings = {
        f"{prefix}_DATABASE_URL": database,
        f"{prefix}_NATS_URL": engines.nats_url(),
        f"{prefix}_VALKEY_URL": engines.valkey_url(),
        f"{prefix}_PORT": str(port),
    }
    if name == "media":
        settings["SIDETONE_MEDIA_FILES_FOLDER"] = str(Path(folder) / "files")
    if name == "chat":
        settings["SIDETONE_CHAT_TYPESENSE_URL"] = engines.typesense_url()
        settings["SIDETONE_CHAT_TYPESENSE_API_KEY"] = engines.TYPESENSE_API_KEY
    return settings


def _node_settings(port: int, folder: str) -> dict[str, str]:
    return {
        "SIDETONE_SFU_BUS": engines.nats_url(),
        "SIDETONE_SFU_TLS_FOLDER": str(Path(folder) / "tls"),
        "SIDETONE_SFU_HOST": "127.0.0.1",
        "SIDETONE_SFU_ANNOUNCED_HOST": "127.0.0.1",
        "SIDETONE_SFU_WORKERS": "1",
        "SIDETONE_SFU_METRICS_PORT": str(port),
        # The kernels take seconds to load, and count the same.
        "SIDETONE_SFU_FASTPATH": "off",
        "SIDETONE_SFU_LOG_FORM": "json",
    }


def _start(module: str, settings: dict[str, str], folder: str) -> subprocess.Popen[bytes]:
    with (Path(folder) / f"{module}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
        )


def _wait_until_ready(
    urls: Mapping[str, str], processes: list[subprocess.Popen[bytes]], folder: Path
) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    for name, url in urls.items():
        path = "/metrics" if name == NODE else "/readyz"
        while not _answers(url + path):
            ended = [process for process in processes if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                logs = [log.read_text()[-2_000:] for log in folder.glob("*.log")]
                pytest.fail(f"{name} is not ready: {logs}")
            time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
