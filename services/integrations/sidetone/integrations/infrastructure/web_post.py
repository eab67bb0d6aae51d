"""Bodies to addresses that strangers chose: on the public internet, and nowhere else."""

import asyncio
from collections.abc import Sequence
from typing import Final

import httpcore

from sidetone.runtime.public_network import PublicNetwork

SECONDS_MAX: Final = 10.0
_GOOD: Final = range(200, 300)
_AWAY: Final = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    TimeoutError,
    OSError,
)


class WebPost:
    """Sends a body once. A redirect is not followed, and the answer's body is not read."""

    def __init__(self, network: PublicNetwork, *, authority: str | None = None) -> None:
        """Connect through *network*; *authority* vouches for servers in the system's place."""
        self._network = network
        self._tls = httpcore.default_ssl_context()
        if authority is not None:
            self._tls.load_verify_locations(authority)

    async def __call__(self, url: str, body: bytes, headers: Sequence[tuple[str, str]]) -> str:
        """Return what went wrong in a few words; nothing: it was taken."""
        sent = [*headers, ("Content-Length", str(len(body))), ("Connection", "close")]
        try:
            # A pool for one request: nothing of one address is left for the next.
            async with (
                asyncio.timeout(SECONDS_MAX),
                httpcore.AsyncConnectionPool(
                    self._tls, max_keepalive_connections=0, network_backend=self._network
                ) as pool,
                pool.stream("POST", url, headers=sent, content=body) as response,
            ):
                return "" if response.status in _GOOD else f"it answered {response.status}"
        except TimeoutError:
            return f"no answer within {SECONDS_MAX:g} s"
        except _AWAY as error:
            return str(error) or type(error).__name__
