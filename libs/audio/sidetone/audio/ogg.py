"""Opus in Ogg (RFC 7845 in RFC 3533): packets into a file that players play, untouched.

One logical stream, mono, 48 kHz, no decoding and no encoding. The file is complete up to its last
page at every moment, and a page holds at most a second: what a crash cuts off still plays.
"""

import contextlib
import struct
import zlib
from pathlib import Path
from typing import Final

from sidetone.audio import SAMPLE_RATE, AudioError
from sidetone.audio.opus_packets import STEP_SAMPLES, lost, packet_samples, silence

PRE_SKIP_SAMPLES: Final = 312
"""What libopus' encoder is behind its input: a player leaves it out, so that times are true."""

_PAGE_SAMPLES_MAX: Final = SAMPLE_RATE
_SEGMENTS_MAX: Final = 255
_LACING: Final = 255
_TAIL_SAMPLES: Final = 480
_LOST_SAMPLES_MAX: Final = SAMPLE_RATE * 50 // 1000
"""Up to 50 ms missing within speech are for the decoder to make up, as in the call itself."""

_PAGE: Final = struct.Struct("<4sBBqIII")
_CRC_AT: Final = _PAGE.size - 4
_FIRST, _LAST = 2, 4
_HEAD: Final = struct.Struct("<8sBBHIhB")
_TEXT: Final = struct.Struct("<I")
_VENDOR: Final = b"sidetone"
_REVERSED_BITS: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ONES: Final = 0xFFFFFFFF


class OpusFile:
    """One file being written. Positions are samples at 48 kHz since the recording's beginning.

    Packets go in by ascending position; what lies between is filled with packets of silence, so
    that files begun together stay together. Raises ``AudioError`` when the disk does not take
    what is written; the file then ends there. Not for concurrent use.
    """

    def __init__(self, path: Path, serial: int, comments: dict[str, str]) -> None:
        self.end_samples = 0
        self._path = path
        self._serial = serial
        self._pages = 0
        self._waiting: list[bytes] = []
        self._segments = 0
        self._page_begins = 0
        self._last = b""
        try:
            self._file = path.open("xb")
        except OSError as error:
            raise _unwritable(path, error) from error
        head = _HEAD.pack(b"OpusHead", 1, 1, PRE_SKIP_SAMPLES, SAMPLE_RATE, 0, 0)
        self._page([head], 0, _FIRST)
        self._page([_tags(comments)], 0)

    def append(self, at_samples: int, packet: bytes) -> bool:
        """Write *packet* at this position, or right after the one before it.

        Returns False, and writes nothing, for what is no Opus packet.
        """
        samples = packet_samples(packet)
        if not samples:
            return False
        gap = at_samples - self.end_samples
        if self._last and 0 < gap <= _LOST_SAMPLES_MAX:
            self._put_all(lost(self._last, gap - gap % STEP_SAMPLES))
        else:
            self.fill(at_samples)
        self._put(packet, samples)
        self._last = packet
        return True

    def fill(self, until_samples: int) -> None:
        """Write silence up to this position, if the file does not reach there yet."""
        gap = until_samples - self.end_samples
        if gap >= STEP_SAMPLES:
            self._last = b""
            self._put_all(silence(gap - gap % STEP_SAMPLES))

    def close(self) -> None:
        """Write what waits, mark the end and close the file; a second time does nothing.

        A little silence after the last packet brings out what a decoder still holds of it; the
        last page's position has players leave the rest of that silence out.
        """
        if self._file.closed:
            return
        end_samples = self.end_samples
        try:
            self._put_all(silence(_TAIL_SAMPLES))
            self._page(self._waiting, end_samples + PRE_SKIP_SAMPLES, _LAST)
        finally:
            self._release()

    def _put_all(self, packets: list[bytes]) -> None:
        for packet in packets:
            self._put(packet, packet_samples(packet))

    def _put(self, packet: bytes, samples: int) -> None:
        if self._file.closed:
            return
        segments = len(packet) // _LACING + 1
        too_long = self.end_samples + samples - self._page_begins > _PAGE_SAMPLES_MAX
        if self._waiting and (too_long or self._segments + segments > _SEGMENTS_MAX):
            self._page(self._waiting, self.end_samples)
            self._waiting = []
            self._segments = 0
            self._page_begins = self.end_samples
        self._waiting.append(packet)
        self._segments += segments
        self.end_samples += samples

    def _page(self, packets: list[bytes], granule: int, flags: int = 0) -> None:
        """Write a page; *granule* is where it ends, in samples of the decoder, pre-skip too."""
        segments = _laced(packets)
        head = _PAGE.pack(b"OggS", 0, flags, granule, self._serial, self._pages, 0)
        page = b"".join((head, bytes((len(segments),)), segments, *packets))
        checked = page[:_CRC_AT] + checksum(page) + page[_CRC_AT + 4 :]
        self._pages += 1
        try:
            self._file.write(checked)
            self._file.flush()
        except OSError as error:
            self._release()
            raise _unwritable(self._path, error) from error

    def _release(self) -> None:
        # Closing tries to write what could not be written; that was told already.
        with contextlib.suppress(OSError):
            self._file.close()


def checksum(page: bytes) -> bytes:
    """Return a page's CRC as its four bytes: polynomial 0x04C11DB7, nothing inverted or mirrored.

    That is zlib's CRC of the page with the bits of every byte mirrored, mirrored back.
    """
    crc = zlib.crc32(page.translate(_REVERSED_BITS), _ONES) ^ _ONES
    return crc.to_bytes(4, "big").translate(_REVERSED_BITS)


def _tags(comments: dict[str, str]) -> bytes:
    texts = [f"{key}={value}".encode() for key, value in comments.items()]
    fields = b"".join(_TEXT.pack(len(text)) + text for text in texts)
    return b"".join(
        (b"OpusTags", _TEXT.pack(len(_VENDOR)), _VENDOR, _TEXT.pack(len(texts)), fields)
    )


def _laced(packets: list[bytes]) -> bytes:
    """Tell the packets' lengths: as many 255s as fit into each, and what is left."""
    return b"".join(
        bytes((_LACING,)) * (len(packet) // _LACING) + bytes((len(packet) % _LACING,))
        for packet in packets
    )


def _unwritable(path: Path, error: OSError) -> AudioError:
    return AudioError(
        f"cannot write {path}: {error.strerror}; choose a folder with room that you may write to"
    )
