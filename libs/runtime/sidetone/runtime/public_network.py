"""The way out to the public internet, and to nowhere else: for URLs that strangers choose.

Every connection goes to an address that was found public a moment before, and to that address: a
name that means another one next time gains nothing.
"""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from socket import SOCK_STREAM, getaddrinfo
from typing import Protocol, cast

import httpcore
from typing_extensions import override

from sidetone.runtime.public_addresses import is_public

_PORTS = frozenset({80, 443})
_ADDRESSES_TRIED_MAX = 3
_RESOLVERS = 4


class Addresses(Protocol):
    """Knows where hosts are."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of *host*, none where it is unknown."""
        ...


class SystemAddresses:
    """Asks the resolver of this system, in threads of its own: a slow one holds nobody else up."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolver")

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of *host*."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._threads, lambda: getaddrinfo(host, port, type=SOCK_STREAM)
            )
        except (OSError, UnicodeError):
            return []
        return [str(address[0]) for *_, address in found]


class PublicNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, whatever a host is called."""

    def __init__(
        self, addresses: Addresses, network: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        """Look hosts up in *addresses* and connect through *network*, by default the real one."""
        self._addresses = addresses
        self._network = network or cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if port not in _PORTS:
            raise httpcore.ConnectError("not a port of the web")
        found = await self._addresses.resolve(host, port)
        # One private address among public ones is a trap, or a network that is not for us.
        if not found or not all(is_public(address) for address in found):
            raise httpcore.ConnectError("not a public host")
        failure: Exception = httpcore.ConnectError("no address answers")
        for address in list(dict.fromkeys(found))[:_ADDRESSES_TRIED_MAX]:
            try:
                return await self._network.connect_tcp(address, port, timeout)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
