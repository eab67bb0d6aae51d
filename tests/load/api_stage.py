"""A server to measure, in processes of its own, with every limit raised.

``embedded`` is all services in one process on SQLite; ``engines`` is auth, chat and the gateway as
processes of their own on PostgreSQL (with fsync), Valkey and NATS. Plain HTTP on loopback: TLS
belongs to another figure.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Literal

import httpx
import msgspec
import psycopg

from sidetone.all_in_one.app import Policies, build
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.start import settle_memory
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.memory import MemoryKeyValue
from tests import engines
from tests.surroundings import open_database_at

StageKind = Literal["embedded", "engines"]

_RAISED = 10_000
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Stage(msgspec.Struct, frozen=True):
    """Where the services listen, which processes they are, and where their database is."""

    ports: Mapping[str, int]
    processes: list[int]
    database: str
    running: Mapping[str, engines.Engine] = {}

    def cpu_seconds(self) -> float:
        """Return the CPU time that the processes of the server have used, engines not included."""
        return sum(_cpu_seconds(process) for process in self.processes)

    @asynccontextmanager
    async def open_database(self) -> AsyncGenerator[Database]:
        """Open the server's database beside it."""
        is_url = self.database.startswith("postgresql:")
        async with open_database_at(self.database if is_url else Path(self.database)) as database:
            yield database


@asynccontextmanager
async def open_stage(kind: StageKind) -> AsyncGenerator[Stage]:
    """Start the server and stop it in the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-bench-")))
        if kind == "embedded":
            program = [sys.executable, "-m", "tests.load.api_stage", str(folder)]
            process, port = _started(stack, program, {})
            ports = dict.fromkeys(("auth", "chat", "gateway"), port)
            yield Stage(ports, [process.pid], str(folder / "sidetone.sqlite3"))
            return
        environment, database, running = _engines(stack)
        ports: dict[str, int] = {}
        processes: list[int] = []
        for name in ("auth", "chat", "gateway"):
            program = [sys.executable, "-m", f"sidetone.{name}"]
            process, ports[name] = _started(stack, program, environment(name))
            processes.append(process.pid)
        yield Stage(ports, processes, database, running)


def _engines(
    stack: ExitStack,
) -> tuple[Callable[[str], dict[str, str]], str, Mapping[str, engines.Engine]]:
    """Start the engines; return each service's settings, the database's URL, and them."""
    postgres = stack.enter_context(engines.start_postgres(durable=True))
    nats = stack.enter_context(engines.start_nats())
    valkey = stack.enter_context(engines.start_valkey())
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bench")
    database = postgres.url.rpartition("/")[0] + "/bench"
    raised = {
        "AUTH": ["REGISTRATIONS_PER_ADDRESS_PER_MINUTE", "REQUESTS_PER_NETWORK_PER_MINUTE"],
        "CHAT": ["MESSAGES_PER_CHANNEL_IN_FIVE_SECONDS"],
        "GATEWAY": [],
    }

    def environment(service: str) -> dict[str, str]:
        name = service.upper()
        fields = {
            "DATABASE_URL": database,
            "VALKEY_URL": valkey.url,
            "NATS_URL": nats.url,
            "PORT": "0",
            "REQUESTS_PER_CALLER_PER_SECOND": "1000000",
            "REQUESTS_PER_ADDRESS_PER_SECOND": "1000000",
            **dict.fromkeys(raised[name], "1000000"),
        }
        return {f"SIDETONE_{name}_{field}": value for field, value in fields.items()}

    return environment, database, {"PostgreSQL": postgres, "NATS": nats, "Valkey": valkey}


def _started(
    stack: ExitStack, program: list[str], environment: Mapping[str, str]
) -> tuple["subprocess.Popen[str]", int]:
    """Start a program that logs JSON lines; return it with the port that it says it serves on."""
    process = subprocess.Popen(
        program, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    )
    stack.callback(_close, process)
    assert process.stderr is not None
    said: list[str] = []
    for line in process.stderr:
        said.append(line)
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if entry.get("event") == "serving":
                # Somebody must go on reading, or a talkative service waits for ever.
                draining = Thread(target=deque, args=(process.stderr, 0), daemon=True)
                draining.start()
                stack.callback(draining.join)
                stack.callback(_stop, process)
                return process, entry["port"]
    raise RuntimeError(f"{program} did not start: {''.join(said)[-2000:]}")


def _stop(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        _stop(process)
    assert process.stderr is not None
    process.stderr.close()


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


async def register(stage: Stage, name: str) -> tuple[str, str]:
    """Create an account; return the user's id and an access token."""
    async with httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{stage.ports['auth']}/auth/register"
        answer = await http.post(url, json={"name": name, "password": "a dozen green umbrellas"})
        answer.raise_for_status()
        login = answer.json()
        return login["user"], login["access_token"]


async def _serve_embedded() -> None:
    folder = Path(sys.argv[1])
    clock = SystemClock()
    async with open_database_at(folder / "sidetone.sqlite3") as database:
        tasks, bus, journal = Tasks(), MemoryBus(), MemoryJournal()
        around = Surroundings(database, MemoryKeyValue(), bus, journal, clock, tasks)
        policies = Policies().with_limits_raised(_RAISED)
        app = await build(around, FolderFiles(folder / "files"), policies)
        server = serving(app.http, "127.0.0.1", 0, clock=clock, upgrades=app.gateway)
        async with server as port:
            settle_memory()
            sys.stderr.write(json.dumps({"event": "serving", "port": port}) + "\n")
            sys.stderr.flush()
            await stop_requested()
        await tasks.close()
        await journal.close()
        await bus.close()


if __name__ == "__main__":
    run(_serve_embedded)
