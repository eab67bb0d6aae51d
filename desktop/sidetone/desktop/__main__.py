"""Run the client: in a browser of this machine, or in a window of its own where there is one.

Nothing that draws, sounds or computes is imported here: the page is there first, and what it shows
is imported while the browser loads its own part.
"""

import asyncio
import os
import sys
import webbrowser
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeAlias

import click
import platformdirs

from sidetone.desktop.infrastructure.importing import imported
from sidetone.desktop.infrastructure.native_windows import flet_view, native_windows
from sidetone.desktop.infrastructure.page_uploads import PageUploads
from sidetone.desktop.infrastructure.single_instance import SingleInstance
from sidetone.desktop.infrastructure.web_page import serving
from sidetone.runtime.start import run, stop_requests

if TYPE_CHECKING:
    import flet as ft

ASSETS = Path(__file__).parent / "assets"

# What shows the client on a page at a route, what opens one more window at a route, and a way to
# have windows, which also tells when there are none any more.
Shown: TypeAlias = "Callable[[ft.Page, str], Coroutine[Any, Any, None]]"
Opened: TypeAlias = tuple[Callable[[str], None], asyncio.Future[None]]
Way: TypeAlias = Callable[[Shown, PageUploads], AbstractAsyncContextManager[Opened]]


@click.command()
@click.argument("link", default="")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and settings.")
@click.option("--port", default=0, help="Port of the page; 0: the one of last time, or any.")
@click.option("--web", is_flag=True, help="A page, also where a window could be had.")
@click.option("--open/--no-open", "open_", default=True, help="Open the page in a browser.")
@click.option("--capture-screen", "captures", is_flag=True, hidden=True)
def client(
    link: str, data: Path | None, port: int, *, web: bool, open_: bool, captures: bool
) -> None:
    """Open the client; LINK is an address or an invite (sidetone://…)."""
    if captures:
        # A frozen program starts itself so, where another starts Python (`video.encoding`).
        import_module("sidetone.video.child").main()
    folder = data or platformdirs.user_data_path("sidetone", appauthor=False) / "client"
    native = not web and open_ and has_display() and find_spec("flet_desktop") is not None
    way = _windows if native else partial(_page, folder=folder, port=port, open_=open_)
    run(lambda: keep_open(folder, link, way, takes_links=data is None))


def has_display() -> bool:
    """Tell whether windows can be shown: always, but for a Linux without a desktop."""
    return os.name == "nt" or _on_mac() or bool(_display())


def _on_mac() -> bool:
    return os.uname().sysname == "Darwin"


def _display() -> str:
    return os.environ.get("DISPLAY", "") + os.environ.get("WAYLAND_DISPLAY", "")


async def keep_open(folder: Path, link: str, way: Way, *, takes_links: bool) -> None:
    """Show the client until the process is asked to stop, or its last window is closed.

    Who starts it again gets another window of the one that runs. Where it *takes_links* the
    system is told to open links with it: a client with a folder of its own is not the user's.
    """
    instance = SingleInstance(folder)
    if not instance.acquire():
        instance.hand_over([link])
        click.echo("Sidetone runs already: it has opened another window.")
        return
    links, uploads = [link], PageUploads()
    async with _composed(folder, uploads) as opened:

        async def shown(page: "ft.Page", route: str) -> None:
            app = await opened()
            app.show = show
            follow = bool(links)
            await app.open_window(page, route, links.pop() if follow else link, follow=follow)

        async with way(shown, uploads) as (show, over):

            def again(arguments: list[str]) -> None:
                links[:] = arguments[:1]
                show("/")

            await instance.listen(again)
            with stop_requests() as asked:
                over.add_done_callback(lambda _: asked.set())
                show("/")
                if takes_links:
                    await opened()
                    await asyncio.to_thread(_take_links)
                await asked.wait()
            await instance.close()


@asynccontextmanager
async def _page(
    shown: Shown, uploads: PageUploads, folder: Path, port: int, *, open_: bool
) -> AsyncGenerator[Opened]:
    """Show the client as a page in a browser, which may be closed and opened again."""

    async def at_its_route(page: "ft.Page") -> None:
        await shown(page, page.route)

    async with serving(at_its_route, ASSETS, uploads, port or _last_port(folder)) as address:
        _keep_port(folder, address("/"))

        def show(route: str) -> None:
            url = address(route)
            click.echo(f"Sidetone is open at {url}")
            if open_ and has_display():
                # A browser may take its time to start.
                Thread(target=webbrowser.open, args=(url,), daemon=True).start()

        yield show, asyncio.get_running_loop().create_future()


@asynccontextmanager
async def _windows(shown: Shown, _: PageUploads) -> AsyncGenerator[Opened]:
    """Show the client in windows of this system, and end with the last of them."""
    async with native_windows(shown, flet_view(ASSETS)) as windows:
        yield windows.open, windows.over


def _take_links() -> None:
    """Have the system open links with this program, where it can be told so."""
    frozen = hasattr(sys, "frozen")
    command = [sys.executable] if frozen else [sys.executable, "-m", "sidetone.desktop"]
    applications = platformdirs.user_data_path() / "applications"
    import_module("sidetone.desktop.infrastructure.link_handler").register(command, applications)


@asynccontextmanager
async def _composed(folder: Path, uploads: PageUploads) -> AsyncGenerator[Callable[[], Any]]:
    """Import and compose what is behind the windows, beside whatever the block does."""
    composing = asyncio.create_task(_compose(folder, uploads))

    async def opened() -> Any:  # noqa: ANN401 (its type is not imported yet)
        return await asyncio.shield(composing)

    try:
        yield opened
    finally:
        await (await composing).close()


async def _compose(folder: Path, uploads: PageUploads) -> Any:  # noqa: ANN401
    app: Any = await imported("sidetone.desktop.app")
    return await app.compose(folder, uploads)


def _last_port(folder: Path) -> int:
    """Return the port of last time: a browser keeps what it compiled by address."""
    try:
        return int((folder / "port").read_text())
    except (OSError, ValueError):
        return 0


def _keep_port(folder: Path, url: str) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "port").write_text(url.split(":")[2].partition("/")[0])


if __name__ == "__main__":
    client()
