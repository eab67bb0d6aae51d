"""One member on the fast path: its lane, its place in a room and what it may do there."""

from collections.abc import Callable
from typing import Final

import numpy as np
from aioquic.quic.connection import QuicConnection
from numpy.typing import NDArray
from typing_extensions import override

from sidetone.native import Record
from sidetone.native.clock import now_ns
from sidetone.quic import lanes
from sidetone.quic.batches import Batch
from sidetone.quic.connections import OFF, word_of
from sidetone.quic.handover import Guarded
from sidetone.voice_sfu.application.ports import Member
from sidetone.voice_sfu.infrastructure.fastpath import control
from sidetone.voice_sfu.infrastructure.fastpath.media import FRAME_BYTES_MAX, Media, Rows, rows_of
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS

_STATE: Final = word_of("state")


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
        rows = rows_of(shared)
        super().__init__(guarded, index, rows.rows["connection"][index : index + 1], quic)
        self.index = index
        self.member = member
        self._shared = shared
        self._rows = rows
        self._batch, self._cipher = buffers
        self._released = released
        self._counts = _counts_of(rows, index)
        self._told = self._counts.tolist()

    @override
    def open(self) -> None:
        """Take over from aioquic, whose handshake is over."""
        self._parts.forget_handshake()
        super().open()

    def allow(self, *, speaks: bool, hears: bool) -> None:
        """Set whether the others hear this member, and whether it hears them."""
        if not self._closed:
            control.allow(self._rows, self.index, speaks, hears)

    def send(self, frame: bytes) -> bool:
        """Send *frame* if the kernels may send to this peer now."""
        if self._closed or self._words[_STATE] == OFF or len(frame) > FRAME_BYTES_MAX:
            return False
        data = np.frombuffer(frame, np.uint8).copy()
        control.send_frame(self._shared, self._batch, self._cipher, self.index, data, now_ns())
        return True

    def excuse(self, packets: float) -> None:
        """Allow so many packets more in this second: they carry or acknowledge video."""
        if not self._closed:
            control.excuse(self._rows, self.index, packets)

    # --- from time to time ---

    def look(self) -> None:
        """Count, and begin a new key phase in time."""
        self.settle()
        self.renew_keys()

    def settle(self) -> None:
        """Add to the member's meters what has passed since the last time."""
        if self._closed:
            return
        now, before = self._counts.tolist(), self._told
        if now == before:
            return
        self._told = now
        fresh = [new - old for new, old in zip(now, before, strict=True)]
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
        if not control.end_sending(self._rows, self.index, next_number, tracked_from, usable):
            buffers = self._batch, self._cipher
            control.pass_on_held(self._shared, *buffers, self.index, usable, now_ns())

    @override
    def _owe_ack(self) -> None:
        control.owe_ack(self._shared, self.index, now_ns())

    @override
    def _acknowledge(self) -> None:
        control.acknowledge(self._shared, self._batch, self._cipher, self.index, now_ns())

    @override
    def _give_back(self) -> None:
        control.give_back(self._shared, self.index)


def _counts_of(rows: Rows, index: int) -> NDArray[np.int64]:
    """View what meters count of a row: four sums, then the drops."""
    words = rows.rows["counts"][index : index + 1].view(np.int64)
    return words[: 4 + len(REASONS)]
