"""Windows of this system: each is a program of Flet's that draws, and a socket for it alone.

Flet's own way to run has one window. Here all share this process, its accounts and its call.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sidetone.desktop.infrastructure.importing import imported

if TYPE_CHECKING:
    import flet as ft

# What is only of use beside another window, and keeps nothing open.
BESIDE: Final = "/overlay"

# What draws a window and ends with it, given the address of its socket.
View: TypeAlias = Callable[[str], Coroutine[Any, Any, "asyncio.subprocess.Process"]]
# What shows the client on a page, at a route.
Main: TypeAlias = "Callable[[ft.Page, str], Coroutine[Any, Any, None]]"


class NativeWindows:
    """The windows that are open; *main* shows the client in one, *view* draws it."""

    def __init__(self, main: Main, view: View) -> None:
        # Done when the last window is closed that is of use by itself.
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._main = main
        self._view = view
        self._shown: dict[asyncio.Task[None], str] = {}

    def open(self, route: str) -> None:
        """Open one more window."""
        task = asyncio.create_task(self._show(route))
        self._shown[task] = route
        task.add_done_callback(self._closed)

    async def close(self) -> None:
        """Close all windows."""
        tasks = list(self._shown)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self, route: str) -> None:
        module: Any = await imported("flet.messaging.flet_socket_server")

        async def begun(session: Any) -> None:  # noqa: ANN401 (Flet's)
            page = session.page
            await asyncio.wrap_future(page.run_task(self._main, page, route))

        server = module.FletSocketServer(
            asyncio.get_running_loop(), on_session_created=begun, executor=ThreadPoolExecutor()
        )
        await server.start()
        try:
            await _ended(await self._view(server.page_url))
        finally:
            await server.close()

    def _closed(self, task: asyncio.Task[None]) -> None:
        del self._shown[task]
        alone = all(route == BESIDE for route in self._shown.values())
        if alone and not self.over.done():
            self.over.set_result(None)


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def flet_view(assets: Path) -> View:
    """Return what draws with Flet's own program, which shows pictures of *assets*."""

    async def view(address: str) -> asyncio.subprocess.Process:
        desktop: Any = await imported("flet_desktop")
        process, _ = await desktop.open_flet_view_async(address, str(assets), False)  # noqa: FBT003
        return process

    return view


@asynccontextmanager
async def native_windows(main: Main, view: View) -> AsyncGenerator[NativeWindows]:
    """Show windows of this system while the block runs."""
    windows = NativeWindows(main, view)
    try:
        yield windows
    finally:
        await windows.close()
