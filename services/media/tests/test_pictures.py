"""Pictures are made anew: what one sees stays, everything else goes; bombs hurt nobody."""

import asyncio
import io
import random
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator

import pytest
from PIL import Image, ImageCms

from services.media.tests.stage import Stage, opened, picture, problem
from sidetone.media.domain.bounds import Bounds
from sidetone.media.infrastructure.child_jobs import Limits
from sidetone.media.infrastructure.workshop import Workshop
from sidetone.protocol.files import FilePurpose
from sidetone.protocol.refusals import Invalid, Unavailable

SECRET = b"taken at 52.5200 N 13.4050 E"
FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]


def exif_with(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    return exif


def frames(count: int, size: tuple[int, int] = (50, 50)) -> list[Image.Image]:
    return [Image.new("L", size, 255 * (number % 2)) for number in range(count)]


def animation(picture_format: str, count: int, size: tuple[int, int] = (50, 50)) -> bytes:
    output = io.BytesIO()
    first, *others = frames(count, size)
    first.save(output, picture_format, save_all=True, append_images=others, duration=80, loop=0)
    return output.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """Return a small file that would be *width* times *height* grey pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(min(width * height, 10_000_000)), 9)
    magic = b"\x89PNG\r\n\x1a\n"
    return magic + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


async def one(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize("picture_format", FORMATS)
async def test_a_picture_keeps_its_format_and_its_size(
    embedded: Stage, picture_format: str
) -> None:
    ada = embedded.user()
    media_type = f"image/{picture_format.lower()}"
    file = await ada.upload(picture(picture_format, (600, 400)), media_type)
    assert (file.media_type, file.width, file.height) == (media_type, 600, 400)
    answer = await ada.read(file.id)
    assert answer.headers["content-type"] == media_type
    assert len(answer.content) == file.size_bytes
    image = opened(answer.content)
    assert (image.format, image.size) == (picture_format, (600, 400))
    preview = await ada.read(file.id, "/preview")
    assert preview.headers["content-type"] == "image/webp"
    assert opened(preview.content).size == (400, 267)


@pytest.mark.parametrize("picture_format", ["JPEG", "PNG", "WEBP"])
async def test_where_and_how_it_was_taken_is_dropped_and_up_is_up(
    embedded: Stage, picture_format: str
) -> None:
    ada = embedded.user()
    content = picture(picture_format, (60, 40), exif=exif_with(6))
    assert SECRET in content
    file = await ada.upload(content, f"image/{picture_format.lower()}")
    assert (file.width, file.height) == (40, 60)
    for part in ("", "/preview"):
        made = (await ada.read(file.id, part)).content
        assert SECRET not in made
        assert dict(opened(made).getexif()) == {}


@pytest.mark.parametrize(
    ("picture_format", "options"),
    [
        ("JPEG", {"comment": SECRET}),
        ("GIF", {"comment": SECRET}),
        ("WEBP", {"xmp": SECRET}),
        ("PNG", {"icc_profile": SECRET}),
    ],
)
async def test_comments_and_profiles_are_dropped(
    embedded: Stage, picture_format: str, options: dict[str, bytes]
) -> None:
    ada = embedded.user()
    content = picture(picture_format, **options)
    file = await ada.upload(content, f"image/{picture_format.lower()}")
    answer = await ada.read(file.id)
    assert SECRET not in answer.content
    assert not {"comment", "xmp", "icc_profile"} & set(opened(answer.content).info)


async def test_the_colours_of_a_profile_become_those_of_the_web(embedded: Stage) -> None:
    # A profile under which every colour is a little off from sRGB's.
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ada = embedded.user()
    file = await ada.upload(picture("PNG", icc_profile=lab), "image/png")
    made = opened((await ada.read(file.id)).content)
    assert "icc_profile" not in made.info
    assert abs(made.getpixel((30, 20))[0] - opened(picture("PNG")).getpixel((30, 20))[0]) <= 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
async def test_every_kind_of_pixel_is_read(embedded: Stage, mode: str) -> None:
    ada = embedded.user()
    output = io.BytesIO()
    Image.new(mode, (20, 10)).save(output, "PNG")
    file = await ada.upload(output.getvalue(), "image/png")
    assert (file.width, file.height) == (20, 10)


async def test_what_is_transparent_stays_so(embedded: Stage) -> None:
    ada = embedded.user()
    output = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(output, "PNG")
    file = await ada.upload(output.getvalue(), "image/png", "emoji")
    for part in ("", "/preview"):
        made = opened((await ada.read(file.id, part)).content)
        assert made.convert("RGBA").getpixel((5, 5))[3] == 0


@pytest.mark.parametrize(("purpose", "side"), [("avatar", 512), ("icon", 256), ("emoji", 128)])
async def test_what_everybody_sees_is_made_small(
    embedded: Stage, purpose: FilePurpose, side: int
) -> None:
    ada = embedded.user()
    file = await ada.upload(picture("PNG", (2000, 1000)), "image/png", purpose)
    assert (file.width, file.height) == (side, side // 2)


@pytest.mark.parametrize("picture_format", ["GIF", "WEBP"])
async def test_what_moves_still_moves(embedded: Stage, picture_format: str) -> None:
    ada = embedded.user()
    content = animation(picture_format, 12, (300, 300))
    file = await ada.upload(content, f"image/{picture_format.lower()}", "emoji")
    made = opened((await ada.read(file.id)).content)
    assert (made.n_frames, made.size, made.info["loop"]) == (12, (128, 128), 0)
    made.seek(3)
    made.load()
    assert made.info["duration"] == 80
    assert opened((await ada.read(file.id, "/preview")).content).size == (128, 128)


class TestWhatIsNoPicture:
    @pytest.mark.parametrize(
        "content",
        [
            b"<html><script>alert(1)</script></html>",
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
            b"%PDF-1.7 and so on",
            b"plain words",
            b"\x00" * 100,
        ],
    )
    async def test_a_lie_about_the_type_makes_it_bytes_for_download(
        self, embedded: Stage, content: bytes
    ) -> None:
        ada = embedded.user()
        for claimed in ("image/png", "image/svg+xml", "text/html", "application/xhtml+xml"):
            file = await ada.upload(content, claimed, name="picture.png")
            answer = await ada.read(file.id)
            assert answer.content == content
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]

    @pytest.mark.parametrize("purpose", ["avatar", "icon", "emoji"])
    async def test_what_everybody_sees_must_be_a_picture(
        self, embedded: Stage, purpose: FilePurpose
    ) -> None:
        ada = embedded.user()
        for content in (b"<svg/>", picture("BMP"), picture("TIFF")):
            answer = await ada.bring(content, "image/png", purpose)
            assert problem(answer) == (422, "picture_expected")

    async def test_a_picture_under_a_wrong_name_is_still_made_anew(self, embedded: Stage) -> None:
        ada = embedded.user()
        content = picture("JPEG", exif=exif_with(1))
        file = await ada.upload(content, "image/png")
        assert file.media_type == "image/jpeg"
        assert SECRET not in (await ada.read(file.id)).content

    async def test_a_second_file_behind_a_picture_is_left_behind(self, embedded: Stage) -> None:
        ada = embedded.user()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("evil.html", "<script>alert(1)</script>")
        script = b"/*<script>alert(document.domain)</script>*/"
        for first in FORMATS:
            content = picture(first) + script + archive.getvalue()
            file = await ada.upload(content, f"image/{first.lower()}")
            made = (await ada.read(file.id)).content
            assert b"script" not in made
            assert b"PK\x03\x04" not in made

    @pytest.mark.parametrize("picture_format", FORMATS)
    async def test_a_broken_picture_is_refused(self, embedded: Stage, picture_format: str) -> None:
        ada = embedded.user()
        whole = picture(picture_format, (300, 300))
        answer = await ada.bring(whole[: len(whole) // 3], f"image/{picture_format.lower()}")
        assert problem(answer) == (422, "picture_unreadable")


class TestBombs:
    async def test_too_many_pixels_are_refused_before_they_are_decoded(
        self, embedded: Stage
    ) -> None:
        ada = embedded.user()
        bomb = huge_png(30_000, 30_000)
        assert len(bomb) < 100_000
        for purpose in ("avatar", "attachment"):
            answer = await ada.bring(bomb, "image/png", purpose)
            assert problem(answer) == (422, "picture_too_large")
        assert await embedded.files.under("quarantine/", 10) == []

    async def test_too_many_frames_are_refused(self, embedded: Stage) -> None:
        ada = embedded.user()
        answer = await ada.bring(animation("GIF", 401, (2, 2)), "image/gif", "emoji")
        assert problem(answer) == (422, "picture_too_large")
        assert (await ada.bring(animation("GIF", 400, (2, 2)), "image/gif", "emoji")).is_success

    async def test_too_many_pixels_in_all_frames_are_refused(self) -> None:
        bounds = Bounds(side_px=100, pixels_max=50 * 50 * 9)
        with pytest.raises(Invalid) as refused:
            await Workshop().paint(one(animation("GIF", 10)), "GIF", bounds)
        assert refused.value.code == "picture_too_large"

    async def test_a_picture_that_takes_too_much_memory_hurts_nobody(self) -> None:
        workshop = Workshop(Limits(memory_bytes=150_000_000))
        big = picture("PNG", (5000, 5000))
        with pytest.raises(Invalid) as refused:
            await workshop.paint(one(big), "PNG", Bounds(side_px=9000))
        assert refused.value.code == "picture_unreadable"
        assert (await workshop.paint(one(picture()), "PNG", Bounds(100))).width == 60

    async def test_a_picture_that_takes_too_much_time_is_given_up(self) -> None:
        workshop = Workshop(Limits(cpu_seconds=1))
        slow = picture("WEBP", (5000, 5000), method=0)
        with pytest.raises(Invalid) as refused:
            await workshop.paint(one(slow), "WEBP", Bounds(side_px=16000))
        assert refused.value.code == "picture_unreadable"

    async def test_a_picture_that_never_ends_is_given_up(self) -> None:
        async def endless() -> AsyncIterator[bytes]:
            yield picture()[:50]
            await asyncio.Event().wait()

        workshop = Workshop(Limits(cpu_seconds=1), at_once=1)
        with pytest.raises(Invalid):
            await workshop.paint(endless(), "PNG", Bounds(100))
        assert (await workshop.paint(one(picture()), "PNG", Bounds(100))).width == 60

    async def test_too_many_pictures_at_once_are_told_to_wait(self) -> None:
        workshop = Workshop(at_once=1, waiting_max=2)
        made = await asyncio.gather(
            *(workshop.paint(one(b"x"), "PNG", Bounds(100)) for _ in range(5)),
            return_exceptions=True,
        )
        assert [type(failure) for failure in made] == [Invalid] * 3 + [Unavailable] * 2

    async def test_a_store_that_fails_while_a_picture_is_read_is_told(self) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield picture()[:50]
            raise Unavailable("files_unavailable", "away")

        with pytest.raises(Unavailable):
            await Workshop().paint(broken(), "PNG", Bounds(100))


@pytest.mark.parametrize("picture_format", FORMATS)
async def test_bits_flipped_at_random_never_hurt(picture_format: str) -> None:
    workshop = Workshop()
    whole = picture(picture_format, (64, 64))
    chance = random.Random(7)
    for _ in range(12):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(10, len(whole))] ^= 1 << chance.randrange(8)
        try:
            made = await workshop.paint(one(bytes(damaged)), picture_format, Bounds(side_px=128))
        except Invalid:
            continue
        assert opened(made.content).width <= 128
