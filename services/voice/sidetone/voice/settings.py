"""What may differ between two deployments of voice."""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from sidetone.runtime.logs import Form, Level

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Settings(msgspec.Struct, frozen=True):
    """Read from ``SIDETONE_VOICE_*``.

    Without *tls_folder* the service speaks plain HTTP, on loopback only. *issuer* and *audience*
    are those of the auth service, whose tokens are taken.
    """

    database_url: str
    nats_url: str = "nats://127.0.0.1:4222"
    valkey_url: str = "valkey://127.0.0.1:6379/0"
    host: str = "127.0.0.1"
    port: Port = 8103
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    issuer: str = "sidetone"
    audience: str = "sidetone"
    log_form: Form = "json"
    log_level: Level = "info"
