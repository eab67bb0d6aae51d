"""A link's media thread as the rest of the client sees it: a transport, a lane, and notices."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Final

import numpy as np
from aioquic.quic.connection import QuicConnection
from typing_extensions import override

from sidetone.audio.priority import raise_priority
from sidetone.audio.rings import Ring
from sidetone.client import link_kernels
from sidetone.client.link_kernels import CAPTURED, CONTROL, DROPPED, FRAME, SOCKET, STOP, Link
from sidetone.client.media_path import Receive
from sidetone.native import Record, records
from sidetone.native.atomics import write_word
from sidetone.native.clock import now_ns
from sidetone.quic import batches, cids, connections, lanes, notices
from sidetone.quic.addresses import unpack_address
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import Batch
from sidetone.quic.connections import CONNECTION, word_of
from sidetone.quic.handover import Guarded
from sidetone.quic.system import Lock
from sidetone.quic.transport import KernelTransport

_CIDS_MAX: Final = 64
_NOTICES_MAX: Final = 128
_NS_PER_MS: Final = 1e6
_HEARD_NS: Final = word_of("heard_ns")
_RTT_NS: Final = word_of("rtt_ns")
_LONG_AGO_NS: Final = 1

_log = logging.getLogger(__name__)


def new_link(lock: Lock, sent: Ring, arrived: Ring) -> Link:
    """Make the state of a link that has no connection yet."""
    connection = records(CONNECTION, 1)
    connections.clear(connection[0], now_ns())
    cid_keys, cid_rows = cids.new_table(_CIDS_MAX)
    return Link(
        connection=connection,
        cid_keys=cid_keys,
        cid_rows=cid_rows,
        lock=lock,
        words=link_kernels.new_words(),
        polled=link_kernels.new_polled(),
        told=notices.new_notices(_NOTICES_MAX),
        sent=sent.slots,
        sent_words=sent.words,
        arrived=arrived.slots,
        arrived_words=arrived.words,
    )


def new_buffers() -> tuple[Batch, Record]:
    """Make a batch to send, and a cipher's workspace."""
    batch = batches.new_batch(batches.SENT_MAX, batches.PACKET_BYTES_MAX)
    return batch, records(CIPHER, 1)[0]


class LinkLane(lanes.Lane):
    """The lane of a link's only connection."""

    def __init__(self, link: Link, quic: QuicConnection) -> None:
        guarded = Guarded(link.lock, link.cid_keys, link.cid_rows)
        super().__init__(guarded, 0, link.connection.view(np.ndarray), quic)
        self._link = link

    @property
    def heard_ns(self) -> int:
        """When the node was heard last, by the clock of sound."""
        return self._words[_HEARD_NS]

    @property
    def rtt_ms(self) -> float:
        """The smoothed round trip to the node; 0 before it is known."""
        return self._words[_RTT_NS] / _NS_PER_MS

    @property
    def dropped(self) -> int:
        """How many frames found the network full."""
        return int(self._link.words[DROPPED])

    @override
    def _end_sending(self, next_number: int, tracked_from: int, *, usable: bool) -> None:
        link_kernels.end_sending(self._link, next_number, tracked_from, usable)

    @override
    def _owe_ack(self) -> None:
        link_kernels.owe_ack(self._link, now_ns())

    @override
    def _acknowledge(self) -> None:
        link_kernels.owe_ack(self._link, _LONG_AGO_NS)

    @override
    def _give_back(self) -> None:
        link_kernels.give_back(self._link)


class FastLink:
    """One media thread on one socket, from `open` until its transport is closed.

    All links of a call share a *lock*, and the rings between them and the audio threads; one of
    them speaks. *captured* is readable when the capturing thread has sealed frames. *listen* is
    called on the event loop for frames that are not the playing thread's.
    """

    def __init__(
        self, lock: Lock, sent: Ring, arrived: Ring, captured: int, listen: Callable[[bytes], None]
    ) -> None:
        self._link = new_link(lock, sent, arrived)
        self._link.words[CAPTURED] = captured
        self._listen = listen
        self._receive: Receive | None = None
        self._lane: LinkLane | None = None
        self._bells: list[int] = []
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="call-media", daemon=True)

    def open(self, bound: socket.socket, receive: Receive) -> KernelTransport:
        """Read *bound* from now on; *receive* is called for datagrams that are aioquic's."""
        self._receive = receive
        self._bells = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(2)]
        words = self._link.words
        words[SOCKET] = bound.fileno()
        words[CONTROL], self._link.told.words[notices.BELL] = self._bells
        self._loop.add_reader(self._bells[1], self._woken)
        self._thread.start()
        return KernelTransport([bound], self._stop)

    def connect(self, quic: QuicConnection) -> LinkLane:
        """Open the lane of the connection, whose handshake is over."""
        self._lane = lane = LinkLane(self._link, quic)
        lane.open()
        return lane

    def let_speak(self, *, speaks: bool) -> None:
        """Send what the capturing thread seals, or no more."""
        link_kernels.let_speak(self._link, speaks)

    def deliver(self, frame: bytes, arrival_ns: int) -> None:
        """Let the playing thread have a frame that aioquic has read."""
        link_kernels.deliver(self._link, np.frombuffer(frame, np.uint8).copy(), arrival_ns)

    # --- inside ---

    def _run(self) -> None:
        # What this thread does late is heard late.
        raise_priority()
        arrived = batches.new_batch(batches.RECEIVED_MAX, batches.DATAGRAM_BYTES_MAX)
        text = np.zeros(batches.DATAGRAM_BYTES_MAX, np.uint8)
        link_kernels.run(self._link, arrived, *new_buffers(), text, -1)

    def _woken(self) -> None:
        try:
            os.eventfd_read(self._bells[1])
        except BlockingIOError:
            return
        self._take_notices()

    def _take_notices(self) -> None:
        for notice in notices.taken(self._link.told):
            try:
                if notice.kind == FRAME:
                    self._listen(notice.data)
                else:
                    self._hand_over(notice)
            except Exception:
                _log.exception("a packet of a call could not be handled")

    def _hand_over(self, notice: notices.Notice) -> None:
        """Let aioquic have a datagram; its first frames may have been passed on already."""
        lane = self._lane
        if lane is not None:
            lane.passed = notice.passed
        if self._receive is not None:
            self._receive(notice.data, unpack_address(notice.name))
        if lane is not None:
            lane.passed = 0

    def _stop(self) -> None:
        write_word(self._link.words, STOP, 1)
        link_kernels.wake(self._link)
        self._thread.join()
        self._loop.remove_reader(self._bells[1])
        # These numbers may soon be those of other files.
        self._link.words[CONTROL] = self._link.told.words[notices.BELL] = -1
        for bell in self._bells:
            os.close(bell)
