"""What may differ between two deployments of auth."""

from sidetone.runtime.deployment import Count, HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_AUTH_*``."""

    port: Port = 8101
    logins_per_account_per_minute: Count = 5
    logins_per_address_per_minute: Count = 20
    registrations_per_address_per_minute: Count = 10
