"""Pictures made anew: decoded, turned upright, resized, and encoded from the bare pixels.

Runs in a child process only. What does not belong to what one sees (where it was taken, comments,
profiles, a second file behind the first) has no way into the new one.
"""

import io
import warnings
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageCms, ImageOps, ImageSequence

from sidetone.media.domain.bounds import Bounds, Picture
from sidetone.media.infrastructure.child_jobs import Painted, Refused

_JPEG_QUALITY = 90
_WEBP_QUALITY = 88
_PREVIEW_QUALITY = 80
_FRAME_MS = 100
_MODES_WITHOUT_COLOUR = frozenset({"1", "L"})
_ANIMATED = frozenset({"GIF", "WEBP"})
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]

_TOO_LARGE = Refused(
    "picture_too_large", "this picture has too many pixels or frames; send a smaller one"
)


def painted(content: bytes, picture_format: str, bounds: Bounds) -> Painted:
    """Return *content*, a picture of *picture_format* such as ``PNG``, made anew within *bounds*.

    *content* is hostile. Whatever the decoder raises ends the process, and the parent takes that
    for a picture that cannot be read.
    """
    Image.MAX_IMAGE_PIXELS = bounds.frame_pixels_max
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(content), formats=(picture_format,)) as image:
            if _pixels(image) > bounds.frame_pixels_max:
                return Painted(refused=_TOO_LARGE)
            if picture_format in _ANIMATED and getattr(image, "is_animated", False):
                return _animated(image, picture_format, bounds)
            return Painted(_still(image, picture_format, bounds))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return Painted(refused=_TOO_LARGE)


def _still(image: Image.Image, picture_format: str, bounds: Bounds) -> Picture:
    whole = _fit(_bare(image), bounds.side_px)
    content = _encoded(whole, picture_format)
    return _picture(picture_format, content, whole, bounds)


def _animated(image: Image.Image, picture_format: str, bounds: Bounds) -> Painted:
    frames = int(getattr(image, "n_frames", 1))
    if frames > bounds.frames_max or frames * _pixels(image) > bounds.pixels_max:
        return Painted(refused=_TOO_LARGE)
    durations: list[int] = []

    def bare_frames() -> Iterator[Image.Image]:
        for frame in ImageSequence.Iterator(image):
            # WebP knows how long a frame lasts only when it is decoded.
            frame.load()
            durations.append(int(frame.info.get("duration") or _FRAME_MS))
            yield _fit(_bare(frame).convert("RGBA"), bounds.side_px)

    first, *others = bare_frames()
    options: dict[str, Any] = {"disposal": 2} if picture_format == "GIF" else {}
    if "loop" in image.info:
        options["loop"] = int(image.info["loop"])
    content = _encoded(
        first, picture_format, save_all=True, append_images=others, duration=durations, **options
    )
    return Painted(_picture(picture_format, content, first, bounds))


def _picture(picture_format: str, content: bytes, shown: Image.Image, bounds: Bounds) -> Picture:
    preview = _encoded(_fit(shown, bounds.preview_px), "WEBP", quality=_PREVIEW_QUALITY)
    media_type = f"image/{picture_format.lower()}"
    return Picture(media_type, content, shown.width, shown.height, preview)


def _bare(image: Image.Image) -> Image.Image:
    """Return the pixels alone: upright, in the colours of the web."""
    upright = ImageOps.exif_transpose(image)
    profile = upright.info.get("icc_profile")
    if upright.has_transparency_data:
        bare = upright.convert("RGBA")
    elif upright.mode in _MODES_WITHOUT_COLOUR:
        bare = upright.convert("L")
    else:
        bare = upright.convert("RGB")
    # Saving would carry comments, profiles and more from here into the new file.
    bare.info.clear()
    return _in_web_colours(bare, profile) if upright.mode in {"RGB", "RGBA"} else bare


def _in_web_colours(image: Image.Image, profile: object) -> Image.Image:
    if not isinstance(profile, bytes):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, _SRGB)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if converted is None:
        return image
    converted.info.clear()
    return converted


def _fit(image: Image.Image, side_px: int) -> Image.Image:
    """Return *image*, made smaller where a side is longer than *side_px*."""
    if max(image.size) <= side_px:
        return image
    smaller = image.copy()
    smaller.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return smaller


def _encoded(image: Image.Image, picture_format: str, **options: Any) -> bytes:  # noqa: ANN401 - each format has its own
    quality = {"JPEG": _JPEG_QUALITY, "WEBP": _WEBP_QUALITY}.get(picture_format)
    if quality is not None:
        options.setdefault("quality", quality)
    output = io.BytesIO()
    image.save(output, picture_format, **options)
    return output.getvalue()


def _pixels(image: Image.Image) -> int:
    return image.width * image.height
