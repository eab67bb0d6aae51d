"""A port of this machine where the system browser comes back to after a provider's page."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from sidetone.desktop.domain.wording import tr

_PATH: Final = "/oauth/callback"
_LINE_BYTES_MAX: Final = 8192
_REQUEST_SECONDS: Final = 5.0


class Return:
    """One browser that is waited for."""

    def __init__(self) -> None:
        self.redirect_uri = ""
        self._brought: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()

    async def came(self) -> dict[str, str]:
        """Return what the browser brought, once it is back."""
        return await self._brought

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take the first request of the right path, and tell its browser that it can go."""
        with suppress(OSError, TimeoutError, ValueError):
            line = await asyncio.wait_for(reader.readline(), _REQUEST_SECONDS)
            method, target, _ = line.decode("ascii").split(" ", 2)
            asked = urlsplit(target)
            if method == "GET" and asked.path == _PATH and not self._brought.done():
                self._brought.set_result(dict(parse_qsl(asked.query)))
                writer.write(_page("200 OK", tr("You can close this page and go back.")))
            else:
                writer.write(_page("404 Not Found", tr("There is nothing here.")))
            await writer.drain()
        writer.close()


class Loopback:
    """Listens for one browser at a time."""

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Return]:
        """Listen on a free port of the loopback while the block runs."""
        back = Return()
        server = await asyncio.start_server(
            back.answer, "127.0.0.1", 0, limit=_LINE_BYTES_MAX, backlog=8
        )
        async with server:
            back.redirect_uri = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{_PATH}"
            yield back


def _page(status: str, line: str) -> bytes:
    body = f"<!DOCTYPE html><meta charset=utf-8><title>Sidetone</title><p>{escape(line)}".encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
