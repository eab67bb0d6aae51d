"""Limits by where requests come from: one address, and the network around it."""

from dataclasses import dataclass

from sidetone.auth.domain.login import Client
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class Throttle:
    """Counts the requests of one kind by address, and those of all kinds by network.

    Who has a whole network of addresses gets more than one address does, but not that many times.
    """

    per_address: Limiter
    per_network: Limiter

    async def take(self, client: Client) -> None:
        """Count one request. Raises ``RateLimited``, or ``Unavailable``: this fails closed."""
        await self.per_address.take(client.address)
        await self.per_network.take(client.network() or client.address)
