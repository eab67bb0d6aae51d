import numpy as np
import pytest

from libs.video.tests.judging import jpeg_luma, luma_of, psnr_db
from sidetone.video import Size, VideoError
from sidetone.video.decoder import JpegWriter, Vp8Decoder, keyframe_size
from sidetone.video.encoded import Encoded
from sidetone.video.encoder import Vp8Encoder
from sidetone.video.quality import Quality
from sidetone.video.test_card import TestCardCapture, draw_number, read_number

SIZE = Size(640, 360)
QUALITY = Quality(SIZE, 15, 2_000_000)


class Film:
    """A card that moves evenly, whatever the clock says, and its encoder."""

    def __init__(self, quality: Quality = QUALITY) -> None:
        card = TestCardCapture(SIZE, moves=True).grab()
        self._card = card
        self._number = 0
        self.pixels = card
        self.encoder = Vp8Encoder(SIZE, quality)

    def shoot(self, *, keyframe: bool = False) -> Encoded:
        self.pixels = np.roll(self._card, -6 * self._number, axis=0)
        draw_number(self.pixels, self._number)
        self._number += 1
        return self.encoder.encode(self.pixels, self._number / 15, keyframe=keyframe)


def test_what_is_decoded_is_what_was_shown() -> None:
    film, decoder, writer = Film(), Vp8Decoder(), JpegWriter()
    for number in range(20):
        frame = decoder.decode(film.shoot().data)
        assert frame is not None
        luma = jpeg_luma(writer.write(frame, SIZE)[0])
        assert read_number(luma) == number
    assert psnr_db(luma, luma_of(film.pixels)) > 28


def test_keyframes_come_when_they_are_asked_for_and_else_only_first() -> None:
    film = Film()
    kinds = [film.shoot(keyframe=number in {7, 8}).keyframe for number in range(20)]
    assert [number for number, keyframe in enumerate(kinds) if keyframe] == [0, 7, 8]


def test_the_header_says_what_is_a_keyframe_and_its_size() -> None:
    film = Film()
    assert keyframe_size(film.shoot().data) == SIZE
    assert keyframe_size(film.shoot().data) is None
    assert keyframe_size(b"") is None


def test_the_rate_changes_at_once_and_without_a_keyframe() -> None:
    film = Film(Quality(SIZE, 15, 1_200_000))

    def rate(frames: int) -> float:
        taken = [film.shoot() for _ in range(frames)]
        assert not any(frame.keyframe for frame in taken)
        return sum(len(frame.data) for frame in taken[frames // 3 :]) * 8 * 15 / (frames * 2 / 3)

    film.shoot()
    high = rate(60)
    film.encoder.set_rate(300_000)
    low = rate(60)
    film.encoder.set_rate(1_200_000)
    again = rate(60)
    assert low < 0.5 * high
    assert again > 1.5 * low


def test_decoding_begins_at_a_keyframe_and_anew_after_a_gap() -> None:
    film, decoder = Film(), Vp8Decoder()
    first, second, third = film.shoot(), film.shoot(), film.shoot(keyframe=True)
    with pytest.raises(VideoError, match="missing"):
        decoder.decode(second.data)
    assert decoder.decode(first.data) is not None
    with pytest.raises(VideoError, match="missing"):
        decoder.decode(b"")
    with pytest.raises(VideoError, match="missing"):
        decoder.decode(second.data)
    assert decoder.decode(third.data) is not None


@pytest.mark.parametrize("garbage", [b"\x00", bytes(50), b"\x10\x02\x00\x9d\x01\x2a" + bytes(4)])
def test_garbage_is_refused(garbage: bytes) -> None:
    decoder = Vp8Decoder()
    decoder.decode(Film().shoot().data)
    with pytest.raises(VideoError):
        decoder.decode(garbage)


def test_a_picture_that_would_take_all_memory_is_not_decoded() -> None:
    data = bytearray(Film().shoot().data)
    data[6:10] = b"\xff\x3f\xff\x3f"
    with pytest.raises(VideoError, match="16383 x 16383 is too large"):
        Vp8Decoder().decode(bytes(data))


def test_a_picture_is_no_larger_than_where_it_is_shown() -> None:
    frame = Vp8Decoder().decode(Film().shoot().data)
    assert frame is not None
    writer = JpegWriter()
    small, size = writer.write(frame, Size(320, 999))
    large, whole = writer.write(frame, Size(4000, 4000))
    assert (size, whole) == (Size(320, 180), SIZE)
    assert (jpeg_luma(small).shape, jpeg_luma(large).shape) == ((180, 320), (360, 640))


def test_a_number_can_be_read_back() -> None:
    pixels = TestCardCapture(SIZE, moves=False).grab()
    for number in (0, 1, 4711, 2**24 - 1):
        draw_number(pixels, number)
        assert read_number(luma_of(pixels).astype(np.uint8)) == number
