"""A real server, real clients in processes of their own, and a browser that looks at them."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright
from playwright.async_api import TimeoutError as LookedInVain

from sidetone.client.client import Client

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_UP_SECONDS = 90
# What a person would wait for at most; a loaded machine is slow.
PATIENCE_MS = 30_000
_TYPED_TIMES_MAX = 5
# Between two keys; nobody types faster.
_KEY_MS = 15
# So often Flutter is asked whether it follows, before a field is given the focus anew.
_POLLS = 100
# Longer texts are pasted.
_TYPED_LENGTH_MAX = 200
# What is not elsewhere after this time stands still.
_REST_MS = 50
PASSWORD = "seven quiet herons at dawn"


def require_browser() -> None:
    """Skip where no Chromium is; fail where the engines are required."""
    if CHROMIUM is None:
        reason = "needs Chromium (Debian: chromium)"
        if os.environ.get("SIDETONE_REQUIRE_ENGINES"):
            pytest.fail(reason)
        pytest.skip(reason)


# The tree that screen readers use is there from the start: a field that has the focus before it
# would be another one than the tree's.
_TREE = """
new MutationObserver((_, observer) => {
    const placeholder = document.querySelector("flt-semantics-placeholder");
    if (placeholder) {
        observer.disconnect();
        placeholder.click();
    }
}).observe(document, {childList: true, subtree: true});
"""

# Which field Flutter follows: it gives a field that was focused its text and its selection anew,
# a moment later, and would take back what was typed before that.
_FOLLOWED = """
for (const field of [HTMLInputElement, HTMLTextAreaElement]) {
    const select = field.prototype.setSelectionRange;
    field.prototype.setSelectionRange = function (...range) {
        window.followed = this;
        return select.apply(this, range);
    };
}
addEventListener("focusout", event => {
    if (event.target === window.followed) window.followed = null;
}, true);
"""

_NAMELESS = """
[...document.querySelectorAll(
    "flt-semantics [role=button], flt-semantics[role=button], flt-semantics input, " +
    "flt-semantics textarea, flt-semantics [role=checkbox], flt-semantics [role=switch]"
)].filter(control => !(
    control.getAttribute("aria-label") || control.innerText ||
    control.closest("[aria-label]")?.getAttribute("aria-label")
)).map(control => control.outerHTML.slice(0, 300))
"""


class Process:
    """A process of ours that says one line when it is up."""

    def __init__(self, process: asyncio.subprocess.Process, found: str) -> None:
        self.process = process
        self.found = found
        self.lines: list[str] = []
        # Where it logs, if not to its output.
        self.logs: Path | None = None
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, pattern: str, *command: str, **environment: str) -> "Process":
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        said: list[str] = []
        async with asyncio.timeout(_UP_SECONDS):
            while (
                line := (await _out(process).readline()).decode()
            ) or process.returncode is None:
                said.append(line)
                if (match := re.search(pattern, line)) is not None:
                    return cls(process, match[1])
        pytest.fail(f"{command[0]} did not start: {''.join(said)}")

    async def _read(self) -> None:
        while line := await _out(self.process).readline():
            self.lines.append(line.decode())

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), 10)
        except TimeoutError:
            self.process.kill()
        await self._reading

    def unhappy(self) -> list[str]:
        """Return what it said or logged that no user should ever see."""
        logged = [
            line
            for path in (sorted(self.logs.glob("*")) if self.logs is not None else [])
            for line in path.read_text().splitlines()
        ]
        said = [*self.lines, *logged]
        return [line for line in said if "Traceback" in line or "Error" in line]


def _out(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout


class Window:
    """One window as a user meets it; controls are found by their identifiers."""

    def __init__(self, page: Page, process: Process, folder: Path) -> None:
        self.page = page
        self.process = process
        self.folder = folder

    def find(self, identifier: str) -> Locator:
        return self.page.locator(f"[flt-semantics-identifier='{identifier}']").first

    def find_all(self, start: str) -> Locator:
        """Return the controls whose identifiers begin like this."""
        return self.page.locator(f"[flt-semantics-identifier^='{start}']")

    async def identifiers(self, start: str = "") -> list[str]:
        """Return the identifiers on the screen that begin like this."""
        script = "all => all.map(each => each.getAttribute('flt-semantics-identifier'))"
        all_ = await self.page.locator("[flt-semantics-identifier]").evaluate_all(script)
        return [each for each in all_ if each.startswith(start)]

    async def waits_for_more(self, start: str, before: set[str]) -> set[str]:
        """Return what is there beside *before*, when there is something."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not (more := set(await self.identifiers(start)) - before):
                await self.page.wait_for_timeout(50)
        return more

    async def sees(self, identifier: str) -> Locator:
        found = self.find(identifier)
        try:
            await found.wait_for(state="attached", timeout=PATIENCE_MS)
        except LookedInVain as error:
            error.add_note(f"On the screen: {await self.identifiers()}")
            error.add_note(f"Its process said: {self.process.unhappy()}")
            raise
        return found

    async def misses(self, identifier: str) -> None:
        await self.find(identifier).wait_for(state="detached", timeout=PATIENCE_MS)

    async def sees_text(self, text: str) -> None:
        await self.page.get_by_text(text).first.wait_for(state="attached", timeout=PATIENCE_MS)

    async def click(self, identifier: str, **how: Any) -> None:
        """Click in the middle of a control that has come to rest, as a mouse does."""
        found = await self.sees(identifier)
        box, before = await found.bounding_box(), None
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while box is None or box != before:
                await self.page.wait_for_timeout(_REST_MS)
                box, before = await found.bounding_box(), box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await self.page.mouse.click(x, y, **how)

    async def hover(self, identifier: str) -> None:
        """Hold the pointer over a control."""
        box = await (await self.sees(identifier)).bounding_box()
        assert box is not None
        await self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    async def type(self, identifier: str, text: str, *, enter: bool = False) -> None:
        """Put *text* in the place of what stands in a field, as a person or as a paste does."""
        field = (await self.sees(identifier)).locator("input, textarea").first
        for _ in range(_TYPED_TIMES_MAX):
            await self._focus(field)
            await self.press("Control+A")
            await self.press("Backspace")
            if len(text) <= _TYPED_LENGTH_MAX:
                await self.page.keyboard.type(text, delay=_KEY_MS)
            else:
                await self.page.keyboard.insert_text(text)
            # A tooltip that goes takes the focus along: Flutter puts the tree in another order.
            if await field.evaluate("field => field === window.followed"):
                break
        if (stands := await field.input_value()) != text:
            pytest.fail(f"{identifier} has {stands!r} after {text!r} was typed")
        if enter:
            # A field of one line lets go of the focus then.
            await field.evaluate("field => field.tagName === 'INPUT' && (window.followed = null)")
            await self.press("Enter")

    async def _focus(self, field: Locator) -> None:
        """Give *field* the focus and wait for Flutter, which sets what stands there once more."""
        polls = 0
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not await field.evaluate("field => field === window.followed"):
                if not await field.evaluate("field => field === document.activeElement"):
                    await field.click()
                await self.page.wait_for_timeout(_KEY_MS)
                polls += 1
                if polls % _POLLS == 0:
                    # It had the focus before Flutter knew of it.
                    await field.blur()

    async def press(self, keys: str) -> None:
        await self.page.keyboard.press(keys)

    async def said(self, identifier: str) -> str:
        """Return what a screen reader says of a control."""
        found = await self.sees(identifier)
        return await found.get_attribute("aria-label") or await found.inner_text()

    async def hears(self, identifier: str, words: str) -> None:
        """Return when a screen reader says *words* of a control, among others."""
        said = ""
        try:
            async with asyncio.timeout(PATIENCE_MS / 1000):
                while words not in (said := await self.said(identifier)):
                    await self.page.wait_for_timeout(50)
        except TimeoutError:
            pytest.fail(f"{identifier} says {said!r}, and not {words!r}")

    async def nameless(self) -> list[str]:
        """Return the controls on the screen of which a screen reader could say nothing."""
        return await self.page.evaluate(_NAMELESS)

    async def shoot(self, path: Path) -> None:
        await self.page.screenshot(path=path)

    async def sign_in(self, name: str, password: str = PASSWORD) -> None:
        """Fill in who one is, and press Enter."""
        await self.type("sign-in-name", name)
        await self.type("sign-in-password", password, enter=True)

    async def register(self, name: str, password: str = PASSWORD) -> None:
        """Make an account on the server that the client was opened for."""
        await self.click("sign-in-other")
        await self.sign_in(name, password)
        # An invite may open a dialog above all at once.
        await self.misses("sign-in-submit")


class Stage:
    """One server and those who use it."""

    def __init__(self, server: Process, browser: Browser, folder: Path) -> None:
        self.server = server
        self.address = server.found
        self.browser = browser
        self.folder = folder
        self.stack = AsyncExitStack()

    async def client(self, name: str) -> Client:
        """Return an SDK client with an account called *name*: a bot, or somebody elsewhere."""
        client = Client(self.address, data_dir=self.folder / f"sdk-{name}")
        await self.stack.enter_async_context(client)
        await client.register(name, PASSWORD)
        return client

    async def window(
        self,
        name: str,
        *,
        link: str | None = None,
        size: tuple[int, int] = (1280, 800),
        folder: Path | None = None,
        program: str = "sidetone.desktop",
        **environment: str,
    ) -> Window:
        """Open a client process of its own and look at it."""
        data = folder or self.folder / f"window-{name}"
        process = await Process.start(
            r"open at (\S+)",
            *(
                program,
                "--data",
                str(data),
                "--no-open",
                self.address if link is None else link,
            ),
            **environment,
        )
        process.logs = data / "logs"
        self.stack.push_async_callback(process.stop)
        context = await self.browser.new_context(viewport={"width": size[0], "height": size[1]})
        self.stack.push_async_callback(context.close)
        window = Window(await context.new_page(), process, data)
        await load(window.page, process.found)
        return window


async def load(page: Page, url: str) -> None:
    """Open *url* with the tree that screen readers use."""
    await page.add_init_script(_TREE + _FOLLOWED)
    await page.goto(url)
    await page.locator("flt-semantics-host flt-semantics").first.wait_for(
        state="attached", timeout=PATIENCE_MS
    )


@asynccontextmanager
async def a_stage(folder: Path) -> AsyncGenerator[Stage]:
    """Run a server and a browser until the block ends."""
    require_browser()
    server = await start_server(folder)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        stage = Stage(server, browser, folder)
        try:
            async with stage.stack:
                yield stage
        finally:
            with suppress(Exception):
                await browser.close()
            await server.stop()


async def start_server(folder: Path, port: int = 0) -> Process:
    """Run a server with its data in *folder*."""
    return await Process.start(
        r"Sidetone is up: (\S+)",
        *("sidetone.all_in_one", "serve", "--data", str(folder / "server")),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        SIDETONE_LIMITS_FACTOR="1000",
    )
