"""What may differ between two deployments of voice."""

from pathlib import Path

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Read from ``VOICE_*`` variables; the defaults fit development on one machine.

    Without ``tls_folder`` it speaks plain HTTP, which is refused beyond loopback.
    """

    host: str = "127.0.0.1"
    port: int = 8003
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    database_url: str = "postgresql://sidetone@localhost/sidetone"
    nats_url: str = "nats://localhost:4222"
    valkey_url: str = "valkey://localhost:6379/0"
    issuer: str = "sidetone"
    audience: str = "sidetone"
