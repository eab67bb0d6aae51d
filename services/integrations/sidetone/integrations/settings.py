"""What may differ between two deployments of integrations."""

from pathlib import Path

from sidetone.runtime.deployment import HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_INTEGRATIONS_*``.

    *events_credentials* is who writes the public stream, in the account of integrators; without
    it the stream is on the same connection as the bus.
    """

    port: Port = 8107
    events_credentials: Path | None = None
