"""One connection on the fast path: keeps its row in step with what aioquic does."""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from aioquic.quic.connection import QuicConnection
from numpy.typing import NDArray

from sidetone.native import Record, records
from sidetone.native.clock import now_ns
from sidetone.quic import aead
from sidetone.quic.addresses import pack_address
from sidetone.quic.batches import Batch
from sidetone.quic.connection_parts import ConnectionParts
from sidetone.quic.connections import CID_BYTES_MAX, NEVER, OFF, PEER
from sidetone.voice_sfu.application.ports import Member
from sidetone.voice_sfu.infrastructure.fastpath import control
from sidetone.voice_sfu.infrastructure.fastpath.media import FRAME_BYTES_MAX, Media
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW

KEY_PACKETS_MAX: Final = 1 << 21
"""Packets in one key phase: well before 2**23, where AES-GCM wears out (RFC 9001 section 6.6)."""

STREAM_PACKETS_PER_ACK: Final = 4
"""Packets with stream data, as of video, that one acknowledgement is for."""

_NS_PER_SECOND: Final = 1_000_000_000


class Lane:
    """Made by `FastPath.connect`; its methods are called on the event loop.

    The caller says before and after all that aioquic does: `receiving` and `received` around a
    datagram, `sending` and `sent` around what it transmits.
    """

    def __init__(
        self,
        shared: Media,
        buffers: tuple[Batch, Record],
        index: int,
        quic: QuicConnection,
        member: Member,
        released: Callable[["Lane"], None],
    ) -> None:
        self.index = index
        self.member = member
        self.key_packets_max = KEY_PACKETS_MAX
        self._shared = shared
        self._batch, self._cipher = buffers
        self._row = shared.rows[index]
        self._parts = ConnectionParts(quic)
        self._released = released
        self._peer = records(PEER, 1)[0]
        self._known: tuple[object, ...] = ()
        self._cids: set[bytes] = set()
        self._contexts: dict[str, aead.Context] = {}
        self._keyed_at = 0
        self._counts = _counts_of(shared, index)
        self._told = np.zeros_like(self._counts)
        self._unacknowledged = 0
        self.passed = 0
        self._closed = False

    def open(self) -> None:
        """Take over from aioquic, whose handshake is over."""
        parts = self._parts
        parts.forget_handshake()
        self._row.connection.next_number = parts.next_number
        self._row.connection.largest_acked = parts.largest_acked
        self._keyed_at = parts.next_number
        self._note(parts.received_so_far(), owed=False)
        self.received()
        self.sent()

    def allow(self, *, speaks: bool, hears: bool) -> None:
        """Set whether the others hear this member, and whether it hears them."""
        if not self._closed:
            control.allow(self._shared, self.index, speaks, hears)

    def send(self, frame: bytes) -> bool:
        """Send *frame* if the kernels may send to this peer now."""
        if self._closed or self._row.connection.state == OFF or len(frame) > FRAME_BYTES_MAX:
            return False
        data = np.frombuffer(frame, np.uint8).copy()
        control.send_frame(self._shared, self._batch, self._cipher, self.index, data, now_ns())
        return True

    def excuse(self, packets: float) -> None:
        """Allow so many packets more in this second: they carry or acknowledge video."""
        if not self._closed:
            control.excuse(self._shared, self.index, packets)

    # --- around what aioquic does ---

    def has_passed(self) -> bool:
        """Tell whether the frame that aioquic reads now was passed on before it read it."""
        self.passed -= 1
        return self.passed >= 0

    def receiving(self) -> None:
        """Prepare aioquic for a datagram of this connection."""
        if not self._closed:
            self._parts.raise_received(int(self._row.connection.received_largest))

    def received(self) -> None:
        """Take over what has changed: other keys first, for they count from now on."""
        if self._closed or not self._parts.is_usable():
            return
        self._follow_peer()
        acks = self._parts.take_acks()
        if acks.numbers or acks.owed:
            self._note(acks.numbers, owed=acks.owed)
        if acks.owed:
            self._acknowledge_soon(len(acks.numbers))

    def sending(self) -> None:
        """Keep the kernels from sending: the packet numbers are aioquic's for a moment."""
        if not self._closed:
            self._parts.next_number = control.begin_sending(self._shared, self.index)

    def sent(self) -> None:
        """Give the packet numbers back."""
        if self._closed:
            return
        usable = self._parts.is_usable()
        if usable:
            self._follow_peer()
        control.end_sending(
            self._shared,
            self._batch,
            self._cipher,
            self.index,
            self._parts.next_number,
            self._parts.tracked_from(time.monotonic()),
            usable,
            now_ns(),
        )

    def timing(self) -> None:
        """Let aioquic know when the peer was heard last, before it takes it for gone."""
        if not self._closed:
            row = self._row
            self._parts.keep_alive(
                time.monotonic() - (now_ns() - int(row.connection.heard_ns)) / _NS_PER_SECOND,
                int(row.connection.rtt_ns) / _NS_PER_SECOND,
            )

    # --- from time to time ---

    def look(self) -> None:
        """Count, and begin a new key phase in time."""
        if self._closed:
            return
        self.settle()
        sealed = int(self._row.connection.next_number) - self._keyed_at
        if sealed > self.key_packets_max and self._parts.is_usable():
            self._parts.update_keys()
            self._follow_peer()

    def settle(self) -> None:
        """Add to the member's meters what has passed since the last time."""
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

    def keys_are_whole(self) -> bool:
        """Tell whether the cipher has kept to the memory of its contexts."""
        return all(aead.margin_is_clean(context) for context in self._contexts.values())

    def close(self) -> None:
        """Leave the fast path; a second time does nothing."""
        if self._closed:
            return
        self.settle()
        self._closed = True
        for cid in self._cids:
            control.remove_cid(self._shared, _bytes(cid))
        control.give_back(self._shared, self.index)
        # aioquic goes on alone, and no number may be sealed twice with one key.
        self._parts.next_number = max(
            self._parts.next_number, int(self._row.connection.next_number)
        )
        self._parts.raise_received(int(self._row.connection.received_largest))
        _wipe(self._contexts, {})
        self._released(self)

    # --- inside ---

    def _note(self, numbers: list[int], *, owed: bool) -> None:
        now = now_ns()
        found = np.array(numbers, np.int64)
        control.note_received(self._shared, self.index, found, now if owed else 0, now)

    def _acknowledge_soon(self, packets: int) -> None:
        """Let streams flow: the delay that suits a voice would starve them of acknowledgements."""
        self._unacknowledged += packets
        if self._unacknowledged >= STREAM_PACKETS_PER_ACK:
            self._unacknowledged = 0
            control.acknowledge(self._shared, self._batch, self._cipher, self.index, now_ns())

    def _follow_peer(self) -> None:
        """Take over another path, connection id or key phase."""
        parts = self._parts
        known = (parts.address, parts.peer_cid, parts.key_id, parts.own_cids)
        if all(
            new is old or new == old for new, old in zip(known, self._known, strict=False)
        ) and (self._known):
            return
        rekeyed = not self._known or parts.key_id is not self._known[2]
        self._known = known
        # Until the kernels have the new contexts they use those that this keeps.
        in_use = self._contexts
        if rekeyed:
            self._set_keys()
        self._set_place()
        phase_since = NEVER if rekeyed else int(self._row.connection.phase_since)
        control.set_peer(self._shared, self.index, self._peer, phase_since)
        _wipe(in_use, self._contexts)
        self._follow_cids(set(parts.own_cids))

    def _set_place(self) -> None:
        peer, parts = self._peer, self._parts
        name = pack_address(parts.address)
        peer.address_length = len(name)
        peer.address[: len(name)] = _bytes(name)
        cid = parts.peer_cid[:CID_BYTES_MAX]
        peer.cid_length = len(cid)
        peer.cid[: len(cid)] = _bytes(cid)
        peer.frame_max = parts.frame_max
        peer.ack_delay_shift = parts.ack_delay_shift

    def _set_keys(self) -> None:
        """Make contexts of the present keys; those of the phase before still open."""
        peer, keys, old = self._peer, self._parts.keys(), self._contexts
        self._contexts = {
            "seals": aead.new_context(keys.seal[0]),
            "opens": aead.new_context(keys.open[0]),
            # Header keys stay the same through every key update.
            "masks": old.get("masks", aead.new_mask_context(keys.seal[2])),
            "unmasks": old.get("unmasks", aead.new_mask_context(keys.open[2])),
        }
        if "opens" in old:
            self._contexts["opens_before"] = old["opens"]
        peer.open_before_iv[:] = peer.open_iv
        for name, context in self._contexts.items():
            peer[name] = context.ctypes.data
        peer.seal_iv[:] = _bytes(keys.seal[1])
        peer.open_iv[:] = _bytes(keys.open[1])
        peer.key_phase = keys.phase
        self._keyed_at = int(self._row.connection.next_number)

    def _follow_cids(self, cids: set[bytes]) -> None:
        for cid in cids - self._cids:
            control.add_cid(self._shared, self.index, _bytes(cid))
        for cid in self._cids - cids:
            control.remove_cid(self._shared, _bytes(cid))
        self._cids = cids


def _counts_of(shared: Media, index: int) -> NDArray[np.int64]:
    """View what meters count of a row: four sums, then the drops."""
    start = index * ROW.itemsize + (ROW.fields or {})["counts"][1]
    whole = shared.rows.view(np.ndarray).view(np.uint8)
    return whole[start : start + 8 * (4 + len(REASONS))].view(np.int64)


def _wipe(old: dict[str, aead.Context], new: dict[str, aead.Context]) -> None:
    """Leave nothing in memory of the keys in *old* that are not in *new*."""
    kept = [id(context) for context in new.values()]
    for context in old.values():
        if id(context) not in kept:
            context[:] = 0


def _bytes(data: bytes) -> Any:  # noqa: ANN401 - an array that kernels may be given
    return np.frombuffer(data, np.uint8).copy()
