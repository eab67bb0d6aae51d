"""What may differ between two deployments of voice."""

from sidetone.runtime.deployment import Count, HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_VOICE_*``."""

    port: Port = 8103
    calls_per_minute: Count = 20
    moves_per_minute: Count = 60
