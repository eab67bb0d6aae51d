"""What may differ between two deployments of voice."""

from sidetone.runtime.deployment import HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_VOICE_*``."""

    port: Port = 8103
    valkey_url: str = "valkey://127.0.0.1:6379/0"
