"""From one speaker to the listeners: who gets a frame, and packets made of what waits for each.

Frames that meet in one batch share a packet to each listener, as DATAGRAM frames of their own
(RFC 9221): what a packet costs, its key, its header and its way through the system, is paid once.
"""

from typing import Final

from sidetone.e2ee.frames import DATAGRAM_LENGTH_MAX, FRAME_LENGTH_MIN
from sidetone.e2ee.schedule import MediaKind
from sidetone.native import Record, kernel, signature
from sidetone.native.functions import prefetch as fetch
from sidetone.quic import aead, batches, outgoing, sent
from sidetone.quic.aead import CIPHER
from sidetone.quic.batches import BATCH, Batch
from sidetone.quic.connections import BUSY, OFF, ON, SENT_MAX
from sidetone.quic.notices import tell
from sidetone.quic.outgoing import AROUND_BYTES_MAX, FRAME_HEAD_BYTES_MAX, FRAMES_BYTES_MAX
from sidetone.quic.wire import Bytes, copy
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.infrastructure.fastpath import rates, words
from sidetone.voice_sfu.infrastructure.fastpath.media import (
    DETOUR,
    FLOOD,
    FRAME,
    FRAMES_MAX,
    HELD_MAX,
    MEDIA,
    Media,
)
from sidetone.voice_sfu.infrastructure.fastpath.rows import FRAMES_MAX as BUNDLE_FRAMES_MAX
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW

REASONS: Final = tuple(Drop)
"""Why frames go nowhere, by their numbers in `rows.COUNTS`."""

_SIZE: Final = REASONS.index(Drop.SIZE)
_FORMAT: Final = REASONS.index(Drop.FORMAT)
_KIND: Final = REASONS.index(Drop.KIND)
_SENDER: Final = REASONS.index(Drop.SENDER)
_SILENCED: Final = REASONS.index(Drop.SILENCED)
_RATE: Final = REASONS.index(Drop.RATE)
_QUEUE: Final = REASONS.index(Drop.QUEUE)

_PASSED: Final = -1
_VERSION: Final = 1
_AUDIO: Final = int(MediaKind.AUDIO)
_VIDEO: Final = int(MediaKind.VIDEO)
_DATA: Final = int(MediaKind.DATA)


# --- from frames that wait to a packet ---


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "int64"))
def emit(media: Media, batch: Batch, cipher: Record, index: int, now_ns: int) -> None:
    """Make one packet of what waits for a row, with what it is owed as acknowledgement.

    The batch has room for it.
    """
    row = media.rows[index]
    connection = row.connection
    head, at = outgoing.begin(connection, batch, now_ns)
    for k in range(row.frames_waiting):
        frame = media.frames[row.frames[k]]
        at = outgoing.put_datagram(connection.peer, batch, at, frame.text, frame.length)
    carries = row.frames_waiting > 0
    outgoing.finish(connection, batch, cipher, head, at, carries, now_ns)
    if carries:
        rates.excuse(row)
    row.frames_waiting = row.frames_bytes = 0


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "int64"))
def _emit_with_room(media: Media, batch: Batch, cipher: Record, index: int, now_ns: int) -> None:
    if not batches.has_room(batch):
        batches.send(batch, media.words[words.SOCKET])
    emit(media, batch, cipher, index, now_ns)


@kernel(signature("void", MEDIA, "int64"))
def _prefetch(media: Media, index: int) -> None:
    """Have fetched what `emit` will touch of a row: it was last used a frame ago, if at all."""
    row = media.rows[index]
    aead.prefetch(row.connection.peer.seals, row.connection.peer.masks)
    fetch(row.connection.sent.ctypes.data + 8 * (row.connection.next_number % SENT_MAX))


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64"))
def flush(media: Media, batch: Batch, cipher: Record, now_ns: int) -> None:
    """Make packets of everything that waits, and send them."""
    count = media.words[words.TOUCHED]
    for k in range(count):
        if k + 1 < count:
            _prefetch(media, media.touched[k + 1])
        index = media.touched[k]
        row = media.rows[index]
        if row.frames_waiting > 0 and row.connection.state == ON:
            _emit_with_room(media, batch, cipher, index, now_ns)
        row.frames_waiting = row.frames_bytes = 0
    media.words[words.TOUCHED] = 0
    media.words[words.FRAMES] = 0
    batches.send(batch, media.words[words.SOCKET])


# --- from a frame to those who hear it ---


@kernel(signature("void", MEDIA, ROW, "int64", "int64"))
def _hold(media: Media, row: Record, index: int, slot: int) -> None:
    """Keep a frame until aioquic has sent what it has to send to this row."""
    place = media.words[words.HELD]
    if place == HELD_MAX:
        row.counts.drops[_QUEUE] += 1
        return
    held = media.held[place]
    frame = media.frames[slot]
    held.row = index
    held.length = frame.length
    copy(held.text, 0, frame.text, 0, frame.length)
    media.words[words.HELD] = place + 1


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "int64", "int64"))
def pass_on(
    media: Media, batch: Batch, cipher: Record, index: int, slot: int, now_ns: int
) -> None:
    """Put a frame with what waits for one listener, or count why not."""
    row = media.rows[index]
    if row.connection.state == BUSY:
        _hold(media, row, index, slot)
        return
    frame = media.frames[slot]
    if row.connection.state == OFF:
        tell(media.notices, DETOUR, index, frame.text, 0, frame.length)
        return
    need = frame.length + row.connection.peer.prefix_length + FRAME_HEAD_BYTES_MAX
    if need > row.connection.peer.frame_max:
        row.counts.drops[_SIZE] += 1
        return
    if row.frames_waiting == BUNDLE_FRAMES_MAX or row.frames_bytes + need > FRAMES_BYTES_MAX:
        _emit_with_room(media, batch, cipher, index, now_ns)
    if not sent.may_send(row.connection, row.frames_bytes + need + AROUND_BYTES_MAX, now_ns):
        row.counts.drops[_QUEUE] += 1
        return
    if row.frames_waiting == 0:
        media.touched[media.words[words.TOUCHED]] = index
        media.words[words.TOUCHED] += 1
    row.frames[row.frames_waiting] = slot
    row.frames_waiting += 1
    row.frames_bytes += need


@kernel(signature("int64", MEDIA, BATCH, CIPHER, "uint8[::1]", "int64", "int64", "int64"))
def take_frame(  # noqa: PLR0913, PLR0917 - the thread's state, and where the frame stands
    media: Media, batch: Batch, cipher: Record, data: Bytes, start: int, length: int, now_ns: int
) -> int:
    """Copy a frame to where it waits for listeners; returns its place."""
    if (
        media.words[words.FRAMES] == FRAMES_MAX
        or media.words[words.TOUCHED] * 2 > media.touched.size
    ):
        flush(media, batch, cipher, now_ns)
    slot = media.words[words.FRAMES]
    media.words[words.FRAMES] = slot + 1
    frame = media.frames[slot]
    frame.length = length
    copy(frame.text, 0, data, start, length)
    return slot


@kernel(signature("int64", ROW, "uint8[::1]", "int64", "int64"))
def _refusal(row: Record, data: Bytes, start: int, length: int) -> int:
    """Return why nobody may hear this frame, in the order of `Room.route`, or that they may."""
    if not FRAME_LENGTH_MIN <= length <= DATAGRAM_LENGTH_MAX:
        return _SIZE
    kind = data[start] >> 4 & 3
    if data[start] >> 6 != _VERSION or kind > _DATA:
        return _FORMAT
    if data[start + 2] << 8 | data[start + 3] != row.sender:
        return _SENDER
    if kind == _VIDEO:
        return _KIND
    if kind == _AUDIO and not row.speaks:
        return _SILENCED
    return _PASSED


@kernel(signature("void", MEDIA, BATCH, CIPHER, "int64", "uint8[::1]", "int64", "int64", "int64"))
def forward(  # noqa: PLR0913, PLR0917 - the thread's state, whose frame, and where it stands
    media: Media,
    batch: Batch,
    cipher: Record,
    index: int,
    data: Bytes,
    start: int,
    end: int,
    now_ns: int,
) -> None:
    """Let everybody hear the frame that stands in *data* who is to, or count why nobody does."""
    row = media.rows[index]
    start += row.connection.peer.prefix_length
    length = end - start
    verdict = rates.take(row, media.rates, max(length, 0), now_ns)
    if verdict != rates.PASS:
        row.counts.drops[_RATE] += 1
        if verdict == rates.CLOSE and not row.flooded:
            row.flooded = 1
            tell(media.notices, FLOOD, index, data, 0, 0)
        return
    refusal = _refusal(row, data, start, length)
    if refusal != _PASSED:
        row.counts.drops[refusal] += 1
        return
    if media.words[words.EVIDENCE]:
        tell(media.notices, FRAME, index, data, start, length)
    is_audio = data[start] >> 4 & 3 == _AUDIO
    slot = take_frame(media, batch, cipher, data, start, length, now_ns)
    members = media.rooms[row.room]
    listeners = 0
    for k in range(1, members[0] + 1):
        other = members[k]
        if other != index and (media.rows[other].hears or not is_audio):
            pass_on(media, batch, cipher, other, slot, now_ns)
            listeners += 1
    counts = row.counts
    counts.frames_in += 1
    counts.bytes_in += length
    counts.frames_out += listeners
    counts.bytes_out += length * listeners
