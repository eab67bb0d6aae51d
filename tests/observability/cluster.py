"""One of every service with its metrics, as processes on real engines, and people who use them."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from valkey import Valkey

from sidetone.bus.memory import MemoryBus
from tests import engines
from tests.cluster.programs import Program, answers
from tests.cluster.stage import SERVICES, service, voice_node
from tests.scenarios.world import MovedClock, Platform, sign_up
from tests.surroundings import fresh_postgres

START_SECONDS_MAX = 60.0
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
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-")))
        stack.enter_context(Valkey.from_url(engines.valkey_url())).flushdb()
        shared = {
            "DATABASE_URL": stack.enter_context(fresh_postgres()),
            "NATS_URL": engines.nats_url(),
            "VALKEY_URL": engines.valkey_url(),
        }
        search = {
            "TYPESENSE_URL": engines.typesense_url(),
            "TYPESENSE_API_KEY": engines.TYPESENSE_API_KEY,
        }
        key = engines.TYPESENSE_SEARCH_KEY
        own = {
            "chat": {**search, "TYPESENSE_API_KEY": key, "INDEXES": "false"},
            "search-indexer": {**search, "TYPESENSE_SEARCH_KEY": key},
            "media": {"FILES_FOLDER": str(folder / "files")},
        }
        programs: dict[str, Program] = {
            name: service(name, {**shared, **own.get(name, {})}, engines.free_port(), folder, 1)
            for name in SERVICES
        }
        urls = {name: program.url for name, program in programs.items()}
        urls[NODE] = f"http://127.0.0.1:{engines.free_port()}"
        programs[NODE] = voice_node(
            shared["NATS_URL"],
            folder,
            1,
            # The kernels take seconds to load, and count the same.
            {"METRICS_PORT": urls[NODE].rpartition(":")[2], "FASTPATH": "off"},
        )
        for program in programs.values():
            program.start()
            stack.callback(program.stop)
        for program in programs.values():
            program.wait_until_ready()
        assert answers(f"{urls[NODE]}/metrics")
        yield urls
