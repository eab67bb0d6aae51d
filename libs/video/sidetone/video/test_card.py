"""A made-up screen whose every picture tells its number, so that a viewer can be measured.

It scrolls something like text and moves something like a window: what screens do.
"""

import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.video import Pixels, Size

# The number stands in the upper left corner: black and white blocks, the lowest bit first.
NUMBER_BITS: Final = 24
BLOCK_PIXELS: Final = 16
_BLACK, _WHITE, _GREY = 16, 235, 128
_LINE_PIXELS = 16
_SCROLLED_A_SECOND = 90
_MOVED_A_SECOND = 120
_PAGE_HEIGHT = 2048
# How much of a word is ink, and how much of a line is words.
_INK = 0.3
_WORDS = 0.6


def draw_number(pixels: Pixels, number: int) -> None:
    """Write *number* (modulo 2^24) into the corner, 384 x 16 pixels."""
    bits = number >> np.arange(NUMBER_BITS) & 1
    row = np.repeat(np.where(bits, _WHITE, _BLACK).astype(np.uint8), BLOCK_PIXELS)
    pixels[:BLOCK_PIXELS, : row.size, :3] = row[:, None]


def read_number(luma: NDArray[np.uint8]) -> int:
    """Read the number back from brightness of shape (height, width), of the size it was drawn in.

    Blocks are looked at in their middle, where coding has blurred least.
    """
    middle = slice(BLOCK_PIXELS // 4, BLOCK_PIXELS * 3 // 4)
    blocks = luma[middle, : NUMBER_BITS * BLOCK_PIXELS].reshape(-1, NUMBER_BITS, BLOCK_PIXELS)
    bright = blocks[:, :, middle].mean(axis=(0, 2)) > _GREY
    return int((bright * (1 << np.arange(NUMBER_BITS))).sum())


class TestCardCapture:
    """Draws the card anew for each picture; a card that does not move stays at number 0."""

    __test__ = False

    def __init__(self, size: Size, *, moves: bool) -> None:
        self._page = _page(size.width)
        self._window = _window(size)
        self._size = size
        self._moves = moves
        self._number = 0
        self._began = time.monotonic()

    def grab(self) -> Pixels:
        """Return the next picture."""
        width, height = self._size
        seconds = time.monotonic() - self._began if self._moves else 0.0
        top = int(seconds * _SCROLLED_A_SECOND) % _PAGE_HEIGHT
        pixels = np.take(self._page, np.arange(top, top + height) % _PAGE_HEIGHT, axis=0)
        high, wide = self._window.shape[:2]
        left = int(seconds * _MOVED_A_SECOND) % (width - wide)
        pixels[height // 3 : height // 3 + high, left : left + wide] = self._window
        draw_number(pixels, self._number)
        self._number += self._moves
        return pixels

    def close(self) -> None:
        """Do nothing: nothing is held."""


def _page(width: int) -> Pixels:
    """Return lines of short dark strokes on white, which cost an encoder what text does."""
    random = np.random.default_rng(1)
    page = np.full((_PAGE_HEIGHT, width, 4), 255, np.uint8)
    for top in range(0, _PAGE_HEIGHT, _LINE_PIXELS):
        strokes = random.random((10, width // 2)) < _INK
        words = np.repeat(random.random(width // 16 + 1) < _WORDS, 8)[: width // 2]
        ink = np.repeat(strokes & words, 2, axis=1)
        line = page[top : top + 10, : ink.shape[1], :3]
        line[ink] = (90, 40, 30)
    return page


def _window(size: Size) -> Pixels:
    """Return a coloured gradient with a dark frame, a quarter as wide and high as *size*."""
    width, height = size.width // 4, size.height // 4
    window = np.zeros((height, width, 4), np.uint8)
    window[2:-2, 2:-2, 0] = np.linspace(0, 255, width - 4).astype(np.uint8)
    window[2:-2, 2:-2, 1] = np.linspace(0, 255, height - 4).astype(np.uint8)[:, None]
    window[2:-2, 2:-2, 2] = 160
    return window
