"""What may differ between two deployments of chat."""

from pathlib import Path

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Read from ``CHAT_*`` variables; the defaults fit development on one machine.

    Without ``tls_folder`` it speaks plain HTTP, which is refused beyond loopback.
    """

    host: str = "127.0.0.1"
    port: int = 8002
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    database_url: str = "postgresql://sidetone@localhost/sidetone"
    nats_url: str = "nats://localhost:4222"
    issuer: str = "sidetone"
    audience: str = "sidetone"
    invites_per_minute: int = 10
