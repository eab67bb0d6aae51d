"""The media thread as the rest of the unit sees it: a transport, lanes, and news for asyncio."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import structlog
from aioquic.quic.connection import QuicConnection

from sidetone.native.atomics import write_word
from sidetone.native.clock import now_ns
from sidetone.quic import announce_ack_delay, batches, notices
from sidetone.quic.addresses import unpack_address
from sidetone.quic.lanes import KEY_PACKETS_MAX
from sidetone.quic.notices import PACKET, Notice
from sidetone.quic.transport import KernelTransport
from sidetone.runtime.start import return_memory
from sidetone.voice_sfu.application.ports import Member, Place
from sidetone.voice_sfu.infrastructure.fastpath import control, loop, ports, words
from sidetone.voice_sfu.infrastructure.fastpath.lane import Lane
from sidetone.voice_sfu.infrastructure.fastpath.media import (
    DETOUR,
    FLOOD,
    FRAME,
    new_media,
)
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROOMS_MAX, ROWS_MAX

Receive: TypeAlias = Callable[[bytes, tuple[Any, ...]], None]

LOOK_SECONDS: Final = 5.0
"""How often rows are looked after, and memory that is free is given back."""

_TURN_SECONDS: Final = 0.04
_TIME: Final = struct.Struct("@qq")

_log = structlog.get_logger()


class FastPath:
    """One media thread on one socket. *evidence*, if any, is given every frame that passes."""

    def __init__(
        self,
        packets_per_second: float,
        bits_per_second: float,
        evidence: Callable[[bytes], None] | None = None,
        key_packets_max: int = KEY_PACKETS_MAX,
    ) -> None:
        self.shared = new_media(packets_per_second, bits_per_second)
        self.shared.words[words.EVIDENCE] = evidence is not None
        self._evidence = evidence
        self._key_packets_max = key_packets_max
        self._buffers = control.new_buffers()
        self._lanes: dict[int, Lane] = {}
        self._has_grown = False
        self._free = list(range(ROWS_MAX - 1, -1, -1))
        self._rooms: dict[bytes, int] = {}
        self._members: dict[bytes, int] = {}
        self._free_rooms = list(range(ROOMS_MAX - 1, -1, -1))
        self._room_of: dict[int, bytes] = {}
        self._wake = -1
        self._receive: Receive | None = None
        self._thread: threading.Thread | None = None
        self._looking: asyncio.TimerHandle | None = None

    def open(self, bound: socket.socket, receive: Receive) -> KernelTransport:
        """Begin to read *bound*; *receive* is called on the event loop for what is aioquic's."""
        self._receive = receive
        self._wake = os.eventfd(0, os.EFD_NONBLOCK)
        bound.settimeout(None)
        bound.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIME.pack(0, int(_TURN_SECONDS * 1e6))
        )
        beside = ports.open_beside(bound)
        self.shared.words[words.SOCKET] = bound.fileno()
        self.shared.words[words.BESIDE] = beside.fileno() if beside else -1
        self.shared.notices.words[notices.BELL] = self._wake
        event_loop = asyncio.get_running_loop()
        event_loop.add_reader(self._wake, self._woken)
        self._looking = event_loop.call_later(LOOK_SECONDS, self._look)
        arrived = batches.new_batch(batches.RECEIVED_MAX, batches.DATAGRAM_BYTES_MAX)
        batch, cipher = control.new_buffers()
        text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)
        self._thread = threading.Thread(
            target=loop.run,
            args=(self.shared, arrived, batch, cipher, text, -1),
            name="media",
            daemon=True,
        )
        self._thread.start()
        return KernelTransport([bound, *([beside] if beside else [])], self._stop)

    def prepare(self, quic: QuicConnection) -> None:
        """Have a new connection announce how late it will be acknowledged."""
        announce_ack_delay(quic)

    def connect(self, quic: QuicConnection, place: Place, member: Member) -> Lane | None:
        """Give a connection a row in its room, or None where no more fit."""
        room = place.channel.bytes
        if not self._free or (room not in self._rooms and not self._free_rooms):
            return None
        if room not in self._rooms:
            self._rooms[room] = self._free_rooms.pop()
            self._members[room] = 0
        self._members[room] += 1
        index = self._free.pop()
        self._room_of[index] = room
        control.take(self.shared, index, self._rooms[room], place.sender, now_ns())
        lane = Lane(self.shared, self._buffers, index, quic, member, self._released)
        lane.key_packets_max = self._key_packets_max
        self._lanes[index] = lane
        lane.open()
        self._has_grown = True
        return lane

    def take_notices(self) -> None:
        """Act on what the media thread has told since the last time."""
        for notice in notices.taken(self.shared.notices):
            try:
                if notice.kind == PACKET:
                    self._hand_over(notice)
                else:
                    self._tell(notice.kind, notice.row, notice.data)
            except Exception:
                _log.exception("notice_failed")

    # --- inside ---

    def _released(self, lane: Lane) -> None:
        del self._lanes[lane.index]
        self._free.append(lane.index)
        room = self._room_of.pop(lane.index)
        self._members[room] -= 1
        if self._members[room] == 0:
            del self._members[room]
            self._free_rooms.append(self._rooms.pop(room))

    def _woken(self) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            return
        self.take_notices()

    def _hand_over(self, notice: Notice) -> None:
        """Let aioquic have a datagram; its first frames may have been passed on already."""
        lane = self._lanes.get(notice.row)
        if lane is not None:
            lane.passed = notice.passed
        if self._receive is not None:
            self._receive(notice.data, unpack_address(notice.name))
        if lane is not None:
            lane.passed = 0

    def _tell(self, kind: int, index: int, data: bytes) -> None:
        lane = self._lanes.get(index)
        if kind == FRAME and self._evidence is not None:
            self._evidence(data)
        elif kind == FLOOD and lane is not None:
            lane.member.flooded()
        elif kind == DETOUR and lane is not None:
            lane.member.detour(data)

    def _look(self) -> None:
        # Before keys are replaced: aioquic reads nothing with old ones.
        self.take_notices()
        for lane in list(self._lanes.values()):
            try:
                lane.look()
            except Exception:
                _log.exception("lane_failed")
        if self._has_grown:
            # Handshakes take more memory than connections.
            self._has_grown = False
            return_memory()
        self._looking = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _stop(self) -> None:
        write_word(self.shared.words, words.STOP, 1)
        if self._thread is not None:
            self._thread.join()
        if self._looking is not None:
            self._looking.cancel()
        asyncio.get_running_loop().remove_reader(self._wake)
        os.close(self._wake)
        for lane in list(self._lanes.values()):
            lane.close()
