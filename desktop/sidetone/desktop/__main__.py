"""Run the client: in a browser of this machine, or in a window of its own where there is one.

Nothing that draws, sounds or computes is imported here: the page is there first, and what it shows
is imported while the browser loads its own part.
"""

import asyncio
import os
import webbrowser
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click
import platformdirs

from sidetone.desktop.infrastructure.single_instance import SingleInstance
from sidetone.desktop.infrastructure.web_page import serving
from sidetone.runtime.start import run, stop_requests

if TYPE_CHECKING:
    import flet as ft

ASSETS = Path(__file__).parent / "assets"


@click.command()
@click.argument("link", default="")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and settings.")
@click.option("--port", default=0, help="Port of the page; 0: the one of last time, or any.")
@click.option("--web", is_flag=True, help="A page, also where a window could be had.")
@click.option("--open/--no-open", "open_", default=True, help="Open the page in a browser.")
def client(link: str, data: Path | None, port: int, *, web: bool, open_: bool) -> None:
    """Open the client; LINK is an address or an invite (sidetone://…)."""
    folder = data or platformdirs.user_data_path("sidetone", appauthor=False) / "client"
    if not web and open_ and has_display() and find_spec("flet_desktop") is not None:
        window(folder, link)
    else:
        run(lambda: page(folder, link, port, open_=open_))


def has_display() -> bool:
    """Tell whether windows can be shown: always, but for a Linux without a desktop."""
    return os.name == "nt" or _on_mac() or bool(_display())


def _on_mac() -> bool:
    return os.uname().sysname == "Darwin"


def _display() -> str:
    return os.environ.get("DISPLAY", "") + os.environ.get("WAYLAND_DISPLAY", "")


async def page(folder: Path, link: str, port: int, *, open_: bool) -> None:
    """Serve the client as a page until the process is asked to stop.

    Who starts it again gets another window of the one that runs.
    """
    instance = SingleInstance(folder)
    if not instance.acquire():
        instance.hand_over([link])
        click.echo("Sidetone runs already: it has opened another window.")
        return
    links = [link]
    async with _composed(folder) as opened:

        async def shown(page: "ft.Page") -> None:
            app = await opened()
            app.show = lambda: _show(address("/"), open_=open_)
            follow = bool(links)
            await app.open_window(page, links.pop() if follow else link, follow=follow)

        async with serving(shown, ASSETS, port or _last_port(folder)) as address:
            url = address("/")
            _keep_port(folder, url)

            def again(arguments: list[str]) -> None:
                links[:] = arguments[:1]
                _show(address("/"), open_=open_)

            await instance.listen(again)
            with stop_requests() as asked:
                _show(url, open_=open_)
                await asked.wait()
            await instance.close()


def _show(url: str, *, open_: bool) -> None:
    click.echo(f"Sidetone is open at {url}")
    if open_ and has_display():
        # A browser may take its time to start.
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def window(folder: Path, link: str) -> None:
    """Show the client in a window of its own, and end with it."""
    flet: Any = import_module("flet")

    async def shown(page: "ft.Page") -> None:
        async with _composed(folder) as opened:
            ended = asyncio.Event()
            await (await opened()).open_window(page, link)
            page.on_disconnect = ended.set
            await ended.wait()

    flet.run(shown, assets_dir=str(ASSETS))


@asynccontextmanager
async def _composed(folder: Path) -> AsyncGenerator[Callable[[], Any]]:
    """Import and compose what is behind the windows, beside whatever the block does."""
    composing = asyncio.create_task(_compose(folder))

    async def opened() -> Any:  # noqa: ANN401 (its type is not imported yet)
        return await asyncio.shield(composing)

    try:
        yield opened
    finally:
        await (await composing).close()


async def _compose(folder: Path) -> Any:  # noqa: ANN401
    app = await asyncio.to_thread(import_module, "sidetone.desktop.app")
    return await app.compose(folder)


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
