"""What may differ between two deployments of chat."""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from sidetone.runtime.logs import Form, Level

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True):
    """Read from ``SIDETONE_CHAT_*``.

    Without *tls_folder* the service speaks plain HTTP, on loopback only. *issuer* and *audience*
    are those of the auth service, whose tokens are taken.
    """

    database_url: str
    nats_url: str = "nats://127.0.0.1:4222"
    host: str = "127.0.0.1"
    port: Port = 8102
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    issuer: str = "sidetone"
    audience: str = "sidetone"
    invites_per_address_per_minute: Count = 10
    log_form: Form = "json"
    log_level: Level = "info"
