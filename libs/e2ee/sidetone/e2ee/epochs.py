"""The epochs whose media we can send or open, and the switch from one to the next.

A sender goes over 300 ms after it processed a commit, receivers keep the last epochs for 2 s, and
frames that overtake their commit are held for it. Time comes in as milliseconds. Never tries a
second key: a frame of an unknown epoch or sender is refused.
"""

from collections import deque
from typing import Final

from sidetone.e2ee.aead import FrameKeyMaker
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.frames import Header, parse_header
from sidetone.e2ee.group import Group
from sidetone.e2ee.media import Chain, Opened, Opener, Sealer, Stamp
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind

SWITCH_MS: Final = 300
KEEP_MS: Final = 2_000
SEND_AGE_MS_MAX: Final = 20 * 60_000
EPOCHS_MAX: Final = 8
HELD_MAX: Final = 32
HELD_MS: Final = 500
PADDING_BLOCK: Final = 32
_PADDING_MARK: Final = b"\x80"


class EpochMedia:
    """One epoch's chains, with the sealers and openers made from them on first use."""

    def __init__(self, group: Group, began_ms: int, make_key: FrameKeyMaker) -> None:
        self.number = group.epoch
        self.began_ms = began_ms
        self.ends_ms: int | None = None
        self._sender = group.own.package.sender
        self._chains = {slot: Chain(chain) for slot, chain in group.secrets.chains.items()}
        self._make_key = make_key
        self._sealers: dict[MediaKind, Sealer] = {}
        self._openers: dict[tuple[int, int], Opener] = {}

    def sealer(self, kind: MediaKind) -> Sealer:
        """Our own sending side of a kind; one counter for the epoch's whole life."""
        if kind not in self._sealers:
            chain = self._chains[self._sender, kind.value]
            stamp = Stamp(kind, self.number, self._sender)
            self._sealers[kind] = Sealer(chain, stamp, self._make_key)
        return self._sealers[kind]

    def open(self, header: Header, frame: bytes) -> bytes:
        """Open a frame of this epoch; ours, thrown back at us, is nobody's."""
        slot = (header.sender, header.kind.value)
        opener = self._openers.get(slot)
        if opener is None:
            if header.sender == self._sender:
                raise _not_in_group(header.sender)
            opener = Opener(self.chain(*slot), header.kind, self._make_key)
            self._openers[slot] = opener
        return opener.open(header.counter, frame)

    def give_away(self, kind: MediaKind) -> dict[int, bytes]:
        """Hand out the chains of a kind, by sender, that are all still at their beginning."""
        slots = [slot for slot in self._chains if slot[1] == kind]
        return {slot[0]: self._chains.pop(slot).start() for slot in slots}

    def chain(self, sender: int, kind: int) -> Chain:
        """Find the chain of a sender and kind; raises ``Rejected`` with `frame_unknown`."""
        chain = self._chains.get((sender, kind))
        if chain is None:
            raise _not_in_group(sender)
        return chain


class Epochs:
    """All epochs of one call that still matter, and the frames that wait for the next.

    With *audio* the chains of audio go there, to the threads that seal and open with them, and
    nothing here can seal or open audio: a counter has one owner.
    """

    def __init__(self, make_key: FrameKeyMaker, audio: AudioKeys | None = None) -> None:
        self._make_key = make_key
        self._audio = audio
        self._epochs: dict[int, EpochMedia] = {}
        self._newest: EpochMedia | None = None
        self._held: deque[tuple[int, Header, bytes]] = deque(maxlen=HELD_MAX)
        self.padded = False

    def begin(self, group: Group, now_ms: int) -> list[Opened]:
        """Take up a new epoch; returns the held frames that it opens, in order of arrival."""
        if self._newest:
            self._newest.ends_ms = now_ms + KEEP_MS
        self.retire(now_ms)
        while len(self._epochs) >= EPOCHS_MAX:
            self._drop(next(iter(self._epochs)))
        self._newest = EpochMedia(group, now_ms, self._make_key)
        self._epochs[group.epoch & 255] = self._newest
        if self._audio is not None:
            self._audio.begin(
                group.epoch,
                group.own.package.sender,
                self._newest.give_away(MediaKind.AUDIO),
                pads=self.padded,
                seals_ms=range(now_ms + SWITCH_MS, now_ms + SEND_AGE_MS_MAX),
            )
        return self._open_held(now_ms)

    def forget(self) -> None:
        """Drop every key and every held frame: the call is over for us."""
        self._epochs.clear()
        self._held.clear()
        self._newest = None
        if self._audio is not None:
            self._audio.forget()

    def retire(self, now_ms: int) -> None:
        """Drop the keys of epochs whose time is over."""
        over = [
            byte
            for byte, epoch in self._epochs.items()
            if epoch.ends_ms is not None and epoch.ends_ms <= now_ms
        ]
        for byte in over:
            self._drop(byte)

    def timer(self) -> int | None:
        """Say when `retire` has something to drop."""
        ends = (epoch.ends_ms for epoch in self._epochs.values() if epoch.ends_ms is not None)
        return min(ends, default=None)

    def sends_at_ms(self) -> int | None:
        """Say when the first epoch may be, or could have been, sent with; None without one."""
        oldest = next(iter(self._epochs.values()), None)
        return None if oldest is None else oldest.began_ms + SWITCH_MS

    def seal(self, kind: MediaKind, payload: bytes, now_ms: int, low: int, *, end: bool) -> bytes:
        """Seal with the newest epoch that everybody has had time to reach.

        Raises ``Rejected`` with `no_epoch`, `epoch_stale` or what `Sealer.seal` refuses.
        """
        epoch = self._sending(now_ms)
        if self.padded:
            payload = pad(payload)
        return epoch.sealer(kind).seal(payload, low, end=end)

    def open(self, frame: bytes, now_ms: int) -> Opened | None:
        """Open a frame; None when it is held because its commit seems to be on the way.

        Raises ``Rejected`` with a `frame_...` code.
        """
        header = parse_header(frame)
        if header is None:
            raise Rejected("frame_header", "This is not a VX1 frame of a permitted size.")
        epoch = self._epochs.get(header.epoch)
        if epoch is None and self._newest and header.epoch == (self._newest.number + 1) & 255:
            self._held.append((now_ms, header, frame))
            return None
        if epoch is None or (epoch.ends_ms is not None and epoch.ends_ms <= now_ms):
            raise Rejected("frame_unknown", f"No key for epoch {header.epoch} (modulo 256).")
        return self._opened(epoch, header, frame)

    def frame_key(self, sender: int, kind: MediaKind, generation: int) -> bytes:
        """Derive what a sender's frames of the newest epoch open with, 48 bytes: for proofs.

        Raises ``Rejected`` with `frame_unknown` or `key_erased`.
        """
        if self._newest is None:
            raise _not_in_group(sender)
        if self._audio is not None and kind is MediaKind.AUDIO:
            return Chain(*self._audio.chain(sender)).frame_key(generation)
        return self._newest.chain(sender, kind.value).frame_key(generation)

    def _drop(self, byte: int) -> None:
        epoch = self._epochs.pop(byte)
        if self._audio is not None:
            self._audio.retire(epoch.number)

    def _sending(self, now_ms: int) -> EpochMedia:
        ready = [epoch for epoch in self._epochs.values() if epoch.began_ms + SWITCH_MS <= now_ms]
        if not ready:
            raise Rejected("no_epoch", "No epoch to send with yet; drop the packet.")
        epoch = ready[-1]
        if now_ms - epoch.began_ms > SEND_AGE_MS_MAX:
            raise Rejected("epoch_stale", "The epoch is too old to send with.")
        return epoch

    def _opened(self, epoch: EpochMedia, header: Header, frame: bytes) -> Opened:
        payload = epoch.open(header, frame)
        if self.padded:
            payload = unpad(payload)
        return Opened(
            header.sender,
            header.counter,
            payload,
            header.kind,
            header.end,
            header.low,
            epoch.number,
        )

    def _open_held(self, now_ms: int) -> list[Opened]:
        held, opened = list(self._held), list[Opened]()
        self._held.clear()
        for arrived_ms, header, frame in held:
            epoch = self._epochs.get(header.epoch)
            if epoch is None or arrived_ms + HELD_MS <= now_ms:
                continue
            try:
                opened.append(self._opened(epoch, header, frame))
            except Rejected:
                continue
        return opened


def _not_in_group(sender: int) -> Rejected:
    return Rejected("frame_unknown", f"Sender {sender} is not in the group.")


def pad(payload: bytes) -> bytes:
    """Pad to a multiple of 32 bytes as `sodium_pad` does (ISO/IEC 7816-4)."""
    length = (len(payload) // PADDING_BLOCK + 1) * PADDING_BLOCK
    return (payload + _PADDING_MARK).ljust(length, b"\0")


def unpad(padded: bytes) -> bytes:
    """Take the padding off; raises ``Rejected`` with `frame_padding` where there is none."""
    payload = padded.rstrip(b"\0")
    if not payload.endswith(_PADDING_MARK):
        raise Rejected("frame_padding", "The sender did not pad as the channel asks.")
    return payload[:-1]
