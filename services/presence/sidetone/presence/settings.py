"""What may differ between two deployments of presence."""

from sidetone.runtime.deployment import Count, HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_PRESENCE_*``."""

    port: Port = 8104
    relationship_changes_per_minute: Count = 30
    presence_changes_per_minute: Count = 20
