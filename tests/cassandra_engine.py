"""A real CQL engine for tests: Cassandra from Maven Central, where Java 17 and Maven are.

It stands for ScyllaDB, which comes as an image only. Its jars are fetched once, into the cache of
the user. A start takes ten seconds and most of a gigabyte, so all workers of a test run share one:
a shell beside it ends it when the last of them has gone. A test that kills it starts its own.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path

import pytest

from tests.engines import Engine, free_port, new_folder, versions

_HERE = Path(__file__).parent / "cassandra"
_POM = _HERE / "pom.xml"
START_SECONDS_MAX = 120.0
_FETCH_SECONDS_MAX = 600


@cache
def cql_hosts() -> str:
    """Return ``host:port`` of the Cassandra of this test run; keyspaces are the caller's."""
    jars = _jars()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    if run is None:
        return start_cassandra().url
    folder = Path(tempfile.gettempdir()) / f"sidetone-cassandra-{run}"
    folder.mkdir(exist_ok=True)
    # Held for as long as this process lives; the engine's shell waits for all who hold it.
    held = os.open(folder / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_SH)
    with (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        told = folder / "hosts"
        if not told.exists():
            told.write_text(_start_shared(folder, jars))
    versions["Cassandra"] = _version()
    return told.read_text()


def start_cassandra() -> Engine:
    """Start a Cassandra of the test's own; what it acknowledged survives a kill."""
    jars = _jars()
    folder, port = new_folder("cassandra"), free_port()
    command = _command(jars, folder, port, users="")
    engine = Engine(f"127.0.0.1:{port}", command, folder, lambda: _answers(port))
    engine.start(START_SECONDS_MAX)
    versions["Cassandra"] = _version()
    return engine


def _start_shared(folder: Path, jars: Path) -> str:
    """Start a Cassandra that outlives this process; return its host and port."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(jars, folder, port, users=str(folder / "users")),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS_MAX
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"Cassandra did not start: {(folder / 'log').read_text()[-2000:]}")
        time.sleep(0.05)
    # Whoever looks after it is the shell, and nobody waits for that.
    process.returncode = 0
    return f"127.0.0.1:{port}"


def _command(jars: Path, folder: Path, port: int, users: str) -> list[str]:
    settings = (_HERE / "cassandra.yaml").read_text()
    ports = {"@CQL@": port, "@STORAGE@": free_port(), "@SSL@": free_port()}
    for mark, value in {**ports, "@DIR@": folder}.items():
        settings = settings.replace(mark, str(value))
    (folder / "cassandra.yaml").write_text(settings)
    (agent,) = jars.glob("jamm-*.jar")
    properties = {
        "cassandra.config": (folder / "cassandra.yaml").as_uri(),
        "cassandra.storagedir": folder,
        "logback.configurationFile": _HERE / "logback.xml",
        "cassandra.jmx.local.port": free_port(),
        "cassandra-foreground": "yes",
        "cassandra.superuser_setup_delay_ms": 0,
        "cassandra.skip_wait_for_gossip_to_settle": 0,
        "cassandra.ring_delay_ms": 100,
    }
    return [
        str(_HERE / "run.sh"),
        users,
        "java",
        f"@{_HERE / 'jvm.args'}",
        f"-javaagent:{agent}",
        *(f"-D{name}={value}" for name, value in properties.items()),
        "-cp",
        f"{jars}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    ]


def _jars() -> Path:
    """Return the folder of jars, or skip: the machine need not have what they take."""
    jars, reason = _fetched()
    if jars is None:
        pytest.skip(reason)
    return jars


@cache
def _fetched() -> tuple[Path | None, str]:
    """Return the folder of jars, or None and why there is none; tried once in a run."""
    maven = shutil.which("mvn")
    java = (
        subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
        if (shutil.which("java"))
        else None
    )
    if maven is None or java is None or 'version "17' not in java.stderr:
        return None, "Cassandra needs Java 17 and Maven (apt-get install openjdk-17-jre maven)"
    home = Path(os.environ.get("XDG_CACHE_HOME", "") or Path.home() / ".cache")
    folder = home / "sidetone" / f"cassandra-{_version()}"
    folder.mkdir(parents=True, exist_ok=True)
    jars = folder / "target" / "lib"
    with (folder / "fetching").open("w") as fetching:
        fcntl.flock(fetching, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.copy(_HERE / "pom.xml", folder / "pom.xml")
            fetched = subprocess.run(
                [maven, "-B", "-q", "-f", str(folder / "pom.xml"), "package"],
                capture_output=True,
                text=True,
                check=False,
                timeout=_FETCH_SECONDS_MAX,
            )
            if fetched.returncode != 0:
                return None, "Maven Central did not give the jars of Cassandra"
            (folder / "complete").touch()
    return jars, ""


def _version() -> str:
    found = re.search(r"<cassandra.version>(.+)</cassandra.version>", _POM.read_text())
    assert found is not None
    return found[1]


def _answers(port: int) -> bool:
    """Tell whether CQL is spoken: the port opens when the node is ready."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
