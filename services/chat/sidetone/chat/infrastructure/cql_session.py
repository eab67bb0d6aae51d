"""A connection to ScyllaDB or Cassandra. The only module that knows the driver.

The driver works in threads of its own and calls back from them: ``_Bridge`` brings what it says
into the event loop, and nothing else crosses. Ids are stored as blobs where they are ordered, and
come back as ids: this store holds no other blobs.
"""

# The driver has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
# ruff: noqa: ANN401

import asyncio
import ssl
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import msgspec
from cassandra import ConsistencyLevel, DriverException, RequestValidationException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
)
from cassandra.connection import ConnectionException
from cassandra.cqltypes import BytesType
from cassandra.policies import (
    ConstantReconnectionPolicy,
    DCAwareRoundRobinPolicy,
    TokenAwarePolicy,
)
from cassandra.query import tuple_factory

from sidetone.chat.infrastructure.cql import Ask
from sidetone.protocol.refusals import Unavailable
from sidetone.storage import EngineAway, Row, StorageError, Values

_PORT = 9042
_REQUEST_SECONDS_MAX = 5.0
_CONNECT_SECONDS_MAX = 10
_RECONNECT_SECONDS = 1.0
_COPIES_MAX = 3
# More than this many wait for their turn here instead of in the driver.
_IN_FLIGHT_MAX = 256


class Place(msgspec.Struct, frozen=True):
    """What a ``cql://`` URL says."""

    hosts: list[tuple[str, int]]
    keyspace: str
    user: str | None
    password: str
    datacenter: str
    certificates: str | None
    is_encrypted: bool

    @classmethod
    def read(cls, url: str) -> "Place":
        """Read ``cql://[user:password@]host[:port][,…]/keyspace``; ``cqls`` is with TLS.

        After ``?`` may stand *datacenter*, the one to ask, and *ca*, a file of certificates.
        Raises ``StorageError``, which never repeats the URL: there may be a password in it.
        """
        parts = urlsplit(url)
        login, _, hosts = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        keyspace = parts.path.strip("/")
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            known = [_host(host) for host in hosts.split(",")]
        except ValueError:
            known = []
        is_named = keyspace.replace("_", "").isalnum() and keyspace.isascii()
        if parts.scheme not in {"cql", "cqls"} or not known or not is_named:
            raise StorageError(
                "the URL of the store of messages cannot be read: "
                "write cql://user:password@host:9042,host/keyspace"
            )
        return cls(
            known,
            keyspace.lower(),
            unquote(user) or None,
            unquote(password),
            options.get("datacenter", ""),
            options.get("ca"),
            parts.scheme == "cqls",
        )


def _host(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    if not name:
        raise ValueError
    return name, int(port) if port else _PORT


class _Bridge:
    """Brings answers from the driver's threads into the event loop, many with one wake-up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._answers: deque[tuple[asyncio.Future[list[Row]], object]] = deque()
        self._is_woken = False

    def ask(self, session: Any, statement: object) -> asyncio.Future[list[Row]]:
        """Send a bound statement; the future gets all of its rows."""
        waiting: asyncio.Future[list[Row]] = self._loop.create_future()
        rows: list[Row] = []
        response = session.execute_async(statement)

        def take(page: list[Row] | None) -> None:
            rows.extend(page or ())
            if response.has_more_pages:
                response.start_fetching_next_page()
            else:
                self._answer(waiting, rows)

        def refuse(error: BaseException) -> None:
            self._answer(waiting, error)

        response.add_callbacks(take, refuse)
        return waiting

    def _answer(self, waiting: asyncio.Future[list[Row]], said: object) -> None:
        self._answers.append((waiting, said))
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        # Down before looking: what is put there afterwards wakes the loop again.
        self._is_woken = False
        while self._answers:
            waiting, said = self._answers.popleft()
            if waiting.done():
                continue
            if isinstance(said, BaseException):
                waiting.set_exception(said)
            else:
                waiting.set_result(cast("list[Row]", said))


class CqlSession:
    """Statements with ``:name`` marks, prepared once; the driver sends each to who holds it."""

    def __init__(self, cluster: Any, session: Any) -> None:
        self._cluster = cluster
        self._session = session
        self._bridge = _Bridge()
        self._prepared: dict[str, _Statement] = {}
        self._preparing = asyncio.Lock()
        self._room = asyncio.Semaphore(_IN_FLIGHT_MAX)

    @classmethod
    async def open(cls, url: str) -> "CqlSession":
        """Connect, and create the keyspace where it is missing. Raises ``EngineAway``.

        A new keyspace has as many copies as there are nodes, at most three; the operator of a
        cluster that grows changes that with ``ALTER KEYSPACE``.
        """
        place = Place.read(url)
        cluster = _cluster(place)
        try:
            session = await asyncio.to_thread(_connect, cluster, place)
        except (NoHostAvailable, DriverException, ConnectionException, OSError) as error:
            await asyncio.to_thread(cluster.shutdown)
            reason = " ".join(str(error).split())
            raise EngineAway(
                f"cannot open the store of messages: {reason}; "
                "check that it runs and that the URL is right"
            ) from error
        return cls(cluster, session)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.to_thread(self._cluster.shutdown)

    def require_up(self) -> None:
        """Raise ``Unavailable`` where no node can be reached: what cannot succeed is not begun."""
        if not any(host.is_up for host in self._cluster.metadata.all_hosts()):
            raise _unavailable()

    async def fetch(self, query: str, values: Values) -> list[Row]:
        """Return all rows of *query*; the query itself must carry the limit."""
        rows = await self._ask(query, values)
        return [tuple(map(_from_blob, row)) for row in rows]

    async def fetch_many(self, query: str, values: Sequence[Values]) -> list[list[Row]]:
        """Return the rows of *query* for each of *values*, asked at once."""
        return list(await asyncio.gather(*(self.fetch(query, each) for each in values)))

    async def write(self, asks: Sequence[Ask]) -> None:
        """Run statements at once and in no order; where one fails, others may have succeeded."""
        if len(asks) == 1:
            await self._ask(*asks[0])
            return
        done = await asyncio.gather(*(self._ask(*ask) for ask in asks), return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException):
                raise outcome

    async def define(self, statement: str) -> None:
        """Change the schema; each node knows of it when this returns."""
        with _translated():
            await asyncio.to_thread(self._session.execute, statement, timeout=60.0)

    async def _ask(self, query: str, values: Values) -> list[Row]:
        with _translated():
            statement = self._prepared.get(query) or await self._prepare(query)
            bound = statement.bind(values)
            async with self._room:
                return await self._bridge.ask(self._session, bound)

    async def _prepare(self, query: str) -> "_Statement":
        async with self._preparing:
            if query not in self._prepared:
                prepared = await asyncio.to_thread(self._session.prepare, query)
                self._prepared[query] = _Statement(prepared)
            return self._prepared[query]


class _Statement:
    """A prepared statement, and which of its marks are ids that are stored as blobs."""

    def __init__(self, prepared: Any) -> None:
        # Writes carry their own time, so that doing one twice changes nothing.
        prepared.is_idempotent = True
        self._prepared = prepared
        marks: list[Any] = prepared.column_metadata
        self._blobs = frozenset(str(mark.name) for mark in marks if mark.type is BytesType)

    def bind(self, values: Values) -> object:
        """Return the statement with *values*; what is not named is left unset."""
        return self._prepared.bind(
            {
                name: value.bytes if name in self._blobs and isinstance(value, UUID) else value
                for name, value in values.items()
            }
        )


def _from_blob(value: object) -> object:
    return UUID(bytes=value) if isinstance(value, bytes) else value


def _cluster(place: Place) -> Any:
    profile = ExecutionProfile(
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(place.datacenter)),
        consistency_level=ConsistencyLevel.LOCAL_QUORUM,
        request_timeout=_REQUEST_SECONDS_MAX,
        row_factory=tuple_factory,
    )
    more: dict[str, Any] = {}
    if place.user is not None:
        more["auth_provider"] = PlainTextAuthProvider(place.user, place.password)
    if place.is_encrypted:
        more["ssl_context"] = ssl.create_default_context(cafile=place.certificates)
    return Cluster(
        place.hosts,
        port=place.hosts[0][1],
        protocol_version=4,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        reconnection_policy=ConstantReconnectionPolicy(_RECONNECT_SECONDS, None),
        connect_timeout=_CONNECT_SECONDS_MAX,
        **more,
    )


def _connect(cluster: Any, place: Place) -> Any:
    session = cluster.connect()
    copies = min(_COPIES_MAX, len(cluster.metadata.all_hosts()))
    session.execute(
        f"CREATE KEYSPACE IF NOT EXISTS {place.keyspace} WITH replication = "
        f"{{'class': 'NetworkTopologyStrategy', 'replication_factor': {copies}}}"
    )
    session.set_keyspace(place.keyspace)
    return session


@contextmanager
def _translated() -> Generator[None]:
    """Turn what the driver says into the refusal of the port; a wrong statement stays a bug."""
    try:
        yield
    except RequestValidationException:
        raise
    except (NoHostAvailable, DriverException, ConnectionException) as error:
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable(
        "messages_unavailable", "the store of messages does not answer; try again later"
    )
