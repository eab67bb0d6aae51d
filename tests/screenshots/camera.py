"""Takes pictures of the window: in several themes, when it stands still, small as files."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from PIL import Image

from desktop.tests.stage import Window
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.preferences import Theme
from sidetone.desktop.interface.theme import PALETTES

SMALL: Final = (1280, 720)
LARGE: Final = (1920, 1080)
# The theme fades for 200 ms, a cursor blinks, and somebody may speak meanwhile.
_SETTLE_MS: Final = 250
_TRIES_MAX: Final = 5
_STILL_PIXELS: Final = 600
# Flat grounds and plain letters keep their very colours; edges of letters, faces and pictures
# share what is left of a palette.
_EXACT: Final = 60
_SHARED: Final = 170


class Wish(NamedTuple):
    """Which pictures are taken: in which themes, sizes and language; *chapters*: all if none."""

    themes: Sequence[Theme] = ("dark", "light")
    sizes: Sequence[tuple[int, int]] = (SMALL,)
    language: str = "en"
    main_only: bool = False
    chapters: Sequence[str] = ()


class Camera:
    """Looks at *window*, and changes how it looks by what is set."""

    def __init__(
        self, window: Window, preferences: KeepPreferences, folder: Path, wish: Wish
    ) -> None:
        self.window = window
        self.wish = wish
        self.taken: list[Path] = []
        self._preferences = preferences
        self._folder = folder

    def on(self, window: Window, size: tuple[int, int]) -> "Camera":
        """Return one that looks at another *window*, which has a *size* of its own."""
        wish = self.wish._replace(sizes=[size])
        return Camera(window, self._preferences, self._folder, wish)

    async def take(
        self, name: str, *, main: bool = False, held: bool = False, contrast: bool = False
    ) -> None:
        """Take *name*; a *main* one in every size, with the pointer where it is if it is *held*.

        What is of most use to those who need it is taken in high *contrast* too.
        """
        if self.wish.main_only and not main:
            return
        if not held:
            await self.window.page.mouse.move(640, 2)
        themes: list[Theme] = [*self.wish.themes]
        if contrast and self.wish.language == "en":
            themes.append("high_contrast")
        for size in self.wish.sizes if main else self.wish.sizes[:1]:
            await self._resize(size)
            for theme in themes:
                self._dress(theme)
                inks = msgspec.structs.astuple(PALETTES[theme])
                self._keep(await self._still(), self._path(name, theme, size), inks)
        await self._resize(self.wish.sizes[0])

    def _path(self, name: str, theme: Theme, size: tuple[int, int]) -> Path:
        parts = [name, theme.replace("_", "-")]
        if self.wish.language != "en":
            parts.append(self.wish.language)
        if size != self.wish.sizes[0]:
            parts.append(str(size[1]))
        return self._folder / f"{'-'.join(parts)}.png"

    async def _resize(self, size: tuple[int, int]) -> None:
        wanted = {"width": size[0], "height": size[1]}
        if self.window.page.viewport_size != wanted:
            await self.window.page.set_viewport_size(wanted)
            await self.window.page.wait_for_timeout(_SETTLE_MS)

    def _dress(self, theme: Theme) -> None:
        now = self._preferences.current
        looks = msgspec.structs.replace(now.appearance, theme=theme)
        if looks != now.appearance:
            self._preferences.change(msgspec.structs.replace(now, appearance=looks))

    async def _still(self) -> Image.Image:
        """Return the window when two looks at it see the same, or nearly."""
        before = None
        for _ in range(_TRIES_MAX):
            await self.window.page.wait_for_timeout(_SETTLE_MS)
            image = Image.open(io.BytesIO(await self.window.page.screenshot())).convert("RGB")
            if before is not None and differing(before, image) < _STILL_PIXELS:
                return image
            before = image
        return image

    def _keep(self, image: Image.Image, path: Path, inks: Sequence[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with_few_colors(image, inks).save(path, optimize=True)
        self.taken.append(path)


def with_few_colors(image: Image.Image, inks: Sequence[str]) -> Image.Image:
    """Return *image* with a palette, in which all *inks* are: a quarter as large."""
    pixels = np.asarray(image).reshape(-1, 3).astype(np.uint32)
    codes = pixels[:, 0] << 16 | pixels[:, 1] << 8 | pixels[:, 2]
    colors, counts = np.unique(codes, return_counts=True)
    exact = colors[np.argsort(counts)[::-1][:_EXACT]]
    rest = pixels[~np.isin(codes, exact)].astype(np.uint8)
    kept = [*exact.tolist(), *(int(ink[1:], 16) for ink in inks)]
    palette = [code >> shift & 255 for code in kept for shift in (16, 8, 0)]
    if len(rest):
        sheet = Image.fromarray(rest.reshape(1, -1, 3))
        shared = sheet.quantize(_SHARED, Image.Quantize.MEDIANCUT, kmeans=1).getpalette() or []
        palette += shared[: 3 * _SHARED]
    few = Image.new("P", (1, 1))
    few.putpalette(palette)
    return image.quantize(palette=few, dither=Image.Dither.NONE)


def differing(one: Image.Image, other: Image.Image) -> int:
    """Return in how many pixels two pictures of one size differ."""
    return int((np.asarray(one) != np.asarray(other)).any(axis=2).sum())
