"""What may differ between two deployments of auth."""

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from sidetone.runtime.logs import Form, Level

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True):
    """Read from ``SIDETONE_AUTH_*``.

    Without *tls_folder* the service speaks plain HTTP, on loopback only.
    """

    database_url: str
    nats_url: str = "nats://127.0.0.1:4222"
    host: str = "127.0.0.1"
    port: Port = 8101
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    issuer: str = "sidetone"
    audience: str = "sidetone"
    logins_per_account_per_minute: Count = 5
    logins_per_address_per_minute: Count = 20
    registrations_per_address_per_minute: Count = 10
    log_form: Form = "json"
    log_level: Level = "info"
