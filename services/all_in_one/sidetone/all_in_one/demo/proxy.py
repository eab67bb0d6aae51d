"""Bad weather on purpose: a UDP proxy that loses and delays what a client is sent."""

import asyncio
import random
from dataclasses import dataclass

from typing_extensions import override

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Weather:
    """How bad: a share of packets lost, and up to ``jitter_ms`` of extra delay for each other."""

    loss_ratio: float = 0.0
    jitter_ms: float = 0.0


class LossyProxy:
    """Relays UDP between clients and one server; only the way to the client suffers.

    Each client gets an upstream socket of its own, so that the server tells them apart.
    """

    def __init__(self, weather: Weather, seed: int) -> None:
        self._server: Address | None = None
        self._here: Address = ("", 0)
        self._weather = weather
        self._random = random.Random(seed)  # noqa: S311 - weather, not keys
        self._upstreams: dict[Address, _Upstream] = {}
        self._front: asyncio.DatagramTransport | None = None
        self._pending: set[Address] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0
        self.relayed = 0

    async def start(self) -> None:
        """Open the proxy on a free port of the loopback."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Front(self), local_addr=("127.0.0.1", 0)
        )
        self._front = transport
        self._here = transport.get_extra_info("sockname")[:2]

    def route(self, host: str, port: int) -> Address:
        """Lead to the server at *host* and *port* from now on; return where clients shall go."""
        self._server = (host, port)
        return self._here

    def close(self) -> None:
        """Stop relaying."""
        for task in self._tasks:
            task.cancel()
        for upstream in self._upstreams.values():
            upstream.close()
        if self._front is not None:
            self._front.close()

    def from_client(self, data: bytes, client: Address) -> None:
        """Pass *data* on to the server, untouched."""
        upstream = self._upstreams.get(client)
        if upstream is not None:
            upstream.send(data)
        elif client not in self._pending:
            self._pending.add(client)
            task = asyncio.create_task(self._connect(client, data))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def to_client(self, data: bytes, client: Address) -> None:
        """Lose *data*, or pass it on now or a little later."""
        if self._random.random() < self._weather.loss_ratio:
            self.lost += 1
            return
        self.relayed += 1
        delay_seconds = self._random.uniform(0, self._weather.jitter_ms) / 1000
        asyncio.get_running_loop().call_later(delay_seconds, self._deliver, data, client)

    async def _connect(self, client: Address, first: bytes) -> None:
        _, upstream = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Upstream(self, client), remote_addr=self._server
        )
        self._upstreams[client] = upstream
        upstream.send(first)

    def _deliver(self, data: bytes, client: Address) -> None:
        if self._front is not None and not self._front.is_closing():
            self._front.sendto(data, client)


class _Front(asyncio.DatagramProtocol):
    def __init__(self, proxy: LossyProxy) -> None:
        self._proxy = proxy

    @override
    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._proxy.from_client(data, addr)


class _Upstream(asyncio.DatagramProtocol):
    def __init__(self, proxy: LossyProxy, client: Address) -> None:
        self._proxy = proxy
        self._client = client
        self._transport: asyncio.DatagramTransport | None = None

    @override
    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    @override
    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._proxy.to_client(data, self._client)

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
