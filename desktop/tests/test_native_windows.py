"""Windows of this system, with a program in the place of Flet's that draws nothing."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import flet as ft
import pytest

from sidetone.desktop.infrastructure.native_windows import NativeWindows, native_windows
from tests.waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="its sockets have no files")

_PATIENCE_SECONDS = 30
# More than a socket takes of which nobody reads.
_PIECES, _PIECE_LETTERS = 32, 1 << 20
_OF_WINDOWS = ("FletSocketServer.", "NativeWindows.", "serve_forever")


async def drawn(address: str, *how: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("drawing_program.py")), address, *how
    )


async def left(address: str) -> asyncio.subprocess.Process:
    return await drawn(address, "leave")


class Shown:
    """What is told to show the client, and on which pages it did."""

    def __init__(self) -> None:
        self.pages: asyncio.Queue[tuple[str, ft.Page]] = asyncio.Queue()

    async def __call__(self, page: ft.Page, route: str) -> None:
        self.pages.put_nowait((route, page))

    async def next(self) -> tuple[str, ft.Page]:
        return await asyncio.wait_for(self.pages.get(), _PATIENCE_SECONDS)


@pytest.fixture
def shown() -> Shown:
    return Shown()


@pytest.fixture
async def windows(shown: Shown) -> AsyncGenerator[NativeWindows]:
    async def main(page: ft.Page, route: str) -> None:
        await shown(page, route)

    async with native_windows(main, drawn) as windows:
        yield windows


async def test_all_windows_are_of_one_process_and_end_by_themselves(
    windows: NativeWindows, shown: Shown
) -> None:
    windows.open("/")
    route, first = await shown.next()
    assert route == "/"
    windows.open("/overlay")
    route, beside = await shown.next()
    assert route == "/overlay"
    windows.open("/watch/1")
    _, watching = await shown.next()
    assert len({id(page) for page in (first, beside, watching)}) == 3
    assert not first.web
    # Its answer never comes: the window is gone.
    closing = first.run_task(first.window.close)
    closed = watching.run_task(watching.window.close)
    await asyncio.wait_for(asyncio.shield(windows.over), _PATIENCE_SECONDS)
    for each in (closing, closed):
        each.cancel()


async def test_the_overlay_alone_keeps_nothing_open(windows: NativeWindows, shown: Shown) -> None:
    windows.open("/overlay")
    _, page = await shown.next()
    assert not windows.over.done()
    closing = page.run_task(page.window.close)
    await asyncio.wait_for(asyncio.shield(windows.over), _PATIENCE_SECONDS)
    closing.cancel()


async def test_a_window_that_is_closed_while_it_is_drawn_ends_as_any_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main(page: ft.Page, _: str) -> None:
        drawing.append("begun")
        try:
            for _piece in range(_PIECES):
                page.add(ft.Text("x" * _PIECE_LETTERS))
                await asyncio.sleep(0)
        finally:
            drawing.append("over")

    drawing: list[str] = []

    async with native_windows(main, left) as windows:
        windows.open("/")
        await asyncio.wait_for(asyncio.shield(windows.over), _PATIENCE_SECONDS)
        await until(lambda: drawing == ["begun", "over"])
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
    names = [str(getattr(task.get_coro(), "__qualname__", "")) for task in asyncio.all_tasks()]
    assert [name for name in names if any(part in name for part in _OF_WINDOWS)] == []
