"""One member on the fast path: its lane, its place in a room and what it may do there."""

from collections.abc import Callable

import numpy as np
from aioquic.quic.connection import QuicConnection
from numpy.typing import NDArray
from typing_extensions import override

from sidetone.native import Record
from sidetone.native.clock import now_ns
from sidetone.quic import lanes
from sidetone.quic.batches import Batch
from sidetone.quic.connections import OFF
from sidetone.quic.handover import Guarded
from sidetone.voice_sfu.application.ports import Member
from sidetone.voice_sfu.infrastructure.fastpath import control
from sidetone.voice_sfu.infrastructure.fastpath.media import FRAME_BYTES_MAX, Media
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW


class Lane(lanes.Lane):
    """Made by `FastPath.connect`; its methods are called on the event loop."""

    def __init__(
        self,
        shared: Media,
        buffers: tuple[Batch, Record],
        index: int,
        quic: QuicConnection,
        member: Member,
        released: Callable[["Lane"], None],
    ) -> None:
        guarded = Guarded(shared.lock, shared.cid_keys, shared.cid_rows)
        super().__init__(guarded, index, shared.rows[index].connection, quic)
        self.index = index
        self.member = member
        self._shared = shared
        self._batch, self._cipher = buffers
        self._released = released
        self._counts = _counts_of(shared, index)
        self._told = np.zeros_like(self._counts)

    @override
    def open(self) -> None:
        """Take over from aioquic, whose handshake is over."""
        self._parts.forget_handshake()
        super().open()

    def allow(self, *, speaks: bool, hears: bool) -> None:
        """Set whether the others hear this member, and whether it hears them."""
        if not self._closed:
            control.allow(self._shared, self.index, speaks, hears)

    def send(self, frame: bytes) -> bool:
        """Send *frame* if the kernels may send to this peer now."""
        if self._closed or self.connection.state == OFF or len(frame) > FRAME_BYTES_MAX:
            return False
        data = np.frombuffer(frame, np.uint8).copy()
        control.send_frame(self._shared, self._batch, self._cipher, self.index, data, now_ns())
        return True

    def excuse(self, packets: float) -> None:
        """Allow so many packets more in this second: they carry or acknowledge video."""
        if not self._closed:
            control.excuse(self._shared, self.index, packets)

    # --- from time to time ---

    def look(self) -> None:
        """Count, and begin a new key phase in time."""
        self.settle()
        self.renew_keys()

    def settle(self) -> None:
        """Add to the member's meters what has passed since the last time."""
        if self._closed:
            return
        now = self._counts.copy()
        fresh = (now - self._told).tolist()
        self._told = now
        if not any(fresh):
            return
        for meter in self.member.meters():
            meter.add(*fresh[:4])
            for reason, count in zip(REASONS, fresh[4:], strict=True):
                if count:
                    meter.dropped(reason, count)

    @override
    def close(self) -> None:
        """Leave the fast path; a second time does nothing."""
        if self._closed:
            return
        self.settle()
        super().close()
        self._released(self)

    # --- the kernels' side ---

    @override
    def _end_sending(self, next_number: int, tracked_from: int, *, usable: bool) -> None:
        control.end_sending(
            self._shared,
            self._batch,
            self._cipher,
            self.index,
            next_number,
            tracked_from,
            usable,
            now_ns(),
        )

    @override
    def _owe_ack(self) -> None:
        control.owe_ack(self._shared, self.index, now_ns())

    @override
    def _acknowledge(self) -> None:
        control.acknowledge(self._shared, self._batch, self._cipher, self.index, now_ns())

    @override
    def _give_back(self) -> None:
        control.give_back(self._shared, self.index)


def _counts_of(shared: Media, index: int) -> NDArray[np.int64]:
    """View what meters count of a row: four sums, then the drops."""
    start = index * ROW.itemsize + (ROW.fields or {})["counts"][1]
    whole = shared.rows.view(np.ndarray).view(np.uint8)
    return whole[start : start + 8 * (4 + len(REASONS))].view(np.int64)
