"""What may differ between two deployments of the gateway."""

from sidetone.gateway.domain.policy import Policy
from sidetone.runtime.deployment import Count, HttpSettings, Port


class Settings(HttpSettings, frozen=True, kw_only=True):
    """Read from ``SIDETONE_GATEWAY_*``. Pages of *cors_origins* may connect too."""

    port: Port = 8106
    sockets_max: Count = 20_000
    sessions_per_user: Count = 20
    greetings_per_address: Count = 256

    def policy(self) -> Policy:
        """Return the limits as the gateway takes them."""
        return Policy(
            sockets_max=self.sockets_max,
            sessions_per_user=self.sessions_per_user,
            greetings_per_address=self.greetings_per_address,
            origins=self.cors_origins,
        )
