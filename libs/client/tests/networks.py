"""A bad network between a client and a voice node: a UDP relay that drops what it is told to."""

import asyncio
import random
from collections.abc import Callable
from typing import cast

from typing_extensions import override


class Relay(asyncio.DatagramProtocol):
    """One client's way to one node; seeded, so that a run can be repeated."""

    def __init__(self, node: tuple[str, int], loss: float, seed: int) -> None:
        self._node = node
        self.loss = loss
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
        if self.cut or self._random.random() < self.loss:
            self.dropped += 1
        elif from_node and self._client is not None:
            self._transport.sendto(data, self._client)
        elif not from_node:
            self._transport.sendto(data, self._node)


class Router(asyncio.DatagramProtocol):
    """One client's way to one node through address translation that can be forgotten."""

    def __init__(self, node: tuple[str, int]) -> None:
        self._node = node
        self._client: tuple[str, int] | None = None
        self._inside: asyncio.DatagramTransport | None = None
        self._outside: asyncio.DatagramTransport | None = None

    @classmethod
    async def open(cls, node: tuple[str, int]) -> "Router":
        loop = asyncio.get_running_loop()
        router = cls(node)
        router._inside, _ = await loop.create_datagram_endpoint(
            lambda: router, local_addr=("127.0.0.1", 0)
        )
        await router.forget()
        return router

    @property
    def address(self) -> tuple[str, int]:
        assert self._inside is not None
        return self._inside.get_extra_info("sockname")

    async def forget(self) -> None:
        """Go on from another port; what comes to the old one is lost."""
        if self._outside is not None:
            self._outside.close()
        self._outside, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Outside(self.back), local_addr=("127.0.0.1", 0)
        )

    def back(self, data: bytes) -> None:
        """Pass on what the node has sent."""
        if self._inside is not None and self._client is not None:
            self._inside.sendto(data, self._client)

    def close(self) -> None:
        for end in (self._inside, self._outside):
            if end is not None:
                end.close()

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._client = addr
        if self._outside is not None:
            self._outside.sendto(data, self._node)


class _Outside(asyncio.DatagramProtocol):
    def __init__(self, back: Callable[[bytes], None]) -> None:
        self._back = back

    @override
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._back(data)
