"""A whole cluster on this machine: every service as a process of its own, and real engines.

Two of each service that keeps no state stand behind a load balancer; two voice nodes are reached
by their own ports, each with a supervisor of its own, as on two machines.
"""

import socket
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import psycopg

from sidetone.all_in_one.nats_config.folder import PUBLISHER
from tests import engines
from tests.cassandra_engine import start_cassandra
from tests.cluster.balancer import balancer
from tests.cluster.programs import Program, Supervisor, answers
from tests.secured_nats import SecuredNats, start_secured_nats

SERVICES = (
    "auth", "chat", "presence", "voice", "media", "integrations", "gateway", "search-indexer",
)  # fmt: skip
REPLICAS = 2
VOICE_NODES = 2
# Limits have tests of their own; a test asks more often than people do.
UNLIMITED: Mapping[str, Sequence[str]] = {
    "auth": [
        "LOGINS_PER_ACCOUNT_PER_MINUTE",
        "LOGINS_PER_ACCOUNT_AND_ADDRESS_PER_HOUR",
        "LOGINS_PER_ADDRESS_PER_MINUTE",
        "REGISTRATIONS_PER_ADDRESS_PER_MINUTE",
        "REFRESHES_PER_ADDRESS_PER_MINUTE",
        "REQUESTS_PER_NETWORK_PER_MINUTE",
    ],
    "chat": ["INVITES_PER_ADDRESS_PER_MINUTE", "MESSAGES_PER_CHANNEL_IN_FIVE_SECONDS"],
    "presence": ["RELATIONSHIP_CHANGES_PER_MINUTE", "PRESENCE_CHANGES_PER_MINUTE"],
    "voice": ["CALLS_PER_MINUTE", "MOVES_PER_MINUTE"],
    "media": ["UPLOADS_PER_USER_PER_MINUTE"],
}
_A_LOT = "100000"


@dataclass(frozen=True)
class Options:
    """How the cluster is to be; *port* is the balancer's.

    Unless *limited* nothing is refused for being asked too often. *durable* engines survive a
    kill with their data. With *cql* messages are kept in a Cassandra.
    """

    port: int | None = None
    limited: bool = False
    durable: bool = False
    cql: bool = False
    voice_nodes: int = VOICE_NODES


@dataclass(frozen=True)
class Cluster:
    """What runs, and where: *url* is that of the balancer, *replicas* has those behind it."""

    url: str
    replicas: Mapping[str, Sequence[str]]
    nats: SecuredNats
    folder: Path
    programs: dict[str, Program]
    engines: Mapping[str, engines.Engine]
    supervisor: Supervisor


@contextmanager
def open_cluster(options: Options = Options()) -> Generator[Cluster]:
    """Run a cluster for the length of the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sidetone-cluster-")))
        nats = start_secured_nats()
        running = _start_engines(stack, nats, options)
        places = _places(len(SERVICES) * REPLICAS)
        ports = {name: [next(places) for _ in range(REPLICAS)] for name in SERVICES}
        replicas = {
            name: [f"127.0.0.1:{port}" for port in of_service]
            for name, of_service in ports.items()
        }
        programs: dict[str, Program] = {}
        shared = _shared(running, nats)
        for name, of_service in ports.items():
            own = {**shared[name], **({} if options.limited else _unlimited(name))}
            for number, port in enumerate(of_service, 1):
                programs[f"{name}-{number}"] = service(name, own, port, folder, number)
        for number in range(1, options.voice_nodes + 1):
            programs[f"sfu-{number}"] = voice_node(
                nats.url, folder, number, _signed_in(nats, "sfu", "BUS")
            )
        programs["balancer"] = balancer(replicas, folder, options.port)
        for program in programs.values():
            program.start()
        # Its end is also the end of all that it started.
        supervisor = stack.enter_context(Supervisor(programs))
        for program in programs.values():
            program.wait_until_ready()
        yield Cluster(
            programs["balancer"].url,
            replicas,
            nats,
            folder,
            programs,
            running,
            supervisor,
        )


def service(
    name: str, environment: Mapping[str, str], port: int, folder: Path, number: int
) -> Program:
    """Return the replica *number* of the service *name*, with the settings that all of it have."""
    prefix = f"SIDETONE_{name.replace('-', '_').upper()}_"
    settings = {f"{prefix}{key}": value for key, value in environment.items()}
    settings[f"{prefix}PORT"] = str(port)
    url = f"http://127.0.0.1:{port}"
    return Program(
        [sys.executable, "-m", "sidetone.all_in_one", "service", name],
        settings,
        folder / f"{name}-{number}.log",
        lambda: answers(f"{url}/readyz"),
        url,
    )


def _start_engines(
    stack: ExitStack, nats: SecuredNats, options: Options
) -> dict[str, engines.Engine]:
    running = {
        "PostgreSQL": engines.start_postgres(durable=options.durable),
        "NATS": nats.engine,
        "Valkey": engines.start_valkey(),
        "Typesense": engines.start_typesense(),
        "S3": engines.start_s3(),
    }
    if options.cql:
        running["Cassandra"] = start_cassandra()
    for engine in running.values():
        stack.callback(engine.stop)
    with psycopg.connect(running["PostgreSQL"].url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE sidetone")
    return running


def _signed_in(nats: SecuredNats, user: str, bus: str = "NATS") -> dict[str, str]:
    """Return the settings by which a program connects to NATS as *user*."""
    access = nats.access(user)
    return {f"{bus}_CREDENTIALS": str(access.credentials), f"{bus}_CA": str(access.ca)}


def _shared(running: Mapping[str, engines.Engine], nats: SecuredNats) -> dict[str, dict[str, str]]:
    """Return the settings that the replicas of each service have in common."""
    every = {
        "DATABASE_URL": running["PostgreSQL"].url.rpartition("/")[0] + "/sidetone",
        "NATS_URL": nats.url,
        "VALKEY_URL": running["Valkey"].url,
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    store = urlsplit(running["S3"].url)
    messages = {
        "TYPESENSE_URL": running["Typesense"].url,
        "TYPESENSE_API_KEY": engines.TYPESENSE_API_KEY,
    }
    if "Cassandra" in running:
        messages["MESSAGES_URL"] = f"cql://{running['Cassandra'].url}/sidetone"
    key = engines.TYPESENSE_SEARCH_KEY
    own = {
        "chat": {**messages, "TYPESENSE_API_KEY": key, "INDEXES": "false"},
        "search-indexer": {**messages, "TYPESENSE_SEARCH_KEY": key},
        "integrations": {"EVENTS_CREDENTIALS": str(nats.folder.credentials_of(PUBLISHER))},
        "media": {
            "S3_URL": f"http://{store.hostname}:{store.port}",
            "S3_ACCESS_KEY": store.username or "",
            "S3_SECRET_KEY": store.password or "",
        },
    }
    return {name: {**every, **_signed_in(nats, name), **own.get(name, {})} for name in SERVICES}


def _unlimited(name: str) -> dict[str, str]:
    every = ("REQUESTS_PER_CALLER_PER_SECOND", "REQUESTS_PER_ADDRESS_PER_SECOND")
    return dict.fromkeys((*every, *UNLIMITED.get(name, ())), _A_LOT)


def voice_node(
    bus_url: str, folder: Path, number: int, more: Mapping[str, str] = MappingProxyType({})
) -> Program:
    """Return a machine's voice nodes: here one worker, as on a machine with one core."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings = {
        "BUS": bus_url,
        "TLS_FOLDER": str(folder / f"sfu-{number}-tls"),
        "HOST": "127.0.0.1",
        "ANNOUNCED_HOST": "127.0.0.1",
        "PORT": str(port),
        "WORKERS": "1",
        "LOG_FORM": "json",
        **more,
    }
    log = folder / f"sfu-{number}.log"
    return Program(
        [sys.executable, "-m", "sidetone.all_in_one", "sfu"],
        {f"SIDETONE_SFU_{key}": value for key, value in settings.items()},
        log,
        lambda: _listens(log),
        f"udp://127.0.0.1:{port}",
    )


def _listens(log: Path) -> bool:
    """Tell whether the node has said where it listens."""
    return b'"voice_node_listening"' in log.read_bytes()


def _places(count: int) -> Generator[int]:
    """Yield *count* ports, all of them free at the same time."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        ports = [int(one.getsockname()[1]) for one in held]
    yield from ports
