"""``sidetone serve``: a whole server on this machine."""

import os
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import click
import msgspec

from sidetone.all_in_one.app import build
from sidetone.all_in_one.data_folder import DataFolder, opened
from sidetone.all_in_one.settings import Settings
from sidetone.bus.local import LocalBusServer
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.credentials.pins import Address
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.settings import load
from sidetone.runtime.start import settle_memory
from sidetone.runtime.surroundings import Surroundings
from sidetone.runtime.tls import Identity
from sidetone.runtime.traces import sent_to
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase
from sidetone.telemetry.metrics import tell_build
from sidetone.voice_sfu.infrastructure.workers import Workers, environment_with, places
from sidetone.voice_sfu.settings import WorkerSettings


class Options(msgspec.Struct, frozen=True):
    """What the command line says."""

    data: Path
    host: str
    port: int
    public_host: str
    workers: str | None
    log: str


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Folder of all data.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - a server is there to be reached; TLS everywhere
@click.option("--port", default=7700, show_default=True, help="TCP and UDP port; 0: any free one.")
@click.option("--public-host", help="Name or address by which members reach this server.")
@click.option("--workers", help="Voice node processes.  [default: one per core]")
@click.option("--log", type=click.Choice(["console", "json"]), default="console")
def serve(
    data: Path | None,
    host: str,
    port: int,
    public_host: str | None,
    workers: str | None,
    log: str,
) -> None:
    """Run a server on this machine: every service, its voice nodes, one folder of data."""
    options = Options(
        data=data or default_data_folder(),
        host=host,
        port=port,
        public_host=public_host or outward_address(host),
        workers=workers,
        log=log,
    )
    run(lambda: _serve(options))


def default_data_folder() -> Path:
    """Return the per-user folder for a server's data on this system."""
    import platformdirs  # noqa: PLC0415 - only this command needs it

    return platformdirs.user_data_path("sidetone") / "server"


def outward_address(host: str) -> str:
    """Return the address of this machine that others most likely reach.

    The routing table knows, and connecting a UDP socket sends nothing. Without any route it is
    the loopback.
    """
    if host not in {"0.0.0.0", "::"}:  # noqa: S104
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


async def _serve(options: Options) -> None:
    logs.configure("json" if options.log == "json" else "console")
    settings = load(Settings, "SIDETONE", os.environ)
    environment = environment_with(os.environ, workers=options.workers, log_form=options.log)
    tell_build("all_in_one")
    with sent_to(settings.traces_endpoint, "server"):
        await _run(options, settings, environment)


async def _run(options: Options, settings: Settings, environment: Mapping[str, str]) -> None:
    async with running(options, settings, environment) as address:
        settle_memory()
        click.echo(f"Sidetone is up: {address}")
        click.echo("Give this address to your members; it carries the server's fingerprint.")
        await stop_requested()
        click.echo("Stopping: members are told to go elsewhere.")


@asynccontextmanager
async def running(
    options: Options, settings: Settings, environment: Mapping[str, str]
) -> AsyncGenerator[Address, None]:
    """Run the whole server until the block ends; give its address when calls can be joined.

    *environment* is that of the voice workers.
    """
    clock = SystemClock()
    voice = load(WorkerSettings, "SIDETONE_SFU", environment)
    # One number to open in a firewall: the first worker's UDP port is that of TCP.
    wanted = places(voice.count(), options.port, voice.metrics_port)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(opened(options.data))
        identity = Identity.open(folder.tls, [options.public_host], clock.now_ms())
        around = await _surroundings(stack, folder, clock)
        app = await build(around, FolderFiles(folder.files), settings.policies(folder))
        port = await stack.enter_async_context(
            serving(
                app.http,
                options.host,
                options.port,
                clock=clock,
                identity=identity,
                upgrades=app.gateway,
            )
        )
        bridge = await LocalBusServer.open(around.bus, folder.bus)
        stack.push_async_callback(bridge.close)
        bus, tls = f"local:{folder.bus}", str(folder.tls)
        environment = environment_with(environment, bus=bus, tls_folder=tls, host=options.host)
        workers = Workers(around.bus, environment, wanted)
        await workers.start()
        stack.push_async_callback(workers.stop)
        yield Address(options.public_host, port, identity.spki_sha256)


async def _surroundings(
    stack: AsyncExitStack, folder: DataFolder, clock: SystemClock
) -> Surroundings:
    """Open everything within this process and one file; *stack* closes it, the tasks first."""
    database = await SqliteDatabase.open(folder.database)
    stack.push_async_callback(database.close)
    bus = MemoryBus()
    stack.push_async_callback(bus.close)
    journal = MemoryJournal()
    stack.push_async_callback(journal.close)
    tasks = Tasks()
    stack.push_async_callback(tasks.close)
    return Surroundings(database, MemoryKeyValue(), bus, journal, clock, tasks)
