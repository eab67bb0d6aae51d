"""A screen that is worth sharing, for the bench: text scrolls, a window moves, a number counts.

``python -m tests.load.video_screen DISPLAY SECONDS FILE`` draws it thirty times a second and
writes down when each picture was to be seen (seconds of the monotonic clock, by number).
"""

import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from Xlib import display

from libs.video.tests.display import put
from sidetone.video import Pixels, Size
from sidetone.video.test_card import BLOCK_PIXELS, NUMBER_BITS, draw_number

SIZE = Size(1280, 720)
DRAWN_A_SECOND = 30
PAGE_HEIGHT = 2400
WINDOW = Size(420, 280)
# Three pixels a picture are ninety a second: somebody reads while they scroll.
SCROLL, MOVE, TOP = 3, 5, 240


def page() -> Pixels:
    """Return a long page of prose and of code, as a browser would draw it."""
    words = Path(__file__).read_text().split()
    image = Image.new("RGB", (SIZE.width, PAGE_HEIGHT), (252, 252, 250))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    random = np.random.default_rng(7)
    for line, top in enumerate(range(8, PAGE_HEIGHT - 24, 22)):
        if line % 9 == 8:
            continue
        text = " ".join(random.choice(words, 16 if line % 9 < 6 else 7))[:140]
        pen.text((40 + 30 * (line % 9 >= 6), top), text, (30, 32, 40), font)
    return bgrx(image)


def window() -> Pixels:
    """Return a small window with a title, a smooth picture and some text."""
    across = np.linspace(0, 1, WINDOW.width)[None, :, None]
    down = np.linspace(0, 1, WINDOW.height)[:, None, None]
    colours = (np.array([230, 120, 40]) * across + np.array([20, 90, 200]) * down) / 1.3
    image = Image.fromarray(colours.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, WINDOW.width - 1, 28), (60, 64, 72))
    pen.text((12, 6), "A window that moves", (240, 240, 240), ImageFont.load_default(15))
    pen.rectangle((0, 0, WINDOW.width - 1, WINDOW.height - 1), outline=(20, 20, 20))
    return bgrx(image)


def bgrx(image: Image.Image) -> Pixels:
    """Return an image in the order of bytes that X has."""
    rgb = np.asarray(image.convert("RGB"))
    return np.dstack([rgb[:, :, ::-1], np.zeros(rgb.shape[:2], np.uint8)])


def places(number: int) -> tuple[int, int]:
    """Return how far the page is scrolled, and where the window's left edge is."""
    return number * SCROLL % (PAGE_HEIGHT - SIZE.height), number * MOVE % (
        SIZE.width - WINDOW.width
    )


def scene(number: int, text: Pixels, over: Pixels) -> Pixels:
    """Return what is to be seen at *number*."""
    scrolled, left = places(number)
    pixels = text[scrolled : scrolled + SIZE.height].copy()
    pixels[TOP : TOP + WINDOW.height, left : left + WINDOW.width] = over
    draw_number(pixels, number)
    return pixels


def draw(name: str, seconds: float) -> list[float]:
    """Draw until the time is over; returns when each picture was there."""
    server = display.Display(name)
    screen = server.screen()
    shown = screen.root.create_window(0, 0, *SIZE, 0, screen.root_depth, override_redirect=True)
    shown.map()
    context = shown.create_gc(graphics_exposures=False)
    sheets = [page(), window()]
    text, over, back = (
        shown.create_pixmap(width, height, 24)
        for width, height in ((SIZE.width, PAGE_HEIGHT), WINDOW, SIZE)
    )
    for pixmap, sheet in zip((text, over), sheets, strict=True):
        put(pixmap, context, sheet)
    strip = np.zeros((BLOCK_PIXELS, NUMBER_BITS * BLOCK_PIXELS, 4), np.uint8)
    drawn: list[float] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        scrolled, left = places(len(drawn))
        back.copy_area(context, text, 0, scrolled, *SIZE, 0, 0)
        back.copy_area(context, over, 0, 0, *WINDOW, left, TOP)
        draw_number(strip, len(drawn))
        put(back, context, strip)
        # One request, so that nobody sees half a picture.
        shown.copy_area(context, back, 0, 0, *SIZE, 0, 0)
        server.sync()
        drawn.append(time.monotonic())
        time.sleep(max(0.0, began + len(drawn) / DRAWN_A_SECOND - time.monotonic()))
    return drawn


if __name__ == "__main__":
    np.save(sys.argv[3], np.array(draw(sys.argv[1], float(sys.argv[2]))))
