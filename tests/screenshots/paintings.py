"""Pictures that people of the screenshots have and send, painted here: they are nobody's."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

_ICON = 128


def png(image: Image.Image) -> bytes:
    """Return *image* as a file."""
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def shade(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    """Return a picture that goes from one colour to another, from corner to corner."""
    width, height = size
    across = np.linspace(0, 1, width)[None, :] + np.linspace(0, 1, height)[:, None]
    mask = Image.fromarray((across * 127).astype(np.uint8))
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), mask)


def face(top: str, bottom: str) -> bytes:
    """Return somebody's picture: head and shoulders against the light."""
    image = shade((_ICON, _ICON), top, bottom)
    pen = ImageDraw.Draw(image)
    pen.ellipse((40, 26, 88, 76), fill="#14181f")
    pen.ellipse((16, 82, 112, 190), fill="#14181f")
    return png(image)


def emblem(top: str, bottom: str, corners: int) -> bytes:
    """Return the icon of a server: a polygon on a shade."""
    image = shade((_ICON, _ICON), top, bottom)
    middle = _ICON / 2
    ImageDraw.Draw(image).regular_polygon((middle, middle, 40), corners, fill="#ffffff")
    return png(image)


def landscape() -> bytes:
    """Return a valley at dusk, as a game would draw it."""
    size = (880, 420)
    image = shade(size, "#2b1f5c", "#f08a5d")
    pen = ImageDraw.Draw(image)
    pen.ellipse((610, 90, 730, 210), fill="#ffd9a0")
    random = np.random.default_rng(4)
    for depth, color in enumerate(("#4a2f6b", "#33234f", "#1d1633", "#100d1f")):
        base = 210 + 55 * depth
        steps = np.cumsum(random.normal(0, 7, size[0] // 8 + 2))
        ridge = [(8 * n, base + float(step)) for n, step in enumerate(steps - steps.mean())]
        pen.polygon([(0, size[1]), *ridge, (size[0], size[1])], fill=color)
    return png(image.filter(ImageFilter.GaussianBlur(0.6)))


def sticker(color: str) -> bytes:
    """Return an emoji of a server: a drop with eyes."""
    image = Image.new("RGBA", (_ICON, _ICON))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((12, 12, 116, 116), 52, fill=color)
    for left in (38, 72):
        pen.ellipse((left, 46, left + 18, 70), fill="#14181f")
    pen.arc((42, 62, 86, 96), 20, 160, fill="#14181f", width=6)
    return png(image)
