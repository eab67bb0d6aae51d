"""A bad network between one client and a unit: loss, copies, another order, and wrong bits."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

DELAY_SECONDS = (0.005, 0.06)


@dataclass
class Harm:
    """What was done to datagrams in one direction."""

    passed: int = 0
    lost: int = 0
    doubled: int = 0
    delayed: int = 0
    corrupted: int = 0


class _Half(asyncio.DatagramProtocol):
    """One of the two sockets of a link."""

    def __init__(self, link: "BadLink", *, is_front: bool) -> None:
        self._link = link
        self._is_front = is_front

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._link.take(data, addr, from_client=self._is_front)

    def error_received(self, exc: Exception) -> None:
        pass


class BadLink:
    """Passes datagrams on between whoever sends to *port* and a unit.

    Each of four things happens to the share *harm* of them, in both directions.
    """

    def __init__(self, unit_port: int, harm: float, dice: random.Random) -> None:
        self.port = 0
        self.to_unit, self.to_client = Harm(), Harm()
        self._unit = ("127.0.0.1", unit_port)
        self._client: Any = None
        self._harm = harm
        self._dice = dice
        self._front: Any = None
        self._back: Any = None

    async def open(self) -> None:
        """Open both sockets."""
        self._front = await self._socket(is_front=True)
        self._back = await self._socket(is_front=False)
        self.port = self._front.get_extra_info("sockname")[1]

    async def rebind(self) -> None:
        """Let the unit see another port from now on, as a router does that has forgotten."""
        old, self._back = self._back, await self._socket(is_front=False)
        old.close()

    def close(self) -> None:
        """Pass nothing on any more."""
        self._front.close()
        self._back.close()

    def take(self, data: bytes, addr: Any, *, from_client: bool) -> None:
        """Pass a datagram on, or do it harm."""
        if from_client:
            self._client = addr
        harm = self.to_unit if from_client else self.to_client
        choice = int(self._dice.random() / self._harm) if self._harm else 4
        loop = asyncio.get_running_loop()
        match choice:
            case 0:
                harm.lost += 1
            case 1:
                harm.doubled += 1
                self._pass_on(data, harm, from_client)
                loop.call_later(self._later(), self._pass_on, data, harm, from_client)
            case 2:
                harm.delayed += 1
                loop.call_later(self._later(), self._pass_on, data, harm, from_client)
            case 3:
                harm.corrupted += 1
                wrong = bytearray(data)
                wrong[self._dice.randrange(len(data))] ^= 1 << self._dice.randrange(8)
                self._pass_on(bytes(wrong), harm, from_client)
            case _:
                self._pass_on(data, harm, from_client)

    def _later(self) -> float:
        return self._dice.uniform(*DELAY_SECONDS)

    def _pass_on(self, data: bytes, harm: Harm, from_client: bool) -> None:
        transport, to = (self._back, self._unit) if from_client else (self._front, self._client)
        if not transport.is_closing():
            harm.passed += 1
            transport.sendto(data, to)

    async def _socket(self, *, is_front: bool) -> Any:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Half(self, is_front=is_front), local_addr=("127.0.0.1", 0)
        )
        return transport
