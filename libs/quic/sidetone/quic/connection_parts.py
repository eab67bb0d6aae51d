"""The private parts of an aioquic connection that the fast path reads and writes: all of them.

aioquic is pinned to one version because of this file. `self_test` finds out at the start whether
they still mean what they meant; where they do not, the plain server runs.
"""

from collections.abc import Callable
from functools import cache
from types import MethodType
from typing import Any, Final, NamedTuple, NoReturn

from aioquic.quic import connection as aioquic_connection
from aioquic.quic.connection import END_STATES, QuicConnection
from aioquic.quic.crypto import CryptoPair, NoCallback, derive_key_iv_hp
from aioquic.quic.rangeset import RangeSet
from aioquic.quic.recovery import K_PACKET_THRESHOLD, QuicPacketSpace
from aioquic.tls import AlertUnexpectedMessage, CipherSuite, Epoch

_RANGE_MAX: Final = 128

# Sets of epochs: aioquic makes 33 of the same few for each connection.
aioquic_connection.EPOCHS = cache(aioquic_connection.EPOCHS)


class Keys(NamedTuple):
    """Secrets of one key phase, ours and the peer's."""

    seal: tuple[bytes, bytes, bytes]
    open: tuple[bytes, bytes, bytes]
    phase: int


class Seen(NamedTuple):
    """What tells whether the peer's path, its connection id, its keys or our ids have changed.

    Objects of aioquic's, each another one after a change: compared quickly.
    """

    path: object
    peer_cid: object
    keys: object
    own_cids_made: int
    own_cids: int


class Acks(NamedTuple):
    """Packets that aioquic has received since it was last asked; *owed* if one wants an ACK."""

    numbers: list[int]
    owed: bool


class ConnectionParts:
    """One connection, after its handshake."""

    def __init__(self, quic: QuicConnection) -> None:
        self._quic: Any = quic
        self._space: Any = self._quic._spaces[Epoch.ONE_RTT]  # noqa: SLF001
        self._pair: Any = self._quic._cryptos[Epoch.ONE_RTT]  # noqa: SLF001

    def forget_handshake(self) -> None:
        """Free what a server needs for the handshake only, which is over: most of what it keeps.

        What comes late for it meets no keys, as in aioquic itself.
        """
        quic, now = self._quic, Epoch.ONE_RTT
        quic.tls = _OVER
        quic._crypto_buffers = {}  # noqa: SLF001
        quic._crypto_streams = {now: quic._crypto_streams[now]}  # noqa: SLF001
        quic._cryptos_initial = dict.fromkeys(quic._cryptos_initial, _NO_KEYS)  # noqa: SLF001
        quic._cryptos = dict.fromkeys(Epoch, _NO_KEYS) | {now: self._pair}  # noqa: SLF001
        quic._spaces = dict.fromkeys(quic._spaces, _NO_SPACE) | {now: self._space}  # noqa: SLF001
        quic._loss.spaces = [self._space]  # noqa: SLF001
        quic._QuicConnection__frame_handlers = _FrameHandlers(quic)  # noqa: SLF001
        for half in (self._pair.send, self._pair.recv):
            half._setup_cb = half._teardown_cb = NoCallback  # noqa: SLF001
        quic._events = _Short(quic._events)  # noqa: SLF001
        quic._datagrams_pending = _Short(quic._datagrams_pending)  # noqa: SLF001
        for path in quic._network_paths:  # noqa: SLF001
            path.remote_challenges = _Short(path.remote_challenges)

    # --- packet numbers ---

    @property
    def next_number(self) -> int:
        """The number of the packet that aioquic would send next."""
        return int(self._quic._packet_number)  # noqa: SLF001

    @next_number.setter
    def next_number(self, number: int) -> None:
        self._quic._packet_number = number  # noqa: SLF001

    @property
    def largest_acked(self) -> int:
        """The largest packet number that the peer has acknowledged to aioquic."""
        return int(self._space.largest_acked_packet)

    @property
    def tracked_from(self) -> int:
        """The lowest packet number that aioquic still waits for, or -1."""
        return next(iter(self._space.sent_packets), -1)

    def find_losses(self, now: float) -> None:
        """Have aioquic take for lost, and send again, what the peer has long passed over.

        It looks only when something of its own is newly acknowledged; the kernels' packets and
        their acknowledgements tell it that it may. What it finds leaves when it sends next, and
        no timer is set for that.
        """
        if 0 <= self.tracked_from <= self._space.largest_acked_packet - K_PACKET_THRESHOLD:
            self._quic._loss._detect_loss(now=now, space=self._space)  # noqa: SLF001

    def received_so_far(self) -> list[int]:
        """Return the numbers of packets that came before the kernels took over."""
        return sorted(self._space.received_packets._received)  # noqa: SLF001

    def raise_received(self, largest: int) -> None:
        """Tell aioquic how far the peer's packet numbers have come."""
        space = self._space
        space.expected_packet_number = max(space.expected_packet_number, largest + 1)
        space.largest_received_packet = max(space.largest_received_packet, largest)

    def take_acks(self) -> Acks:
        """Take over the duty to acknowledge what aioquic has received."""
        numbers = [number for each in self._space.ack_queue for number in each[-_RANGE_MAX:]]
        owed = self._space.ack_at is not None
        self._space.ack_queue = RangeSet()
        self._space.ack_at = None
        return Acks(numbers, owed)

    # --- the peer ---

    def is_usable(self) -> bool:
        """Tell whether packets may go past aioquic: the peer lives, and its path is proven."""
        paths = self._quic._network_paths  # noqa: SLF001
        return (
            self._quic._state not in END_STATES  # noqa: SLF001
            and self._quic._close_event is None  # noqa: SLF001
            and not self._quic._close_pending  # noqa: SLF001
            and bool(paths)
            and paths[0].is_validated
            and self._pair.send.cipher_suite == CipherSuite.AES_128_GCM_SHA256
        )

    def seen(self) -> Seen:
        """Return what is another one after each change that concerns the kernels."""
        quic = self._quic
        return Seen(
            quic._network_paths[0],  # noqa: SLF001
            quic._peer_cid,  # noqa: SLF001
            self._pair.send.aead,
            quic._host_cid_seq,  # noqa: SLF001
            len(quic._host_cids),  # noqa: SLF001
        )

    @property
    def address(self) -> tuple[Any, ...]:
        """Where the peer is."""
        return tuple(self._quic._network_paths[0].addr)  # noqa: SLF001

    @property
    def peer_cid(self) -> bytes:
        """The connection id that packets to the peer carry."""
        return bytes(self._quic._peer_cid.cid)  # noqa: SLF001

    @property
    def own_cids(self) -> frozenset[bytes]:
        """The connection ids that packets from the peer may carry."""
        return frozenset(bytes(each.cid) for each in self._quic._host_cids)  # noqa: SLF001

    @property
    def frame_max(self) -> int:
        """The longest DATAGRAM frame that the peer takes, type and length counted; 0 is none."""
        return int(self._quic._remote_max_datagram_frame_size or 0)  # noqa: SLF001

    @property
    def ack_delay_shift(self) -> int:
        """By how much the delays in the peer's acknowledgements are shifted."""
        return int(self._quic._remote_ack_delay_exponent)  # noqa: SLF001

    # --- keys ---

    def keys(self) -> Keys:
        """Derive key, nonce and header key for both directions."""
        send, receive = self._pair.send, self._pair.recv
        return Keys(_derive(send), _derive(receive), int(send.key_phase))

    def update_keys(self) -> None:
        """Begin the next key phase now (RFC 9001 section 6)."""
        self._pair._update_key("local_update")  # noqa: SLF001

    # --- time ---

    def keep_alive(self, heard_at: float, rtt_seconds: float) -> None:
        """Count what the kernels have heard, at *heard_at* of aioquic's clock, against idling."""
        quic = self._quic
        if quic._state not in END_STATES and quic._close_at is not None:  # noqa: SLF001
            quic._close_at = max(quic._close_at, heard_at + quic._idle_timeout())  # noqa: SLF001
        if rtt_seconds > 0:
            quic._loss._rtt_smoothed = rtt_seconds  # noqa: SLF001


def _derive(context: Any) -> tuple[bytes, bytes, bytes]:  # noqa: ANN401 - aioquic's CryptoContext
    return derive_key_iv_hp(
        cipher_suite=context.cipher_suite, secret=context.secret, version=context.version
    )


# --- what stands in for parts of aioquic once the handshake is over ---


class _HandshakeOver:
    """Stands in for TLS: a client has nothing more to say there (RFC 9001 section 4.1.3)."""

    def handle_message(self, *_: object) -> NoReturn:
        raise AlertUnexpectedMessage


_OVER: Final = _HandshakeOver()
_NO_KEYS: Final = CryptoPair()
_NO_SPACE: Final = QuicPacketSpace()
_NO_SPACE.discarded = True

_Handler = Callable[[Any, Any, int, Any], None]


class _FrameHandlers:
    """Who handles which frames; one table for all, where aioquic makes one of 16 KiB for each."""

    __slots__ = ("_quic",)

    _shared: Final[dict[int, tuple[_Handler, frozenset[Epoch]]]] = {}

    def __init__(self, quic: Any) -> None:  # noqa: ANN401
        self._quic = quic
        if not self._shared:
            own = quic._QuicConnection__frame_handlers  # noqa: SLF001
            for kind, (bound, epochs) in own.items():
                self._shared[kind] = (bound.__func__, epochs)

    def __getitem__(self, kind: int) -> tuple[Callable[..., None], frozenset[Epoch]]:
        handler, epochs = self._shared[kind]
        return MethodType(handler, self._quic), epochs


class _Short(list[Any]):
    """A queue that is almost always empty: a deque would take 700 bytes for that."""

    __slots__ = ()

    def popleft(self) -> Any:  # noqa: ANN401
        return self.pop(0)
