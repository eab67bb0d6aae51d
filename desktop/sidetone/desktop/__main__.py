"""Run the client: in a browser of this machine, or in a window of its own where there is one."""

import asyncio
import os
import webbrowser
from pathlib import Path

import click
import flet as ft
import platformdirs

from sidetone.desktop.app import open_window
from sidetone.desktop.application.core import Core
from sidetone.desktop.application.sign_in import sign_in_again
from sidetone.desktop.infrastructure.file_secrets import FileSecrets
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.desktop.infrastructure.web_page import serving
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import stop_requested
from sidetone.runtime.start import run

ASSETS = Path(__file__).parent / "assets"


@click.command()
@click.argument("link", default="")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of keys and settings.")
@click.option("--port", default=0, help="Port of the page; 0: any free one.")
@click.option("--open/--no-open", "open_", default=True, help="Open the page in a browser.")
def client(link: str, data: Path | None, port: int, *, open_: bool) -> None:
    """Open the client; LINK is an address or an invite (sidetone://…)."""
    folder = data or platformdirs.user_data_path("sidetone", appauthor=False) / "client"
    run(lambda: _client(folder, link, port, open_=open_))


async def _client(folder: Path, link: str, port: int, *, open_: bool) -> None:
    store = PreferencesFile(folder / "preferences.json")
    set_now, problem = await asyncio.to_thread(store.load)
    core = Core(folder, FileSecrets(folder / "secrets"), SystemClock(), store, set_now)
    core.preferences.problem = problem
    entering = asyncio.create_task(sign_in_again(core))

    async def window(page: ft.Page) -> None:
        await open_window(core, page, link)

    try:
        async with serving(window, ASSETS, port) as address:
            url = address("/")
            click.echo(f"Sidetone is open at {url}")
            if open_ and os.environ.get("DISPLAY", "") + os.environ.get("WAYLAND_DISPLAY", ""):
                webbrowser.open(url)
            await stop_requested()
    finally:
        entering.cancel()
        await core.close()


if __name__ == "__main__":
    client()
