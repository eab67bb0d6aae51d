"""What users wait for and what the client costs, in one table: `./just bench client`.

Seconds and milliseconds are of a page's own clock, from the press of Enter, or the start of the
process, to the moment at which the browser knows what is to be seen; each is the middle one of
several. Percentages and milliseconds of Python are CPU time. The browser is warm, as it is from
the second start on.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from desktop.tests.stage import CHROMIUM, PATIENCE_MS
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import RateLimited
from tests.load import bench_client_call, bench_video
from tests.load.bench_voice_node import process
from tests.load.video_sides import PASSWORD

MUST = {
    "first_screen_seconds": 2.0,
    "populated_seconds": 1.0,
    "local_echo_ms": 50,
    "other_screen_ms": 250,
    **bench_client_call.MUST,
    **bench_video.MUST,
}
_SERVE = ("-m", "sidetone.all_in_one", "serve", "--host", "127.0.0.1", "--port", "0")
_STARTS = 5
_ROUNDS = 25
_HISTORY = 60
# Notes when each control was there first, and when Enter was pressed.
_NOTES = """
window.appeared = {};
const now = () => performance.timeOrigin + performance.now();
const each = (node, act) => {
  const identifier = node.getAttribute && node.getAttribute("flt-semantics-identifier");
  if (identifier) act(identifier);
  if (node.querySelectorAll)
    for (const inner of node.querySelectorAll("[flt-semantics-identifier]"))
      act(inner.getAttribute("flt-semantics-identifier"));
};
const note = identifier => {
  if (!(identifier in window.appeared)) window.appeared[identifier] = now();
};
new MutationObserver(records => {
  const asleep = document.querySelector("flt-semantics-placeholder");
  if (asleep) asleep.click();
  for (const record of records) {
    if (record.type === "attributes") each(record.target, note);
    else record.addedNodes.forEach(node => each(node, note));
  }
}).observe(document, {subtree: true, childList: true, attributes: true,
                      attributeFilter: ["flt-semantics-identifier"]});
addEventListener("keydown", event => { if (event.key === "Enter") window.entered = now(); }, true);
window.first = (...starts) => {
  const found = Object.entries(window.appeared)
    .filter(([name, at]) => starts.some(start => name.startsWith(start)) && at > 0)
    .map(([, at]) => at);
  return found.length ? Math.min(...found) : 0;
};
window.forget = () => { for (const name in window.appeared) window.appeared[name] = 0; };
"""


async def appeared(page: Page, *starts: str) -> float:
    """Return when a control was there first whose identifier begins like one of these."""
    quoted = ", ".join(map(json.dumps, starts))
    handle = await page.wait_for_function(f"window.first({quoted})", timeout=PATIENCE_MS)
    return float(await handle.json_value())


@asynccontextmanager
async def client(folder: Path, address: str) -> AsyncGenerator[str]:
    """Run the client as `./just client` does; gives the address of its page."""
    found = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidetone.all_in_one", "client"),
        *("--web", "--no-open", "--data", str(folder), address),
        stdout=PIPE,
        env={**os.environ, "SIDETONE_MICROPHONE": "null", "SIDETONE_SPEAKER": "null"},
    )
    assert found.stdout is not None
    try:
        yield (await found.stdout.readline()).decode().split()[-1]
    finally:
        found.terminate()
        await found.wait()


async def context(stack: AsyncExitStack) -> BrowserContext:
    """Return a browser of its own: one draws only the page in front."""
    playwright = await stack.enter_async_context(async_playwright())
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    stack.push_async_callback(browser.close)
    # What waits in the page is text that the page has evaluated, which its own policy forbids.
    made = await browser.new_context(viewport={"width": 1280, "height": 720}, bypass_csp=True)
    await made.add_init_script(_NOTES)
    return made


async def first_screen(browser: BrowserContext, folder: Path, address: str) -> list[float]:
    """Return how many seconds each start took, from the process to a screen to type in."""
    seconds: list[float] = []
    for _ in range(1 + _STARTS):
        began = time.time()
        async with client(folder, address) as url:
            page = await browser.new_page()
            await page.goto(url, wait_until="commit")
            seconds.append(await appeared(page, "sign-in-name") / 1000 - began)
            await page.close()
    # The first one fills what later ones find: that of the browser, and bytecode.
    return seconds[1:]


async def type_in(page: Page, field: str, text: str) -> None:
    """Type *text*, again where the page followed the focus after the first keys."""
    box = page.locator(field).first
    while await box.input_value() != text:
        await box.click()
        await page.keyboard.press("Control+A")
        await page.keyboard.type(text, delay=15)


async def sign_in(page: Page, name: str) -> float:
    """Sign in, and go to the server; returns how many seconds that took."""
    for field, text in (("name", name), ("password", PASSWORD)):
        await type_in(page, f"[flt-semantics-identifier='sign-in-{field}'] input", text)
    await page.keyboard.press("Enter")
    await appeared(page, "server-bench")
    await page.locator("[flt-semantics-identifier='server-bench']").first.click(force=True)
    seen = await appeared(page, "message-")
    return (seen - float(await page.evaluate("window.entered"))) / 1000


async def write(own: Page, other: Page) -> tuple[list[float], list[float]]:
    """Return for each message when its author and when another saw it, in ms after Enter."""
    echoes, arrivals = [], []
    for number in range(_ROUNDS):
        composer = "[flt-semantics-identifier='composer'] textarea"
        await type_in(own, composer, f"how fast is message {number}?")
        # What typing draws is over, and the bell that says so to others too.
        await own.wait_for_timeout(600)
        for page in (own, other):
            await page.evaluate("window.forget()")
        await own.keyboard.press("Enter")
        echo = await appeared(own, "pending-", "message-")
        seen = await appeared(other, "message-")
        entered = float(await own.evaluate("window.entered"))
        echoes.append(echo - entered)
        arrivals.append(seen - entered)
    return echoes, arrivals


async def feel(folder: Path) -> dict[str, Any]:
    """Measure what one waits for: starts, the way in, and messages in two windows."""
    (folder / "server").mkdir(mode=0o700, parents=True)
    async with AsyncExitStack() as stack:
        serve = process(*_SERVE, "--data", str(folder / "server"))
        address = await stack.enter_async_context(serve)
        await populate(address, folder)
        own, other = await context(stack), await context(stack)
        starts = await first_screen(own, folder / "own", address)
        pages: list[Page] = []
        ways: list[float] = []
        for browser, name in ((own, "own"), (other, "other")):
            url = await stack.enter_async_context(client(folder / name, address))
            page = await browser.new_page()
            await page.goto(url, wait_until="commit")
            await appeared(page, "sign-in-name")
            ways.append(await sign_in(page, name))
            pages.append(page)
        echoes, arrivals = await write(pages[0], pages[1])
    return {
        "first_screen_seconds": statistics.median(starts),
        "first_screen_seconds_best": min(starts),
        "populated_seconds": statistics.median(ways),
        "local_echo_ms": statistics.median(echoes),
        "local_echo_ms_best": min(echoes),
        "other_screen_ms": statistics.median(arrivals),
        "other_screen_ms_best": min(arrivals),
    }


async def populate(address: str, folder: Path) -> None:
    """Make the two accounts, and a server with something to read."""
    async with (
        Client(address, data_dir=folder / "sdk") as own,
        Client(address, data_dir=folder / "sdk") as other,
    ):
        await own.register("own", PASSWORD)
        await other.register("other", PASSWORD)
        home = await own.api.servers.create("bench")
        await other.api.servers.accept_invite((await own.api.servers.invite(home.id)).code)
        texts = [c for c in await own.api.channels.of(home.id) if c.kind == "text"]
        for number in range(_HISTORY):
            author = (own, other)[number // 4 % 2]
            text = f"message {number}, with **some** weight and `code`"
            await say(author, ChannelId(texts[0].id), text)
        for person in (own, other):
            last = (await person.api.messages.history(ChannelId(texts[0].id), limit=1)).items[0]
            await person.api.messages.mark_read(ChannelId(texts[0].id), last.id)


async def say(author: Client, channel: ChannelId, text: str) -> None:
    """Send *text* as soon as the server lets one write so much."""
    while True:
        try:
            await author.api.messages.send(channel, text)
        except RateLimited as limited:
            await asyncio.sleep(limited.problem().retry_after_seconds or 1)
        else:
            return


async def measure(folder: Path) -> dict[str, Any]:
    """Return all figures, one after the other, so that none disturbs another."""
    figures = await feel(folder / "feel")
    for name, part in (
        ("call", lambda where: bench_client_call.measure(15.0, where)),
        ("video", lambda where: bench_video.measure(25.0, "720p15", where)),
    ):
        (folder / name).mkdir()
        figures |= await part(folder / name)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feel", action="store_true", help="Only what one waits for.")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        work = feel(Path(place) / "feel") if options.feel else measure(Path(place))
        found = asyncio.run(work)
    found = {"load": os.getloadavg()[0]} | found
    for key, value in found.items():
        must = f"   must be at most {MUST[key]}" if key in MUST else ""
        print(f"{key:28} {value:10.2f}{must}" if value is not None else f"{key:28} -")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
