"""Other people's programs: what each may read, until when, and how that ends.

An integrator reads the public stream from a place of its own, which is made for it and holds its
filter; its credentials let it take from there and nothing else. They end by themselves, or when
they are revoked: the server is told at once and closes the connection.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from sidetone.all_in_one.nats_config.claims import USER
from sidetone.all_in_one.nats_config.folder import STEWARD, SYSTEM, Folder
from sidetone.all_in_one.nats_config.grants import for_integrator
from sidetone.bus.events_stream import STREAM, make_stream, stream_of
from sidetone.bus.nats import connected, disconnect
from sidetone.protocol.ids import ServerId
from sidetone.runtime.files import write_atomically
from sidetone.runtime.start import StartError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KIND: Final = re.compile(r"(\*|[a-z_]+)\.(\*|[a-z_]+)")
# What is not confirmed by then comes again.
_WORK_SECONDS: Final = 10.0
_UNCONFIRMED_MAX: Final = 1_000
_ANSWER_SECONDS_MAX: Final = 5.0


class Integrator(msgspec.Struct, frozen=True, kw_only=True):
    """Who was let in to what: *filter* is a subject of the public stream."""

    name: str
    public: str
    filter: str
    created_at_ms: int
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None

    def state(self, now_ms: int) -> str:
        """Return in one word whether the credentials count."""
        if self.revoked_at_ms is not None:
            return "revoked"
        if self.expires_at_ms is not None and self.expires_at_ms <= now_ms:
            return "expired"
        return "valid"


def filter_of(kinds: str, server: ServerId | None) -> str:
    """Return the subjects of events of *kinds*, of one *server* or of all.

    Raises ``StartError``.

    >>> filter_of("message.*", None)
    'events.*.message.*'
    """
    if kinds != "*" and _KIND.fullmatch(kinds) is None:
        raise StartError(f"{kinds!r} is no kind of event; write message.sent, message.* or *")
    where = "*" if server is None else server.hex
    return f"events.{where}.{'>' if kinds == '*' else kinds}"


class Integrators:
    """Those of one installation: on disk, and on the server at *url*."""

    def __init__(self, folder: Folder, url: str) -> None:
        self._folder = folder
        self._url = url

    def all(self) -> list[Integrator]:
        """Return everybody who was ever let in, by name."""
        paths = sorted((self._folder.path / "integrators").glob("*.json"))
        return [self._read(path.stem) for path in paths if path.stem != "revoked"]

    async def add(
        self, name: str, subjects: str, now_ms: int, expires_at_ms: int | None
    ) -> tuple[Integrator, Path]:
        """Let *name* in, and return it with the file of its credentials. Raises ``StartError``."""
        if _NAME.fullmatch(name) is None or name == "revoked":
            raise StartError(f"{name!r} is no name; use up to 40 of a-z, 0-9 and -")
        if self._path(name).exists() and self._read(name).revoked_at_ms is None:
            raise StartError(f"there is an integrator {name}; revoke it first, or choose a name")
        user = f"integrator-{name}"
        content = self._folder.sign(
            "integrators",
            user,
            for_integrator(user, name),
            now_ms,
            None if expires_at_ms is None else expires_at_ms // 1_000,
        )
        await self._place(name, subjects, None)
        public = self._folder.key(f"user-{user}", USER).public
        integrator = Integrator(
            name=name,
            public=public,
            filter=subjects,
            created_at_ms=now_ms,
            expires_at_ms=expires_at_ms,
        )
        credentials = self._folder.credentials_of(user)
        write_atomically(credentials, content.encode(), mode=0o600)
        self._write(integrator)
        return integrator, credentials

    async def replay(self, name: str, since_ms: int) -> None:
        """Set the place of *name* back to what happened at *since_ms*. Raises ``StartError``."""
        integrator = self._read(name)
        if integrator.revoked_at_ms is not None:
            raise StartError(f"{name} is revoked")
        await self._place(name, integrator.filter, since_ms)

    async def revoke(self, name: str, now_ms: int) -> None:
        """End the credentials of *name* now, and its place with them. Raises ``StartError``."""
        integrator = self._read(name)
        self._folder.revoke(integrator.public, now_ms)
        async with self._connected(SYSTEM) as client:
            token = self._folder.account_token("integrators", now_ms)
            reply = await client.request(
                "$SYS.REQ.CLAIMS.UPDATE", token.encode(), timeout=_ANSWER_SECONDS_MAX
            )
            if b'"code":200' not in reply.data.replace(b" ", b""):
                raise StartError(f"the server did not take the change: {reply.data.decode()}")
        async with self._connected(STEWARD) as client:
            await _delete_place(client, name)
        self._write(msgspec.structs.replace(integrator, revoked_at_ms=now_ms))
        key = self._folder.path / "keys" / f"user-integrator-{name}.seed"
        key.unlink(missing_ok=True)
        self._folder.credentials_of(f"integrator-{name}").unlink(missing_ok=True)

    async def _place(self, name: str, subjects: str, since_ms: int | None) -> None:
        """Make the place of *name* anew: from the oldest event on, or from *since_ms*."""
        async with self._connected(STEWARD) as client:
            stream = stream_of(client)
            await make_stream(stream)
            await _delete_place(client, name)
            config = ConsumerConfig(
                durable_name=name,
                filter_subject=subjects,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_WORK_SECONDS,
                max_ack_pending=_UNCONFIRMED_MAX,
                deliver_policy=DeliverPolicy.ALL,
            )
            if since_ms is not None:
                config.deliver_policy = DeliverPolicy.BY_START_TIME
                config.opt_start_time = _rfc3339(since_ms)  # pyright: ignore[reportAttributeAccessIssue]  # its hint says int, the server wants a date
            await stream.add_consumer(STREAM, config)  # pyright: ignore[reportUnknownMemberType]

    @asynccontextmanager
    async def _connected(self, user: str) -> AsyncGenerator[Client]:
        try:
            client = await connected(self._url, self._folder.access(user))
            try:
                yield client
            finally:
                await disconnect(client)
        except (Error, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise StartError(f"NATS did not do it ({reason}); try again") from error

    def _read(self, name: str) -> Integrator:
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=Integrator)
        except FileNotFoundError:
            raise StartError(f"there is no integrator {name}") from None

    def _write(self, integrator: Integrator) -> None:
        content = msgspec.json.format(msgspec.json.encode(integrator))
        write_atomically(self._path(integrator.name), content, mode=0o600)

    def _path(self, name: str) -> Path:
        return self._folder.path / "integrators" / f"{name}.json"


async def _delete_place(client: Client, name: str) -> None:
    try:
        await stream_of(client).delete_consumer(STREAM, name)
    except NotFoundError:
        return


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat().replace("+00:00", "Z")
