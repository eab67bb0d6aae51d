"""A web server that says what a test wants, and how chat asks for previews."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.media.tests.stage import Stage
from sidetone.protocol.files import LinkPreview
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.questions import PreviewLink
from sidetone.protocol.refusals import Unavailable

Writer = asyncio.StreamWriter
Handler = Callable[[str, str, Writer], Awaitable[None]]

PAGE = b"""<!doctype html><html><head><title>Plain title</title>
<meta property="og:title" content="Birds &amp; bees">
<meta property="og:description" content=" How they
  get along ">
<meta property="og:site_name" content="Nature"><meta property="og:image" content="/bird.png">
</head><body></body></html>"""


def answer(
    body: bytes, media_type: str = "text/html; charset=utf-8", status: str = "200 OK", **more: str
) -> bytes:
    headers = {"content-type": media_type, "content-length": str(len(body))} | more
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(target: str) -> bytes:
    return answer(b"", status="302 Found", location=target)


class Site:
    """A web server that says what a test wants; it knows what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Handler] = {}
        self.asked: list[tuple[str, str]] = []
        self.at_once = 0
        self.at_once_max = 0

    async def serve(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split(" ")[1]
            host = next(line[6:] for line in head if line.lower().startswith("host: "))
            self.asked.append((host, path))
            page = self.pages.get(path, answer(b"", status="404 Not Found"))
            if isinstance(page, bytes):
                writer.write(page)
                await writer.drain()
            else:
                await page(host, path, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


@asynccontextmanager
async def open_site(stage: Stage) -> AsyncGenerator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    stage.web.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()


async def preview(stage: Stage, url: str, channel: ChannelId | None = None) -> LinkPreview | None:
    """Ask as chat does: again while the page has not answered yet."""
    channel = channel or stage.channel()
    async with asyncio.timeout(30):
        while True:
            try:
                return await stage.around.bus.ask(PreviewLink(url, channel))
            except Unavailable as refusal:
                if refusal.code != "preview_pending":
                    raise
