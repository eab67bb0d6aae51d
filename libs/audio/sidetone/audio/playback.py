"""From sealed frames to the loudspeaker: the loop of the playing thread, in one kernel.

Every 5 ms: what has arrived is opened and goes to its speaker's jitter buffer; each speaker's next
hop is turned to its volume and place and mixed; the mix is limited and written. Nothing here takes
the interpreter lock or allocates. Others write control words into PLAYBACK and gains into a table,
and read counters.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples
from sidetone.audio.codec import packet_samples
from sidetone.audio.dsp import amplify, mix, soft_limit
from sidetone.audio.jitter import JITTER, pull, push, reset
from sidetone.audio.rings import (
    FRAME_SLOT,
    HOP_SLOT,
    PACKET_SLOT,
    PUT,
    Words,
    has_room,
    put_hop,
    put_one,
    take_frame,
    take_hop,
)
from sidetone.audio.streams import STREAM, write_hop
from sidetone.e2ee.audio_frames import CHAIN, FRAME_BYTES_MAX, JOB, WAITS
from sidetone.e2ee.audio_keys import BEGUN, EPOCH, open_any, sweep_openers
from sidetone.e2ee.frames import HEADER_LENGTH
from sidetone.native import Record, Records, kernel, layout, parts, signature
from sidetone.native.atomics import load
from sidetone.native.clock import now_ns

SPEAKERS_MAX: Final = 64
SENDERS: Final = 65_536
HELD_MAX: Final = 32
STOPPED: Final = 0

_HELD_NS: Final = 500_000_000
_FREE_AFTER_NS: Final = 2_000_000_000
_OWN_HOPS: Final = 2
_BUSY_SHARE: Final = 0.01
_REFUSALS: Final = 16
_HALF: Final = np.float32(0.5)
_MAY_WAIT: Final = True
_FINAL: Final = False

PLAYBACK: Final = layout(
    # Control words.
    deafened=np.int64,
    output_volume=np.float64,
    own_volume=np.float64,
    taps=np.int64,
    copies_packets=np.int64,
    # Gains that glide.
    output_before=np.float64,
    own_before=np.float64,
    # Buffers.
    hop=(np.float32, (HOP_SAMPLES,)),
    left=(np.float32, (HOP_SAMPLES,)),
    right=(np.float32, (HOP_SAMPLES,)),
    centre=(np.float32, (HOP_SAMPLES,)),
    # Frames that wait for the commit of their epoch.
    begun=np.int64,
    held=np.int64,
    held_ns=(np.int64, (HELD_MAX,)),
    held_length=(np.int64, (HELD_MAX,)),
    held_frames=(np.uint8, (HELD_MAX, FRAME_BYTES_MAX)),
    # Counters.
    hops=np.int64,
    opened=np.int64,
    first_opened_ns=np.int64,
    held_lost=np.int64,
    crowded_out=np.int64,
    refused=(np.int64, (_REFUSALS,)),
    busy_ns=np.float64,
)
"""*refused* counts by the refusal's number without its sign; see ``audio_frames.REFUSALS``."""

SPEAKER: Final = layout(
    active=np.int64,
    sender=np.int64,
    received=np.int64,
    ended=np.int64,
    heard_ns=np.int64,
    left_before=np.float64,
    right_before=np.float64,
)


class PlaybackParts(NamedTuple):
    """Everything that the playing thread works with.

    *gains* are two for each of the 65,536 senders, left and right; *forgets* holds a 1 for those
    who have left; *places* is the row of each sender among the speakers, -1 for none.
    """

    playback: Record
    speakers: Records
    jitters: Records
    decoders: NDArray[np.uint8]
    gains: Samples
    forgets: NDArray[np.uint8]
    places: NDArray[np.int16]
    epochs: Records
    openers: Records
    key_words: Words
    job: Record
    arrived: Records
    arrived_words: Words
    own: Records
    own_words: Words
    far: Records
    far_words: Words
    tapped: Records
    tapped_words: Words
    packets: Records
    packet_words: Words
    words: Words


PLAYBACK_PARTS: Final = parts(
    PlaybackParts,
    playback=PLAYBACK,
    speakers=[SPEAKER],
    jitters=[JITTER],
    decoders="uint8[:,::1]",
    gains="float32[::1]",
    forgets="uint8[::1]",
    places="int16[::1]",
    epochs=[EPOCH],
    openers=[CHAIN],
    key_words="int64[::1]",
    job=JOB,
    arrived=[FRAME_SLOT],
    arrived_words="int64[::1]",
    own=[HOP_SLOT],
    own_words="int64[::1]",
    far=[HOP_SLOT],
    far_words="int64[::1]",
    tapped=[HOP_SLOT],
    tapped_words="int64[::1]",
    packets=[PACKET_SLOT],
    packet_words="int64[::1]",
    words="int64[::1]",
)


@kernel(signature("int64", PLAYBACK_PARTS, "int64"))
def _row_of(parts: PlaybackParts, sender: int) -> int:
    """Find a speaker's row, or give a free one; -1 when 64 others are being heard."""
    row: int = parts.places[sender]
    if row >= 0:
        return row
    for free in range(SPEAKERS_MAX):
        if parts.speakers[free].active == 0:
            speaker = parts.speakers[free]
            speaker.active, speaker.sender, speaker.ended = 1, sender, 0
            speaker.received = 0
            speaker.left_before = parts.gains[2 * sender]
            speaker.right_before = parts.gains[2 * sender + 1]
            reset(parts.jitters[free], parts.decoders[free].ctypes.data)
            parts.places[sender] = free
            return free
    return -1


@kernel(signature("void", PLAYBACK_PARTS, "int64"))
def _free(parts: PlaybackParts, row: int) -> None:
    parts.places[parts.speakers[row].sender] = -1
    parts.speakers[row].active = 0


@kernel(signature("int64", JOB))
def _counter(job: Record) -> int:
    counter = 0
    for byte in range(4):
        counter = counter << 8 | int(job.frame[4 + byte])
    return counter


@kernel(signature("void", PLAYBACK_PARTS, "int64", "int64", "int64"))
def _keep_packet(parts: PlaybackParts, sender: int, length: int, arrival_ns: int) -> None:
    """Leave a copy of an opened packet for a recording, if one is made."""
    if parts.playback.copies_packets == 0 or not has_room(parts.packet_words, parts.packets.size):
        return
    job = parts.job
    slot = parts.packets[parts.packet_words[PUT] % parts.packets.size]
    slot.at_ns, slot.sender, slot.epoch = arrival_ns, sender, job.epoch
    slot.counter = _counter(job)
    slot.end = (job.frame[0] >> 3) & 1
    slot.samples = packet_samples(job.frame.ctypes.data + HEADER_LENGTH, length, SAMPLE_RATE)
    slot.length = length
    for at in range(length):
        slot.opus[at] = job.frame[HEADER_LENGTH + at]
    put_one(parts.packet_words)


@kernel(signature("void", PLAYBACK_PARTS, "int64", "int64"))
def _deliver(parts: PlaybackParts, length: int, arrival_ns: int) -> None:
    """Give a frame that opened to its speaker's jitter buffer."""
    job = parts.job
    sender = int(job.frame[2]) << 8 | int(job.frame[3])
    if parts.playback.first_opened_ns == 0:
        parts.playback.first_opened_ns = now_ns()
    parts.playback.opened += 1
    _keep_packet(parts, sender, length, arrival_ns)
    row = _row_of(parts, sender)
    if row < 0:
        parts.playback.crowded_out += 1
        return
    speaker = parts.speakers[row]
    end = job.frame[0] & 8 != 0
    speaker.heard_ns = arrival_ns
    speaker.received += 1
    speaker.ended = 1 if end else 0
    packet = job.frame[HEADER_LENGTH : HEADER_LENGTH + length]
    push(parts.jitters[row], packet, job.epoch, _counter(job), end, arrival_ns)


@kernel(signature("void", PLAYBACK_PARTS, "int64"))
def _hold(parts: PlaybackParts, arrival_ns: int) -> None:
    """Keep a frame for the commit that seems to be on its way; the 33rd is lost."""
    p, job = parts.playback, parts.job
    if p.held >= HELD_MAX:
        p.held_lost += 1
        return
    p.held_ns[p.held] = arrival_ns
    p.held_length[p.held] = job.length
    for at in range(job.length):
        p.held_frames[p.held, at] = job.frame[at]
    p.held += 1


@kernel(signature("void", PLAYBACK_PARTS, "int64", "boolean"))
def take_in(parts: PlaybackParts, arrival_ns: int, may_wait: bool) -> None:  # noqa: FBT001
    """Open the job's frame and pass it on, hold it, or count why not."""
    length = open_any(parts.epochs, parts.openers, parts.key_words, parts.job)
    if length >= 0:
        _deliver(parts, length, arrival_ns)
    elif length != WAITS:
        parts.playback.refused[min(-length, _REFUSALS - 1)] += 1
    elif may_wait:
        _hold(parts, arrival_ns)
    else:
        parts.playback.held_lost += 1


@kernel(signature("void", PLAYBACK_PARTS, "int64"))
def _retry_held(parts: PlaybackParts, now: int) -> None:
    """Open what was held once its epoch has begun; what has waited for 500 ms is lost."""
    p = parts.playback
    begun = load(parts.key_words, BEGUN)
    if p.held == 0 or begun == p.begun:
        p.begun = begun
        return
    p.begun = begun
    for at in range(p.held):
        if now - p.held_ns[at] > _HELD_NS:
            p.held_lost += 1
            continue
        parts.job.length = p.held_length[at]
        for byte in range(parts.job.length):
            parts.job.frame[byte] = p.held_frames[at, byte]
        take_in(parts, p.held_ns[at], _FINAL)
    p.held = 0


@kernel(signature("void", PLAYBACK_PARTS, "int64", "float32[::1]"))
def _mix_in(parts: PlaybackParts, row: int, hop: Samples) -> None:
    """Add a speaker's hop to both sides, with gains that glide from those of the hop before."""
    speaker = parts.speakers[row]
    left = np.float64(parts.gains[2 * speaker.sender])
    right = np.float64(parts.gains[2 * speaker.sender + 1])
    mix(parts.playback.left, hop, speaker.left_before, left)
    mix(parts.playback.right, hop, speaker.right_before, right)
    speaker.left_before, speaker.right_before = left, right


@kernel(signature("void", PLAYBACK_PARTS, "int64"))
def _play_speakers(parts: PlaybackParts, now: int) -> None:
    """Mix the next hop of all who speak; free who was silent for 2 s or has left."""
    hop = parts.playback.hop
    for row in range(SPEAKERS_MAX):
        speaker = parts.speakers[row]
        if speaker.active == 0:
            continue
        if now - speaker.heard_ns > _FREE_AFTER_NS or parts.forgets[speaker.sender] != 0:
            parts.forgets[speaker.sender] = 0
            _free(parts, row)
            continue
        sounds = pull(parts.jitters[row], hop, now)
        if parts.playback.taps != 0:
            put_hop(parts.tapped, parts.tapped_words, hop, speaker.sender, now)
        if sounds:
            _mix_in(parts, row, hop)


@kernel(signature("void", PLAYBACK_PARTS))
def _finish(parts: PlaybackParts) -> None:
    """Add our own voice where we hear ourselves, set the output's volume, and limit."""
    p = parts.playback
    take_hop(parts.own, parts.own_words, p.hop, _OWN_HOPS)
    if p.own_volume != 0.0 or p.own_before != 0.0:
        mix(p.left, p.hop, p.own_before, p.own_volume)
        mix(p.right, p.hop, p.own_before, p.own_volume)
        p.own_before = p.own_volume
    output = 0.0 if p.deafened != 0 else p.output_volume
    amplify(p.left, p.output_before, output)
    amplify(p.right, p.output_before, output)
    p.output_before = output
    soft_limit(p.left)
    soft_limit(p.right)


@kernel(signature("void", PLAYBACK_PARTS, "int64"))
def play_hop(parts: PlaybackParts, now: int) -> None:
    """Make the hop that is due at *now*: afterwards it stands in ``left`` and ``right``."""
    p = parts.playback
    sweep_openers(parts.epochs, parts.openers, parts.key_words)
    _retry_held(parts, now)
    for _ in range(parts.arrived.size):
        arrival_ns = take_frame(parts.arrived, parts.arrived_words, parts.job)
        if arrival_ns < 0:
            break
        take_in(parts, arrival_ns, _MAY_WAIT)
    for at in range(HOP_SAMPLES):
        p.left[at] = p.right[at] = 0.0
    _play_speakers(parts, now)
    _finish(parts)
    for at in range(HOP_SAMPLES):
        p.centre[at] = _HALF * (p.left[at] + p.right[at])
    put_hop(parts.far, parts.far_words, p.centre, -1, now)
    p.hops += 1


@kernel(signature("int64", PLAYBACK_PARTS, STREAM, "int64"), release=True)
def run_playback(parts: PlaybackParts, stream: Record, generation: int) -> int:
    """Play to *stream* while the first word is *generation*; returns why it came back.

    That is STOPPED, or a negative number: the device has failed.
    """
    p = parts.playback
    while load(parts.words, 0) == generation:
        begun_ns = now_ns()
        play_hop(parts, begun_ns)
        p.busy_ns += (now_ns() - begun_ns - p.busy_ns) * _BUSY_SHARE
        heard_ns = write_hop(stream, p.left, p.right)
        if heard_ns < 0:
            return heard_ns
    return STOPPED
