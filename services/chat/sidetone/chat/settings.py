"""What may differ between two deployments of chat."""

from sidetone.runtime.deployment import Count, HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_CHAT_*``."""

    port: Port = 8102
    invites_per_address_per_minute: Count = 10
