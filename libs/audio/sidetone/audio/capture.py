"""From microphone to sealed frames: the loop of the capturing thread, in one kernel.

Every 5 ms a hop is read and processed; whole frames of 5, 10 or 20 ms are encoded, sealed and put
into a ring for the network. Nothing here takes the interpreter lock or allocates. Others write
control words into CAPTURE and read its counters; the codec's settings are applied by this thread,
between two frames, because an encoder has one user.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from sidetone.audio import HOP_NS, HOP_SAMPLES, SAMPLE_RATE, Samples
from sidetone.audio.codec import (
    SET_BITRATE,
    SET_COMPLEXITY,
    SET_DTX,
    SET_INBAND_FEC,
    SET_PACKET_LOSS_PERCENT,
    encode,
    set_encoder,
)
from sidetone.audio.processing import PROCESSING, process_hop
from sidetone.audio.rings import (
    FRAME_SLOT,
    HOP_SLOT,
    PACKET_SLOT,
    PUT,
    Words,
    has_room,
    put_frame,
    put_hop,
    put_one,
    take_hop,
)
from sidetone.audio.settings import Activation
from sidetone.audio.streams import STREAM, read_hop
from sidetone.audio.wake import wake
from sidetone.e2ee.audio_frames import CHAIN, JOB, PADDING_BLOCK
from sidetone.e2ee.audio_keys import EPOCH, seal_newest, sweep_sealers
from sidetone.e2ee.frames import DATAGRAM_LENGTH_MAX, FRAME_LENGTH_MIN, HEADER_LENGTH
from sidetone.native import Record, Records, kernel, layout, parts, signature
from sidetone.native.atomics import load
from sidetone.native.clock import now_ns
from sidetone.native.functions import floats_at

FRAME_SAMPLES_MAX: Final = 960
STOPPED: Final = 0
"""Why `run_capture` returned: a word asked for it. Below 0: the device has failed."""

LATENESS_BUCKETS: Final = 128
LATENESS_BUCKET_NS: Final = 250_000

_LOUDNESS_SHARE: Final = 1 / 40
_LOUDEST_DB: Final = -18.0
_LOUDNESS_STEP_DB: Final = 6.0
_BUSY_SHARE: Final = 0.01
_COMPLEXITY_MIN: Final = 2
_COMPLEXITY_EVERY_FRAMES: Final = 100
_BUSY_MANY: Final = 0.35
_BUSY_FEW: Final = 0.12
_DTX_BYTES: Final = 2
_FAR_HOPS: Final = 2
_GOES_ON: Final = False
_BY_VOICE: Final = int(Activation.VOICE)
# What a sealed frame, padded too, has room for.
_PACKET_BYTES_MAX: Final = DATAGRAM_LENGTH_MAX - FRAME_LENGTH_MIN - PADDING_BLOCK

CAPTURE: Final = layout(
    # Control words.
    sends=np.int64,
    frame_samples=np.int64,
    bitrate=np.int64,
    complexity_max=np.int64,
    loss_percent=np.int64,
    dtx=np.int64,
    withholds_loudness=np.int64,
    wake_fd=np.int64,
    encoder=np.uintp,
    clip=np.uintp,
    clip_samples=np.int64,
    clip_gain=np.float64,
    clip_serial=np.int64,
    copies_packets=np.int64,
    # What was applied of them.
    bitrate_set=np.int64,
    complexity=np.int64,
    loss_set=np.int64,
    dtx_set=np.int64,
    samples=np.int64,
    clip_playing=np.int64,
    clip_at=np.int64,
    # The frame that fills, and the one before.
    filled=np.int64,
    open_in_frame=np.int64,
    open_before=np.int64,
    kept=np.int64,
    talking=np.int64,
    frame=(np.float32, (FRAME_SAMPLES_MAX,)),
    before=(np.float32, (FRAME_SAMPLES_MAX,)),
    hop=(np.float32, (HOP_SAMPLES,)),
    far=(np.float32, (HOP_SAMPLES,)),
    frame_ns=np.int64,
    before_ns=np.int64,
    power=np.float64,
    # Counters.
    hops=np.int64,
    frames_sent=np.int64,
    frames_unsealed=np.int64,
    encode_failed=np.int64,
    frames_unsent=np.int64,
    refusal=np.int64,
    clips_played=np.int64,
    busy_ns=np.float64,
    lateness=(np.int64, (LATENESS_BUCKETS,)),
)
"""*lateness* counts hops by how much later than the clock said they came, in quarters of a
millisecond; of memory devices alone, since a card's clock is its own."""


class CaptureParts(NamedTuple):
    """Everything that the capturing thread works with."""

    capture: Record
    processing: Record
    epochs: Records
    sealers: Records
    key_words: Words
    job: Record
    sent: Records
    sent_words: Words
    own: Records
    own_words: Words
    far: Records
    far_words: Words
    packets: Records
    packet_words: Words
    words: Words


CAPTURE_PARTS: Final = parts(
    CaptureParts,
    capture=CAPTURE,
    processing=PROCESSING,
    epochs=[EPOCH],
    sealers=[CHAIN],
    key_words="int64[::1]",
    job=JOB,
    sent=[FRAME_SLOT],
    sent_words="int64[::1]",
    own=[HOP_SLOT],
    own_words="int64[::1]",
    far=[HOP_SLOT],
    far_words="int64[::1]",
    packets=[PACKET_SLOT],
    packet_words="int64[::1]",
    words="int64[::1]",
)


@kernel(signature("void", CAPTURE, "int64"))
def _set_complexity(c: Record, complexity: int) -> None:
    c.complexity = complexity
    set_encoder(c.encoder, SET_COMPLEXITY, complexity)


@kernel(signature("void", CAPTURE))
def apply_settings(c: Record) -> None:
    """Bring the encoder to what the control words ask for; called between two frames.

    In-band FEC is on while listeners report loss, since the copies that it puts into packets are
    taken from the quality of all others. The frame size changes here as well.
    """
    if c.bitrate != c.bitrate_set:
        c.bitrate_set = c.bitrate
        set_encoder(c.encoder, SET_BITRATE, c.bitrate)
    if c.loss_percent != c.loss_set:
        c.loss_set = c.loss_percent
        set_encoder(c.encoder, SET_INBAND_FEC, 1 if c.loss_percent > 0 else 0)
        set_encoder(c.encoder, SET_PACKET_LOSS_PERCENT, min(max(c.loss_percent, 0), 100))
    if c.dtx != c.dtx_set:
        c.dtx_set = c.dtx
        set_encoder(c.encoder, SET_DTX, c.dtx)
    if c.complexity == 0 or c.complexity > c.complexity_max:
        _set_complexity(c, c.complexity_max)
    samples = c.frame_samples
    c.samples = samples if samples in (240, 480, 960) else 480


@kernel(signature("void", CAPTURE))
def adapt_complexity(c: Record) -> None:
    """Spend less on the encoder where the processor is busy, and more where it is idle.

    A step a second at most: down while more than 35 % of the time goes into frames, up while less
    than 12 % does.
    """
    if c.frames_sent % _COMPLEXITY_EVERY_FRAMES != 0:
        return
    share = c.busy_ns / (HOP_SAMPLES * 1e9 / SAMPLE_RATE)
    wanted = c.complexity
    if share > _BUSY_MANY:
        wanted = max(c.complexity - 1, _COMPLEXITY_MIN)
    elif share < _BUSY_FEW:
        wanted = min(c.complexity + 1, c.complexity_max)
    if wanted != c.complexity:
        _set_complexity(c, wanted)


@kernel(signature("boolean", CAPTURE, "float32[::1]"))
def mix_clip(c: Record, x: Samples) -> bool:
    """Add the next 5 ms of the clip that was asked for last, if it is not over yet."""
    if c.clip_serial != c.clip_playing:
        c.clip_playing = c.clip_serial
        c.clip_at = 0
    rest = c.clip_samples - c.clip_at
    if c.clip == 0 or rest <= 0:
        return False
    clip = floats_at(c.clip, c.clip_samples)
    for at in range(min(rest, HOP_SAMPLES)):
        mixed = x[at] + clip[c.clip_at + at] * c.clip_gain
        x[at] = min(max(mixed, -1.0), 1.0)
    c.clip_at += HOP_SAMPLES
    if c.clip_at >= c.clip_samples:
        c.clips_played = c.clip_playing
    return True


@kernel(signature("int64", CAPTURE))
def _loudness(c: Record) -> int:
    """Tell loudness from 1 to 7 as an average over 200 ms; 0 where it is withheld."""
    if c.withholds_loudness != 0:
        return 0
    below_db = _LOUDEST_DB - 10 * math.log10(c.power + 1e-12)
    return min(max(7 - math.ceil(below_db / _LOUDNESS_STEP_DB), 1), 7)


@kernel(signature("void", CAPTURE_PARTS, "int64", "boolean"))
def _keep_packet(parts: CaptureParts, at_ns: int, end: bool) -> None:  # noqa: FBT001
    """Leave a copy of our own packet, still in the clear, for a recording."""
    if parts.capture.copies_packets == 0 or not has_room(parts.packet_words, parts.packets.size):
        return
    slot = parts.packets[parts.packet_words[PUT] % parts.packets.size]
    slot.at_ns, slot.sender, slot.epoch, slot.counter = at_ns, -1, 0, parts.capture.frames_sent
    slot.end = 1 if end else 0
    slot.samples = parts.capture.samples
    slot.length = parts.job.length
    for at in range(parts.job.length):
        slot.opus[at] = parts.job.frame[HEADER_LENGTH + at]
    put_one(parts.packet_words)


@kernel(signature("boolean", CAPTURE_PARTS, "float32[::1]", "int64", "boolean"))
def send(parts: CaptureParts, x: Samples, at_ns: int, end: bool) -> bool:  # noqa: FBT001
    """Encode and seal one frame that began at *at_ns*, and hand it to the network.

    False where Opus says that there is nothing in it (DTX): that ends a talkspurt, and is not sent
    where there is none.
    """
    c, job = parts.capture, parts.job
    text = job.frame.ctypes.data + HEADER_LENGTH
    size = encode(c.encoder, x.ctypes.data, np.int32(c.samples), text, np.int32(_PACKET_BYTES_MAX))
    if size <= 0:
        c.encode_failed += 1
        return False
    quiet = size <= _DTX_BYTES
    if quiet and c.talking == 0:
        return False
    over = end or quiet
    c.talking = 0 if over else 1
    job.length = size
    job.first = 0x40 | (8 if over else 0) | _loudness(c)
    job.now_ns = now_ns()
    _keep_packet(parts, at_ns, over)
    length = seal_newest(parts.epochs, parts.sealers, parts.key_words, job)
    if length < 0:
        c.frames_unsealed += 1
        c.refusal = length
    elif put_frame(parts.sent, parts.sent_words, job, length, at_ns):
        c.frames_sent += 1
        wake(c.wake_fd, parts.words)
        adapt_complexity(c)
    return not quiet


@kernel(signature("void", CAPTURE_PARTS))
def _keep_frame(parts: CaptureParts) -> None:
    """Keep a frame that was not sent: soft beginnings of words are sent when the gate opens.

    Where a voice opens the gate, that is: what was said while muted, or before a key was pressed,
    nobody gets to hear.
    """
    c = parts.capture
    if parts.processing.activation != _BY_VOICE or parts.processing.muted != 0:
        c.kept = 0
        return
    for at in range(c.samples):
        c.before[at] = c.frame[at]
    c.before_ns = c.frame_ns
    c.kept = c.samples


@kernel(signature("void", CAPTURE_PARTS))
def finish_frame(parts: CaptureParts) -> None:
    """Send the frame that is full, or keep it, as the gate was in it and in the one before.

    The frame before the first one of speech goes along; the one in which the gate closes ends the
    talkspurt. Opus' silence (DTX) ends one too, and its next sound begins another.
    """
    c = parts.capture
    opens = c.open_in_frame != 0 and c.sends != 0
    was_open = c.open_before != 0
    if c.open_in_frame != 0 and c.sends == 0:
        c.frames_unsent += 1
    if opens and not was_open and c.kept == c.samples:
        send(parts, c.before, c.before_ns, _GOES_ON)
    if opens or was_open:
        sounds = send(parts, c.frame, c.frame_ns, not opens)
        c.kept = 0
        c.open_before = 1 if opens and sounds else 0
    else:
        _keep_frame(parts)
        c.open_before = 0
    c.filled = c.open_in_frame = 0


@kernel(signature("void", CAPTURE_PARTS, "int64"))
def capture_hop(parts: CaptureParts, at_ns: int) -> None:
    """Take the hop that begins at *at_ns*, 240 samples in ``capture.hop``, through the chain."""
    c = parts.capture
    hop = c.hop
    take_hop(parts.far, parts.far_words, c.far, _FAR_HOPS)
    process_hop(parts.processing, hop, c.far)
    open_now = parts.processing.open
    if mix_clip(c, hop) and parts.processing.muted == 0:
        open_now = 1
    energy = 0.0
    for at in range(HOP_SAMPLES):
        energy += hop[at] * hop[at]
    c.power += (energy / HOP_SAMPLES - c.power) * _LOUDNESS_SHARE
    put_hop(parts.own, parts.own_words, hop, -1, at_ns)
    if c.filled == 0:
        apply_settings(c)
        c.frame_ns = at_ns
    for at in range(HOP_SAMPLES):
        c.frame[c.filled + at] = hop[at]
    c.filled += HOP_SAMPLES
    if open_now != 0:
        c.open_in_frame = 1
    if c.filled >= c.samples:
        finish_frame(parts)
    c.hops += 1


@kernel(signature("int64", CAPTURE_PARTS, STREAM, "int64"), release=True)
def run_capture(parts: CaptureParts, stream: Record, generation: int) -> int:
    """Capture from *stream* while the first word is *generation*; returns why it came back.

    That is STOPPED, or a negative number: the device has failed.
    """
    c = parts.capture
    while load(parts.words, 0) == generation:
        at_ns = read_hop(stream, c.hop)
        if at_ns < 0:
            return at_ns
        begun_ns = now_ns()
        late = max(begun_ns - at_ns - HOP_NS, 0) // LATENESS_BUCKET_NS
        c.lateness[min(late, LATENESS_BUCKETS - 1)] += 1
        sweep_sealers(parts.epochs, parts.sealers, parts.key_words)
        capture_hop(parts, at_ns)
        c.busy_ns += (now_ns() - begun_ns - c.busy_ns) * _BUSY_SHARE
    return STOPPED
