"""Takes files from the page: each at an address of its own that works once.

Not by the page's socket, which carries small things: a file there would be one message, held
several times in memory, and everything that is drawn would wait behind it.
"""

import asyncio
import secrets
from typing import Any, Final

from sidetone.desktop.domain.wording import tr
from sidetone.desktop.infrastructure.asgi import Scope, answer
from sidetone.protocol.refusals import Invalid, Refusal, Unavailable

PREFIX: Final = "/upload/"
_NAME_BYTES: Final = 24


class Arriving:
    """One file on its way from the page, which sends it to *path*."""

    def __init__(self, path: str, bytes_max: int) -> None:
        self.path = path
        self.bytes_max = bytes_max
        self._content: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def content(self) -> bytes:
        """Return it when it is here; ``Unavailable`` if it broke off, ``Invalid`` if too large."""
        return await self._content

    def arrived(self, content: bytes) -> None:
        """Note that it is here."""
        if not self._content.done():
            self._content.set_result(content)

    def failed(self, why: Refusal) -> None:
        """Note that it will never be here."""
        if not self._content.done():
            self._content.set_exception(why)


class PageUploads:
    """The files that are expected."""

    def __init__(self) -> None:
        self._expected: dict[str, Arriving] = {}

    def expect(self, bytes_max: int) -> Arriving:
        """Return where the page shall send a file of at most *bytes_max*."""
        path = PREFIX + secrets.token_urlsafe(_NAME_BYTES)
        self._expected[path] = arriving = Arriving(path, bytes_max)
        return arriving

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI)
        """Take one file."""
        arriving = self._expected.pop(scope["path"], None)
        if arriving is None:
            await answer(send, 404, [])
        elif scope["method"] not in {"PUT", "POST"}:
            self._expected[arriving.path] = arriving
            await answer(send, 405, [])
        else:
            await answer(send, await _take(arriving, receive), [])


async def _take(arriving: Arriving, receive: Any) -> int:  # noqa: ANN401 (ASGI)
    """Read a file as it comes; return the status that says how it went."""
    pieces = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            arriving.failed(
                Unavailable("file_broke_off", tr("The file did not arrive; choose it again."))
            )
            return 400
        pieces += message.get("body", b"")
        if len(pieces) > arriving.bytes_max:
            arriving.failed(
                Invalid(
                    "file_too_large",
                    tr("A file has at most {n} MB here.", n=arriving.bytes_max >> 20),
                )
            )
            return 413
        if not message.get("more_body", False):
            arriving.arrived(bytes(pieces))
            return 200
