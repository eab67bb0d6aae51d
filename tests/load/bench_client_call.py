"""What a call costs the client's process: `./just bench client_call --json FILE`.

A server, a client in a call and a browser that draws it are processes of their own. Twelve others
begin or end to speak ten times a second while the microphone's level is shown twenty times a
second; the figure is what the client's process uses more than in the same call drawn still.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright

from desktop.tests.stage import CHROMIUM, load
from sidetone.client.client import Client
from tests.load.bench_voice_node import process
from tests.load.video_sides import PASSWORD

MUST = {"speakers_and_meter_percent": 8, "resident_megabytes": 260, "append_python_ms": 4}
_SERVE = ("-m", "sidetone.all_in_one", "serve", "--host", "127.0.0.1", "--port", "0")


async def measure(seconds: float, folder: Path) -> dict[str, Any]:
    """Return the figures of one client in one call, each over so many seconds."""
    (folder / "server").mkdir(mode=0o700)
    async with process(*_SERVE, "--data", str(folder / "server")) as address:
        async with Client(address, data_dir=folder / "founder") as founder:
            await founder.register("founder", PASSWORD)
            await founder.api.servers.create("bench")
        client = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.load.client_call", address, "founder"),
            *(str(folder / "client"), str(seconds)),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "SIDETONE_MICROPHONE": "null", "SIDETONE_SPEAKER": "null"},
        )
        assert client.stdin is not None
        assert client.stdout is not None
        try:
            url = (await client.stdout.readline()).decode().strip()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--no-sandbox"]
                )
                page = await browser.new_page(viewport={"width": 1280, "height": 800})
                await load(page, url)
                client.stdin.write(b"looked at\n")
                figures = json.loads(await client.stdout.readline())
                await page.screenshot(path=folder / "drawn.png")
                await browser.close()
        finally:
            if client.returncode is None:
                client.terminate()
            await client.wait()
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measure(options.seconds, Path(name)))
    found = {"load": os.getloadavg()[0]} | found
    for key, value in found.items():
        must = f"   must be at most {MUST[key]}" if key in MUST else ""
        print(f"{key:28} {value:8.1f}{must}")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
