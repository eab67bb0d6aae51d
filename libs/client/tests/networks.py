"""A bad network between a client and a voice node: a UDP relay that drops what it is told to."""

import asyncio
import random
from typing import cast

from typing_extensions import override


class Relay(asyncio.DatagramProtocol):
    """One client's way to one node; seeded, so that a run can be repeated."""

    def __init__(self, node: tuple[str, int], loss: float, seed: int) -> None:
        self._node = node
        self._loss = loss
        self._random = random.Random(seed)
        self._client: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self.cut = False
        self.dropped = 0

    @classmethod
    async def open(cls, node: tuple[str, int], loss: float = 0.0, seed: int = 0) -> "Relay":
        loop = asyncio.get_running_loop()
        _, relay = await loop.create_datagram_endpoint(
            lambda: cls(node, loss, seed), local_addr=("127.0.0.1", 0)
        )
        return relay

    @property
    def address(self) -> tuple[str, int]:
        assert self._transport is not None
        return self._transport.get_extra_info("sockname")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        from_node = addr == self._node
        if not from_node:
            self._client = addr
        if self.cut or self._random.random() < self._loss:
            self.dropped += 1
        elif from_node and self._client is not None:
            self._transport.sendto(data, self._client)
        elif not from_node:
            self._transport.sendto(data, self._node)
