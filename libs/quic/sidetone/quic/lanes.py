"""One connection past aioquic: keeps the kernels' record in step with what aioquic does."""

import time
from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from aioquic.quic.connection import QuicConnection

from sidetone.native import Records
from sidetone.native.clock import now_ns
from sidetone.quic import aead, cids, handover
from sidetone.quic.addresses import pack_address
from sidetone.quic.connection_parts import ConnectionParts, Seen
from sidetone.quic.connections import NEVER, Peer, word_of
from sidetone.quic.handover import Guarded

KEY_PACKETS_MAX: Final = 1 << 21
"""Packets in one key phase: well before 2**23, where AES-GCM wears out (RFC 9001 section 6.6)."""

STREAM_PACKETS_PER_ACK: Final = 4
"""Packets with stream data, as of video, that one acknowledgement is for."""

_NS_PER_SECOND: Final = 1_000_000_000

_NEXT_NUMBER: Final = word_of("next_number")
_LARGEST_ACKED: Final = word_of("largest_acked")
_RECEIVED_LARGEST: Final = word_of("received_largest")
_PHASE_SINCE: Final = word_of("phase_since")
_HEARD_NS: Final = word_of("heard_ns")
_RTT_NS: Final = word_of("rtt_ns")


class Lane(ABC):
    """One connection, from the end of its handshake on; its methods are called on an event loop.

    The caller says before and after all that aioquic does: `receiving` and `received` around a
    datagram, `sending` and `sent` around what it transmits. Who runs the kernels says in a class
    of its own what they do once a record is theirs again, and how they acknowledge.

    *one* is an array of the one record; packets for this connection's ids are of *row*.
    """

    def __init__(self, guarded: Guarded, row: int, one: Records, quic: QuicConnection) -> None:
        self.key_packets_max = KEY_PACKETS_MAX
        self.passed = 0
        self._guarded = guarded
        self._lock = guarded.lock
        self._row = row
        self._one = one
        # Read without the lock: each is one word.
        self._words = memoryview(one.view(np.int64))
        self._parts = ConnectionParts(quic)
        self._seen: Seen | None = None
        self._peer = Peer()
        self._contexts: dict[str, aead.Context] = {}
        self._cids: frozenset[bytes] = frozenset()
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
        self._words[_NEXT_NUMBER] = parts.next_number
        self._words[_LARGEST_ACKED] = parts.largest_acked
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
            self._parts.raise_received(self._words[_RECEIVED_LARGEST])

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
            self._parts.find_losses(time.monotonic())
            self._parts.next_number = handover.begin_sending(self._lock, self._one)

    def sent(self) -> None:
        """Give the packet numbers back."""
        if self._closed:
            return
        usable = self._parts.is_usable()
        if usable:
            self._follow_peer()
        self._end_sending(self._parts.next_number, self._parts.tracked_from, usable=usable)

    def timing(self) -> None:
        """Let aioquic know when the peer was heard last, before it takes it for gone."""
        if not self._closed:
            self._parts.keep_alive(
                time.monotonic() - (now_ns() - self._words[_HEARD_NS]) / _NS_PER_SECOND,
                self._words[_RTT_NS] / _NS_PER_SECOND,
            )

    # --- from time to time ---

    def renew_keys(self) -> None:
        """Begin a new key phase, if it is time."""
        if self._closed:
            return
        sealed = self._words[_NEXT_NUMBER] - self._keyed_at
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
        self._follow_cids(frozenset())
        self._give_back()
        # aioquic goes on alone, and no number may be sealed twice with one key.
        self._parts.next_number = max(self._parts.next_number, self._words[_NEXT_NUMBER])
        self._parts.raise_received(self._words[_RECEIVED_LARGEST])
        _wipe(self._contexts, {})

    # --- inside ---

    def _note(self, numbers: list[int]) -> None:
        found = np.array(numbers, np.int64)
        handover.note_received(self._lock, self._one, found, now_ns())

    def _acknowledge_soon(self, packets: int) -> None:
        """Let streams flow: the delay that suits a voice would starve them of acknowledgements."""
        self._unacknowledged += packets
        if self._unacknowledged >= STREAM_PACKETS_PER_ACK:
            self._unacknowledged = 0
            self._acknowledge()

    def _follow_peer(self) -> None:
        """Take over another path, connection id or key phase."""
        parts, before = self._parts, self._seen
        seen = parts.seen()
        if seen == before:
            return
        self._seen = seen
        # Until the kernels have the new contexts they use those that this keeps.
        in_use = self._contexts
        phase_since = self._words[_PHASE_SINCE]
        if before is None or seen.keys is not before.keys:
            self._take_keys()
            phase_since = NEVER
        self._peer = self._peer._replace(
            cid=parts.peer_cid,
            address=pack_address(parts.address),
            frame_max=parts.frame_max,
            ack_delay_shift=parts.ack_delay_shift,
        )
        handover.set_peer(self._lock, self._one, self._peer.packed(), phase_since)
        _wipe(in_use, self._contexts)
        self._follow_cids(parts.own_cids)

    def _take_keys(self) -> None:
        """Make contexts of the present keys; those of the phase before still open."""
        keys, old = self._parts.keys(), self._contexts
        self._contexts = {
            "seals": aead.new_context(keys.seal[0]),
            "opens": aead.new_context(keys.open[0]),
        }
        if old:
            # Header keys stay the same through every key update.
            self._contexts |= {name: old[name] for name in ("masks", "unmasks")}
            self._contexts["opens_before"] = old["opens"]
        else:
            self._contexts["masks"] = aead.new_mask_context(keys.seal[2])
            self._contexts["unmasks"] = aead.new_mask_context(keys.open[2])
        self._peer = self._peer._replace(
            key_phase=keys.phase,
            seal_iv=keys.seal[1],
            open_iv=keys.open[1],
            open_before_iv=self._peer.open_iv,
            **{name: context.ctypes.data for name, context in self._contexts.items()},
        )
        self._keyed_at = self._words[_NEXT_NUMBER]

    def _follow_cids(self, now: frozenset[bytes]) -> None:
        table = (self._lock, self._guarded.cid_keys, self._guarded.cid_rows)
        if fresh := now - self._cids:
            handover.add_cids(*table, cids.keys_of(fresh), self._row)
        if gone := self._cids - now:
            handover.remove_cids(*table, cids.keys_of(gone))
        self._cids = now


def _wipe(old: dict[str, aead.Context], new: dict[str, aead.Context]) -> None:
    """Leave nothing in memory of the keys in *old* that are not in *new*."""
    kept = [id(context) for context in new.values()]
    for context in old.values():
        if id(context) not in kept:
            context[:] = 0
