"""Members of rooms on a forwarding unit: they join by aioquic, and stay in kernels.

After the welcome aioquic neither reads nor sends any more; `sfu_members` has the socket.
"""

import asyncio
import math
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from sidetone.native import records
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId
from sidetone.quic.batches import DATAGRAM_BYTES_MAX
from sidetone.quic.packets import CIPHER
from sidetone.voice_sfu.application.ports import Place
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import FastPath
from sidetone.voice_sfu.interface.udp import UdpTransport
from tests.load.sfu_members import WORDS, Crowd, talk, tend
from tests.load.sfu_stage import PATIENCE_SECONDS, Client, VoiceDesk
from tests.load.udp_crowd import (
    FRAME_SECONDS,
    HOST,
    SETTLE_SECONDS,
    day_ahead_ns,
    new_arrivals,
    new_histogram,
    open_socket,
    percentile_ms,
)

_JOIN_AT_ONCE: Final = 10
_TEND_SECONDS: Final = 0.02


class _Nobody:
    """What a lane would report to."""

    def flooded(self) -> None: ...

    def detour(self, frame: bytes) -> None: ...

    def meters(self) -> tuple[()]:
        return ()


class SfuCrowd:
    """So many members in each of the rooms *channels*; the first *speaking* of each may speak."""

    def __init__(self, alive: NodeAlive, desk: VoiceDesk) -> None:
        self._alive = alive
        self._desk = desk
        self._path = FastPath(1e9, 1e12)
        self._joined: list[tuple[int, socket.socket, Any]] = []
        self.crowd = self._seen()

    def _seen(self) -> Crowd:
        count = len(self._joined)
        return Crowd(
            self._path.shared,
            np.array([row for row, _, _ in self._joined], np.int64),
            np.array([each.fileno() for _, each, _ in self._joined], np.int64),
            np.zeros(count, np.int64),
            new_arrivals(),
            np.zeros(DATAGRAM_BYTES_MAX, np.uint8),
            records(CIPHER, 1)[0],
            np.zeros(WORDS, np.int64),
            new_histogram(),
            new_histogram(),
        )

    def __len__(self) -> int:
        return len(self._joined)

    async def join(self, channels: Sequence[ChannelId]) -> None:
        """Let a member join each of *channels*, ten at once; those who are in go on hearing."""
        for first in range(0, len(channels), _JOIN_AT_ONCE):
            some = channels[first : first + _JOIN_AT_ONCE]
            joining = asyncio.gather(*(self._join(each) for each in some))
            while not joining.done():
                self.tend()
                await asyncio.wait([joining], timeout=_TEND_SECONDS)
            self._joined += await joining
            self.crowd = self._seen()

    def tend(self, *, pings: bool = False) -> None:
        """Let all hear what has come; with *pings* the unit knows that they live."""
        tend(self.crowd, len(self), day_ahead_ns(), pings)

    async def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Let all hear for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(_TEND_SECONDS)
            self.tend()

    async def talk(self, speakers: Sequence[int], seconds: float) -> int:
        """Let these members speak; returns how many frames they have said."""
        for counted in (self.crowd.words, self.crowd.delays, self.crowd.lateness):
            counted[:] = 0
        step = FRAME_SECONDS / len(speakers)
        count = math.floor(seconds / step)
        order = np.array(speakers, np.int64)
        arguments = (self.crowd, order, count, int(step * 1e9), day_ahead_ns())
        await asyncio.to_thread(talk, *arguments)
        await asyncio.sleep(SETTLE_SECONDS)
        self.tend()
        return count

    def count(self, word: int) -> int:
        """Return one of the counts since the last talk began."""
        return int(self.crowd.words[word])

    def delay_ms(self, percent: float) -> float:
        """Return a percentile of how long frames took."""
        return percentile_ms(self.crowd.delays, percent)

    def lateness_ms(self) -> float:
        """Return the 99th percentile of how late frames were sent."""
        return percentile_ms(self.crowd.lateness, 99)

    def close(self) -> None:
        """Forget all members, without a word."""
        for _, bound, lane in self._joined:
            lane.close()
            bound.close()
        self._joined = []

    async def _join(self, channel: ChannelId) -> tuple[int, socket.socket, Any]:
        bound = open_socket(self._alive.port)
        quic = QuicConnection(
            configuration=QuicConfiguration(
                alpn_protocols=["sidetone/1"],
                max_datagram_frame_size=1200,
                verify_mode=ssl.CERT_NONE,
                idle_timeout=15.0,
            )
        )
        client = Client(quic)
        client.connection_made(UdpTransport(bound, client.datagram_received))
        client.connect((HOST, self._alive.port))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.wait_connected()
        welcome = await client.join(self._desk.ticket(self._alive.node, channel=channel))
        client.transmit()
        _leave_to_kernels(client, bound)
        place = Place(channel, welcome.sender, speaks=True, hears=True)
        member: Any = _Nobody()
        lane = self._path.connect(quic, place, member)
        assert lane is not None
        return lane.index, bound, lane


def _leave_to_kernels(client: Client, bound: socket.socket) -> None:
    """Let aioquic neither read nor send any more."""
    asyncio.get_running_loop().remove_reader(bound)
    for handle in (client._timer, client._transmit_task):
        if handle is not None:
            handle.cancel()
