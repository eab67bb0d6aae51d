"""A window may be closed at any moment: nothing is said of it in the log, and nothing is left."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import flet as ft
import httpx
import msgpack
import pytest
import websockets
from flet.messaging.protocol import MessageAction
from playwright.async_api import WebSocket

from desktop.tests.stage import PATIENCE_MS, Stage, Window
from sidetone.desktop.__main__ import ASSETS
from sidetone.desktop.infrastructure.page_uploads import PageUploads
from sidetone.desktop.infrastructure.web_page import serving
from tests.waiting import until

# More than what a socket takes of which nobody reads.
_PIECES, _PIECE_LETTERS = 32, 1 << 20
_OURS = ("run_asgi", "FletApp.", "Windows.")


class Drawn:
    """What is drawn: far more than a browser takes at once."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.left = asyncio.Event()

    async def draw(self, page: ft.Page) -> None:
        page.on_disconnect = self.left.set
        for _ in range(_PIECES):
            page.add(ft.Text("x" * _PIECE_LETTERS))
            self.begun.set()
            # Not at once: the window is closed between.
            await asyncio.sleep(0)
        self.ended.set()


@asynccontextmanager
async def opened(drawn: Drawn) -> AsyncGenerator[websockets.ClientConnection]:
    """Serve what is *drawn*, and open one socket to it as a browser does that was let in."""
    async with serving(drawn.draw, ASSETS, PageUploads()) as address:
        parts = urlsplit(address("/"))
        origin = f"{parts.scheme}://{parts.netloc}"
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            assert (await browser.get(address("/"))).status_code == 200
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        socket = await websockets.connect(
            f"ws://{parts.netloc}/ws",
            additional_headers={"origin": origin, "cookie": cookie},
            max_queue=1,
        )
        yield socket


def hello() -> bytes:
    page = {"route": "/", "web": True, "platform": "linux", "width": 800, "height": 600}
    body = {"session_id": None, "page_name": "", "page": page}
    return b"\0" + msgpack.packb([MessageAction.REGISTER_CLIENT.value, body])


def running() -> list[str]:
    """Return what is being done for a window just now."""
    names = [str(getattr(task.get_coro(), "__qualname__", "")) for task in asyncio.all_tasks()]
    return [name for name in names if any(part in name for part in _OURS)]


def nothing_runs() -> bool:
    return not running()


def unhappy(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [each for each in caplog.records if each.levelno >= logging.WARNING or each.exc_info]


async def test_a_window_that_is_closed_while_it_is_drawn_is_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    drawn = Drawn()
    async with opened(drawn) as socket:
        await socket.send(hello())
        await asyncio.wait_for(drawn.begun.wait(), 30)
        assert running() != []
        socket.transport.abort()
        await asyncio.wait_for(drawn.left.wait(), 30)
        await asyncio.wait_for(drawn.ended.wait(), 30)
        await until(nothing_runs)
    assert unhappy(caplog) == []


async def test_a_window_that_is_closed_before_it_said_anything_leaves_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with opened(Drawn()) as socket:
        assert running() != []
        await socket.close()
        await until(nothing_runs)
    assert unhappy(caplog) == []


async def test_tabs_that_are_closed_while_they_are_drawn_leave_no_line_in_the_log(
    stage: Stage,
) -> None:
    window = await stage.window("nova")
    await window.sees("sign-in-submit")
    for pieces in (0, 1, 2, 3):
        await _closed_after(window, pieces)
    # The one beside them goes on.
    await window.type("sign-in-name", "nova")
    assert not window.process.unhappy()


async def _closed_after(window: Window, pieces: int) -> None:
    """Open a tab beside *window*, and close it when so many pieces of it have come."""
    drawn: list[str | bytes] = []

    def note(piece: str | bytes) -> None:
        drawn.append(piece)

    def follow(socket: WebSocket) -> None:
        socket.on("framereceived", note)

    tab = await window.page.context.new_page()
    tab.on("websocket", follow)
    async with tab.expect_websocket(timeout=PATIENCE_MS):
        await tab.goto(window.page.url, wait_until="commit")
    await until(lambda: len(drawn) >= pieces)
    await tab.close()
