"""What every HTTP service that runs as a process of its own has in common."""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import structlog
from litestar import Router

from sidetone.bus import Bus
from sidetone.credentials.tokens import TokenPolicy
from sidetone.runtime import logs
from sidetone.runtime.clock import Clock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import serving, stop_requested
from sidetone.runtime.tls import Identity
from sidetone.storage import Database

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]

_log = structlog.get_logger(__name__)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service on PostgreSQL and NATS.

    Without *tls_folder* it speaks plain HTTP, on loopback only. *issuer* and *audience* are those
    of the auth service, whose tokens are taken.
    """

    database_url: str
    nats_url: str = "nats://127.0.0.1:4222"
    host: str = "127.0.0.1"
    port: Port
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    issuer: str = "sidetone"
    audience: str = "sidetone"
    log_form: logs.Form = "json"
    log_level: logs.Level = "info"

    def tokens(self) -> TokenPolicy:
        """Return whose access tokens are taken."""
        return TokenPolicy(self.issuer, self.audience)

    def identity(self, now_ms: int) -> Identity | None:
        """Return what the service proves itself with, None for plain HTTP. Raises `StartError`."""
        if self.tls_folder is None:
            return None
        return Identity.open(self.tls_folder, self.tls_names, now_ms)


async def serve(
    router: Router,
    settings: HttpSettings,
    identity: Identity | None,
    *,
    database: Database,
    bus: Bus,
    clock: Clock,
) -> None:
    """Serve *router* until the process is told to stop; it is ready while *database* answers."""

    async def database_answers() -> None:
        await database.fetch("SELECT 1", {})

    app = app_of(
        [router], bus=bus, clock=clock, tokens=settings.tokens(), ready=[database_answers]
    )
    async with serving(
        app,
        settings.host,
        settings.port,
        clock=clock,
        identity=identity,
        trusted_proxies=settings.trusted_proxies,
    ) as port:
        _log.info("serving", host=settings.host, port=port)
        await stop_requested()
        _log.info("stopping")
