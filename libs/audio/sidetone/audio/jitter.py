"""The jitter buffer of one speaker: packets in as they come, frames out as they are due.

Pure: time is an argument, nothing is read or started here. Everything that can arrive late, twice,
in disorder, never, or as garbage ends in a counter and in sound; nothing of it raises.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sidetone.audio import FRAME_MS, FRAME_SAMPLES, Frame
from sidetone.audio.codec import Decoder
from sidetone.audio.dsp import LAG_MAX, accelerate, expand
from sidetone.audio.epochs import Epochs
from sidetone.audio.lateness import Lateness

BACKLOG_FRAMES_MAX: Final = 24
"""Beyond this a stream is not late but elsewhere: 240 ms."""
PACKETS_MAX: Final = 64

_CONCEAL_FRAMES_MAX: Final = 5
_LATE_RUN_MAX: Final = 50
_STRETCH_AFTER_FRAMES: Final = 3
_SLACK_LONG_MS: Final = FRAME_MS + 1.0
_SLACK_SHORT_MS: Final = 5.0
_SAMPLES_PER_MS: Final = FRAME_SAMPLES // FRAME_MS
_SOUND_SAMPLES_MAX: Final = 3 * FRAME_SAMPLES + LAG_MAX
_FADE: Final = np.linspace(1, 0, FRAME_SAMPLES, dtype=np.float32)


@dataclass(slots=True)
class JitterStats:
    """What happened to one speaker's frames since they were first heard.

    *lost* were not there when due; of these *fec_recovered* were read from the copy in the next
    packet, and *late* came afterwards. *concealed* were invented. *duplicates* came before.
    *depth_ms* is the sound in store, *jitter_ms* the 95th percentile of lateness, *target_ms* the
    delay aimed at.
    """

    received: int = 0
    lost: int = 0
    fec_recovered: int = 0
    concealed: int = 0
    late: int = 0
    duplicates: int = 0
    stretched: int = 0
    resyncs: int = 0
    depth_ms: float = 0.0
    target_ms: float = 0.0
    jitter_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class _Waiting:
    opus: bytes
    end: bool


class JitterBuffer:
    """Play one speaker as early as the network allows, 10 to 80 ms after the earliest arrival.

    ``push`` takes packets in any order, ``pull`` is called every 10 ms. The delay follows the late
    tail of arrivals by stretching time, one pitch period at once, and not by dropping frames.
    """

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._lateness = Lateness()
        self._counts = JitterStats()
        self._sound = np.zeros(_SOUND_SAMPLES_MAX, np.float32)
        self._sound_samples = 0
        self._frame = np.zeros(FRAME_SAMPLES, np.float32)
        self._invented = 0
        self._wish = 0
        self._wish_frames = 0
        self._forget_places()

    def _forget_places(self) -> None:
        self._epochs = Epochs()
        self._packets: dict[int, _Waiting] = {}
        self._missed = deque[int](maxlen=PACKETS_MAX)
        self._next = -1
        self._spurt = -1
        self._end = -1
        self._playing = False
        self._late_run = 0

    @property
    def stats(self) -> JitterStats:
        """A snapshot of counters and delays."""
        return replace(
            self._counts,
            depth_ms=len(self._packets) * FRAME_MS + self._sound_samples / _SAMPLES_PER_MS,
            target_ms=self._lateness.target_ms,
            jitter_ms=self._lateness.tail_ms,
        )

    def push(self, counter: int, opus: bytes, *, end: bool, arrival_ms: float, epoch: int) -> None:
        """Take a packet that arrived at *arrival_ms*; *end* closes a talkspurt.

        At most 64 packets wait; beyond that the oldest is dropped: late voice is worth nothing.
        """
        self._counts.received += 1
        index = self._place(epoch, counter, arrival_ms)
        if index is None or index < self._next:
            self._refuse(index, arrival_ms)
            return
        if index in self._packets:
            self._counts.duplicates += 1
            return
        self._late_run = 0
        self._observe(index, arrival_ms)
        self._epochs.highest = max(self._epochs.highest, index)
        self._packets[index] = _Waiting(opus, end)
        if end:
            self._end = max(self._end, index)
        if len(self._packets) > PACKETS_MAX:
            del self._packets[min(self._packets)]

    def _place(self, epoch: int, counter: int, arrival_ms: float) -> int | None:
        if self._epochs.begins(epoch):
            self._epochs.begin(epoch, counter, self._missing(counter, arrival_ms))
        index = self._epochs.index(epoch, counter)
        later = self._epochs.start_after(epoch)
        if index is None or later is None or index < later:
            return index
        if later < self._next:
            return None
        # The last packets of an epoch were overtaken by the first of the next: make room.
        frames = index - later + 1
        self._epochs.shift_after(epoch, frames)
        self._packets = {
            (at + frames if at >= later else at): waiting for at, waiting in self._packets.items()
        }
        return index

    def _missing(self, counter: int, arrival_ms: float) -> int:
        """Guess how many frames at the end of the old epoch were lost, from the time that passed.

        The guess is low: what ordinary lateness explains does not count as loss.
        """
        if not self._playing or self._epochs.highest <= self._end:
            return 0
        transit_ms = arrival_ms - (self._epochs.highest + 1 + counter) * FRAME_MS
        late_ms = transit_ms - self._lateness.base_ms - self._lateness.tail_ms
        return min(max(int(late_ms / FRAME_MS), 0), _CONCEAL_FRAMES_MAX)

    def _refuse(self, index: int | None, arrival_ms: float) -> None:
        """Drop a packet whose time is over, but learn how late it was if it was missed.

        Half a second of nothing else is a new stream.
        """
        if index in self._missed:
            self._missed.remove(index)
            self._counts.late += 1
            self._lateness.observe(arrival_ms - index * FRAME_MS)
        else:
            self._counts.duplicates += 1
        self._late_run += 1
        if self._late_run >= _LATE_RUN_MAX:
            self._forget_places()
            self._counts.resyncs += 1

    def _observe(self, index: int, arrival_ms: float) -> None:
        """Learn from an arrival; the first after a pause or an end begins a talkspurt."""
        transit_ms = arrival_ms - index * FRAME_MS
        paused = not self._playing and not self._packets
        if paused or self._spurt <= self._end:
            self._lateness.restart(transit_ms)
            self._spurt = index
        else:
            self._lateness.observe(transit_ms)

    def pull(self, out: Frame, now_ms: float) -> bool:
        """Fill *out* with the 10 ms due at *now_ms*; False, and silence, between talkspurts."""
        if not self._playing and not self._sound_samples:
            self._begin(now_ms)
        self._resync()
        self._fill(FRAME_SAMPLES)
        self._stretch(now_ms)
        samples = min(self._sound_samples, FRAME_SAMPLES)
        out[:samples] = self._sound[:samples]
        out[samples:] = 0
        rest = self._sound_samples - samples
        self._sound[:rest] = self._sound[samples : self._sound_samples]
        self._sound_samples = rest
        return samples > 0

    def _begin(self, now_ms: float) -> None:
        """Start to play when the first packet in store has waited for the target delay."""
        first = min(self._packets, default=None)
        if first is None:
            return
        due_ms = self._lateness.base_ms + first * FRAME_MS + self._lateness.target_ms
        if now_ms >= due_ms:
            self._next = first
            self._playing = True
            self._invented = 0

    def _resync(self) -> None:
        """Jump to what is being said now when more than 240 ms have piled up."""
        newest = max(self._packets, default=self._next)
        if not self._playing or newest - self._next <= BACKLOG_FRAMES_MAX:
            return
        first = newest - int(self._lateness.target_ms / FRAME_MS)
        self._packets = {at: waiting for at, waiting in self._packets.items() if at >= first}
        self._next = min(self._packets)
        self._sound_samples = 0
        self._counts.resyncs += 1

    def _fill(self, samples: int) -> None:
        while self._playing and self._sound_samples < samples:
            self._decode_next()

    def _decode_next(self) -> None:
        """Add the next frame to the sound in store, whatever has become of its packet."""
        waiting = self._packets.pop(self._next, None)
        if waiting is not None:
            self._next += 1
            self._lateness.played(lost=False)
            self._playing = not waiting.end
            if self._decoder.decode(waiting.opus, self._frame):
                self._invented = 0
            else:
                self._invent()
        elif self._packets:
            self._missed.append(self._next)
            self._next += 1
            self._lateness.played(lost=True)
            self._counts.lost += 1
            self._recover()
        elif self._invented < _CONCEAL_FRAMES_MAX:
            # Nothing newer has come: the frame is late, not lost, and keeps its place.
            self._invent()
        else:
            self._playing = False
            return
        self._sound[self._sound_samples : self._sound_samples + FRAME_SAMPLES] = self._frame
        self._sound_samples += FRAME_SAMPLES

    def _recover(self) -> None:
        following = self._packets.get(self._next)
        if following is not None and self._decoder.decode_fec(following.opus, self._frame):
            self._counts.fec_recovered += 1
            self._invented = 0
        else:
            self._invent()

    def _invent(self) -> None:
        """Conceal up to 50 ms, fading at the end; silence after that."""
        self._counts.concealed += 1
        self._invented += 1
        if self._invented > _CONCEAL_FRAMES_MAX:
            self._frame[:] = 0
            return
        self._decoder.conceal(self._frame)
        if self._invented == _CONCEAL_FRAMES_MAX:
            self._frame *= _FADE

    def _stretch(self, now_ms: float) -> None:
        """Shorten or lengthen the sound in store when the delay has been off for 30 ms.

        The delay is compared with the target within a slack of one frame above, because frames are
        played in steps of 10 ms, and a little below. A single late tick is no reason.
        """
        wish = self._wished(now_ms)
        self._wish_frames = self._wish_frames + 1 if wish and wish == self._wish else 0
        self._wish = wish
        if self._wish_frames < _STRETCH_AFTER_FRAMES:
            return
        while self._sound_samples < 2 * FRAME_SAMPLES and self._playing and self._ready():
            self._decode_next()
        before = self._sound_samples
        if wish > 0:
            self._sound_samples = accelerate(self._sound, before, FRAME_SAMPLES)
        else:
            self._sound_samples = expand(self._sound, before)
        if self._sound_samples != before:
            self._counts.stretched += 1
            self._wish_frames = 0

    def _ready(self) -> bool:
        return self._next in self._packets

    def _wished(self, now_ms: float) -> int:
        """Return 1 to play faster, -1 to play slower, 0 to leave time alone."""
        if not self._playing or self._invented or self._next < self._spurt:
            return 0
        stored_ms = self._sound_samples / _SAMPLES_PER_MS
        delay_ms = now_ms - self._lateness.base_ms - self._next * FRAME_MS + stored_ms
        excess_ms = delay_ms - self._lateness.target_ms
        if excess_ms > _SLACK_LONG_MS:
            return 1
        return -1 if excess_ms < -_SLACK_SHORT_MS else 0
