"""One connection past aioquic: keeps the kernels' record in step with what aioquic does."""

import time
from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
from aioquic.quic.connection import QuicConnection

from sidetone.native import Record, records
from sidetone.native.clock import now_ns
from sidetone.quic import aead, handover
from sidetone.quic.addresses import pack_address
from sidetone.quic.connection_parts import ConnectionParts
from sidetone.quic.connections import CID_BYTES_MAX, NEVER, PEER
from sidetone.quic.handover import Guarded

KEY_PACKETS_MAX: Final = 1 << 21
"""Packets in one key phase: well before 2**23, where AES-GCM wears out (RFC 9001 section 6.6)."""

STREAM_PACKETS_PER_ACK: Final = 4
"""Packets with stream data, as of video, that one acknowledgement is for."""

_NS_PER_SECOND: Final = 1_000_000_000


class Lane(ABC):
    """One connection, from the end of its handshake on; its methods are called on an event loop.

    The caller says before and after all that aioquic does: `receiving` and `received` around a
    datagram, `sending` and `sent` around what it transmits. Who runs the kernels says in a class
    of its own what they do once a record is theirs again, and how they acknowledge.
    """

    def __init__(
        self, guarded: Guarded, row: int, connection: Record, quic: QuicConnection
    ) -> None:
        self.key_packets_max = KEY_PACKETS_MAX
        self.passed = 0
        self.connection = connection
        self._guarded = guarded
        self._lock = guarded.lock
        self._row = row
        self._parts = ConnectionParts(quic)
        self._peer = records(PEER, 1)[0]
        self._known: tuple[object, ...] = ()
        self._cids: set[bytes] = set()
        self._contexts: dict[str, aead.Context] = {}
        self._keyed_at = 0
        self._unacknowledged = 0
        self._closed = False

    @abstractmethod
    def _end_sending(self, next_number: int, tracked_from: int, *, usable: bool) -> None:
        """Take the record back from aioquic, which goes on at *next_number*."""

    @abstractmethod
    def _owe_ack(self) -> None:
        """Have what has come acknowledged in time."""

    @abstractmethod
    def _acknowledge(self) -> None:
        """Acknowledge what has come now, if it is owed."""

    @abstractmethod
    def _give_back(self) -> None:
        """Let no kernel touch the record any more: its keys are about to be wiped."""

    def open(self) -> None:
        """Take over from aioquic, whose handshake is over."""
        parts = self._parts
        self.connection.next_number = parts.next_number
        self.connection.largest_acked = parts.largest_acked
        self._keyed_at = parts.next_number
        self._note(parts.received_so_far())
        self.received()
        self.sent()

    # --- around what aioquic does ---

    def has_passed(self) -> bool:
        """Tell whether the frame that aioquic reads now was passed on before it read it."""
        self.passed -= 1
        return self.passed >= 0

    def receiving(self) -> None:
        """Prepare aioquic for a datagram of this connection."""
        if not self._closed:
            self._parts.raise_received(int(self.connection.received_largest))

    def received(self) -> None:
        """Take over what has changed: other keys first, for they count from now on."""
        if self._closed or not self._parts.is_usable():
            return
        self._follow_peer()
        acks = self._parts.take_acks()
        if acks.numbers:
            self._note(acks.numbers)
        if acks.owed:
            self._owe_ack()
            self._acknowledge_soon(len(acks.numbers))

    def sending(self) -> None:
        """Keep the kernels from sending: the packet numbers are aioquic's for a moment."""
        if not self._closed:
            self._parts.next_number = handover.begin_sending(self._lock, self.connection)

    def sent(self) -> None:
        """Give the packet numbers back."""
        if self._closed:
            return
        usable = self._parts.is_usable()
        if usable:
            self._follow_peer()
        tracked_from = self._parts.tracked_from(time.monotonic())
        self._end_sending(self._parts.next_number, tracked_from, usable=usable)

    def timing(self) -> None:
        """Let aioquic know when the peer was heard last, before it takes it for gone."""
        if not self._closed:
            self._parts.keep_alive(
                time.monotonic() - (now_ns() - int(self.connection.heard_ns)) / _NS_PER_SECOND,
                int(self.connection.rtt_ns) / _NS_PER_SECOND,
            )

    # --- from time to time ---

    def renew_keys(self) -> None:
        """Begin a new key phase, if it is time."""
        if self._closed:
            return
        sealed = int(self.connection.next_number) - self._keyed_at
        if sealed > self.key_packets_max and self._parts.is_usable():
            self._parts.update_keys()
            self._follow_peer()

    def keys_are_whole(self) -> bool:
        """Tell whether the cipher has kept to the memory of its contexts."""
        return all(aead.margin_is_clean(context) for context in self._contexts.values())

    def close(self) -> None:
        """Leave all to aioquic again; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._follow_cids(set())
        self._give_back()
        # aioquic goes on alone, and no number may be sealed twice with one key.
        next_number = int(self.connection.next_number)
        self._parts.next_number = max(self._parts.next_number, next_number)
        self._parts.raise_received(int(self.connection.received_largest))
        _wipe(self._contexts, {})

    # --- inside ---

    def _note(self, numbers: list[int]) -> None:
        found = np.array(numbers, np.int64)
        handover.note_received(self._lock, self.connection, found, now_ns())

    def _acknowledge_soon(self, packets: int) -> None:
        """Let streams flow: the delay that suits a voice would starve them of acknowledgements."""
        self._unacknowledged += packets
        if self._unacknowledged >= STREAM_PACKETS_PER_ACK:
            self._unacknowledged = 0
            self._acknowledge()

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
        phase_since = NEVER if rekeyed else int(self.connection.phase_since)
        handover.set_peer(self._lock, self.connection, self._peer, phase_since)
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
        self._keyed_at = int(self.connection.next_number)

    def _follow_cids(self, cids: set[bytes]) -> None:
        table = (self._lock, self._guarded.cid_keys, self._guarded.cid_rows)
        for cid in cids - self._cids:
            handover.add_cid(*table, _bytes(cid), self._row)
        for cid in self._cids - cids:
            handover.remove_cid(*table, _bytes(cid))
        self._cids = cids


def _wipe(old: dict[str, aead.Context], new: dict[str, aead.Context]) -> None:
    """Leave nothing in memory of the keys in *old* that are not in *new*."""
    kept = [id(context) for context in new.values()]
    for context in old.values():
        if id(context) not in kept:
            context[:] = 0


def _bytes(data: bytes) -> Any:  # noqa: ANN401 - an array that kernels may be given
    return np.frombuffer(data, np.uint8).copy()
