"""Pictures of every screen and dialog of the client: `./just screenshots`.

A real server, people who write and talk, and the client in a headless Chromium. What is taken is
written to docs/screenshots: all in the dark and the light theme, what one sees most also larger,
in high contrast, in German and in Chinese.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
import traceback
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import flet as ft
import msgspec
from playwright.async_api import Error

from desktop.tests.stage import Stage, Window, a_stage, load
from sidetone.desktop.__main__ import ASSETS
from sidetone.desktop.app import compose
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.infrastructure.page_uploads import PageUploads
from sidetone.desktop.infrastructure.system_fonts import system_fonts
from sidetone.desktop.infrastructure.web_page import serving
from tests.screenshots.call import call
from tests.screenshots.camera import LARGE, SMALL, Camera, Wish
from tests.screenshots.tour import CHAPTERS, Tour, entrance, trouble
from tests.screenshots.town import HERO, Town

_ALL = {**CHAPTERS, "call": call}
# The server is away after it.
_LAST = {"trouble": trouble}
# As deep as the tour is; what is below it is Playwright's.
_STEPS = 4
_SPEECH = Path(__file__).parents[2] / "services/all_in_one/sidetone/all_in_one/demo/speech"


async def shoot(out: Path, wishes: list[Wish]) -> None:
    """Build the town once, and go through it for each wish."""
    with tempfile.TemporaryDirectory(prefix="sidetone-screenshots-") as name:
        folder = Path(name)
        async with a_stage(folder) as stage:
            town = Town(stage.address, folder, stage.stack)
            await town.build()
            for number, wish in enumerate(wishes):
                client = _at_home(folder / f"home-{number}")
                await _look(stage, town, client, out, wish)


def _at_home(home: Path) -> Path:
    """Let the user live in *home*, and return the folder of their client: pictures say ``~``."""
    # Fonts may be in the home that was there before: they are looked for once.
    system_fonts()
    music = home / "Music"
    music.mkdir(parents=True)
    voice = music / "voice.wav"
    shutil.copy(_SPEECH / "ada.wav", voice)
    os.environ["HOME"] = str(home)
    os.environ["SIDETONE_MICROPHONE"] = str(voice)
    return home / ".local/share/sidetone/client"


async def _look(stage: Stage, town: Town, folder: Path, out: Path, wish: Wish) -> None:
    async with _window(stage, folder, wish, stage.address) as (window, preferences, url):
        camera = Camera(window, preferences, out, wish)
        await _walk(Tour(window, camera, town), url)
    if not wish.main_only and (not wish.chapters or "trouble" in wish.chapters):
        await _wait(stage, folder, out, wish)


async def _wait(stage: Stage, folder: Path, out: Path, wish: Wish) -> None:
    """Take what one sees who comes back while the server is away."""
    async with _window(stage, folder, wish, "") as (window, preferences, url):
        await load(window.page, url("/"))
        await window.sees("start-sign-in")
        await Camera(window, preferences, out, wish).take("server-away")


@asynccontextmanager
async def _window(
    stage: Stage, folder: Path, wish: Wish, link: str
) -> AsyncGenerator[tuple[Window, KeepPreferences, Callable[[str], str]]]:
    """Open a client that speaks the language; gives what makes addresses of its page."""
    uploads = PageUploads()
    app = await compose(folder, uploads)
    preferences = app.core.preferences
    preferences.change(msgspec.structs.replace(preferences.current, language=wish.language))

    async def shown(page: ft.Page) -> None:
        await app.open_window(page, page.route, link, follow=bool(link))

    try:
        async with serving(shown, ASSETS, uploads) as url:
            size = {"width": wish.sizes[0][0], "height": wish.sizes[0][1]}
            context = await stage.browser.new_context(viewport=size)
            yield Window(await context.new_page(), stage.server, folder), preferences, url
            await context.close()
    finally:
        await app.close()


async def _walk(tour: Tour, url: Callable[[str], str]) -> None:
    """Tell each chapter; one that fails is named, and the next one begins in a new page."""
    await load(tour.window.page, url("/"))
    wish = tour.camera.wish
    if not wish.chapters or "entrance" in wish.chapters:
        await entrance(tour)
    await tour.sign_in(HERO)
    await tour.window.sees("friends")
    last = {} if wish.main_only else _LAST
    for name, chapter in {**_ALL, **last}.items():
        if wish.chapters and name not in wish.chapters:
            continue
        try:
            await chapter(tour)
        except (Error, TimeoutError, AssertionError) as error:
            seen = Path(tempfile.gettempdir()) / f"sidetone-failed-{name}.png"
            print(f"{wish.language}, {name}: {str(error).splitlines()[:1]}; see {seen}")
            traceback.print_tb(error.__traceback__, _STEPS)
            await tour.window.shoot(seen)
            # A page that is loaded again goes on where it was.
            old, tour.window.page = tour.window.page, await tour.window.page.context.new_page()
            await old.close()
            await load(tour.window.page, url("/"))


def main() -> None:
    """Read what is wished, and say how much was taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument(
        "--chapter", action="append", choices=["entrance", *_ALL, *_LAST], default=[]
    )
    parser.add_argument("--language", choices=["en", "de", "zh"], help="All in this one only.")
    parser.add_argument("--theme", choices=["dark", "light", "high_contrast"], action="append")
    options = parser.parse_args()
    os.environ.setdefault("SIDETONE_SPEAKER", "null")
    themes, chapters = options.theme or ["dark", "light"], options.chapter
    if options.language:
        wishes = [Wish(themes, (SMALL, LARGE), options.language, False, chapters)]
    else:
        wishes = [Wish(themes[:1], (SMALL,), each, True, chapters) for each in ("de", "zh")]
        wishes.append(Wish(themes, (SMALL, LARGE), "en", False, chapters))
    asyncio.run(shoot(options.out, wishes))
    sizes = [picture.stat().st_size for picture in options.out.glob("*.png")]
    print(f"{len(sizes)} pictures, {sum(sizes) / 1e6:.1f} MB, largest {max(sizes) / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
