"""The files of the page: Flet's client, what is ours, and letters that this system has.

Everything comes from this machine: the page is told to ask nobody else, so that it works offline
and no stranger learns that it was opened. Files are compared by ETag, and a browser that has them
compiles nothing again.
"""

import asyncio
import mimetypes
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sidetone.desktop.infrastructure.asgi import Scope, answer
from sidetone.desktop.infrastructure.system_fonts import system_fonts

# Flutter adds styles while it runs, keeps pictures in blobs, and compiles WebAssembly.
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = [
    (b"content-security-policy", _POLICY.encode()),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
_TYPES: Final = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}


def flet_files() -> Path:
    """Return where Flet's client lies, found without importing Flet, which takes a second."""
    spec = find_spec("flet_web")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("flet-web is not installed")
    return Path(spec.origin).parent / "web"


class PageFiles:
    """Answers with the first file of that name in *folders*, or with a font of this system."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder.resolve() for folder in folders]

    async def __call__(self, scope: Scope, send: Any) -> None:  # noqa: ANN401 (ASGI)
        """Answer one request; a path without a suffix is a place in the page."""
        if scope["method"] != "GET":
            await answer(send, 405, _HEADERS)
            return
        known = next((at for name, at in scope["headers"] if name == b"if-none-match"), b"")
        # In one piece: while the rest is imported, each further step would wait for it.
        file = await asyncio.to_thread(self._read, scope["path"], known)
        if file is None:
            await answer(send, 404, _HEADERS)
            return
        kind, etag, content = file
        headers = [
            *_HEADERS,
            (b"content-type", kind),
            (b"etag", etag),
            (b"cache-control", b"no-cache"),
        ]
        if content is None:
            await answer(send, 304, headers)
        else:
            await answer(send, 200, headers, content)

    def _read(self, asked: str, known: bytes) -> tuple[bytes, bytes, bytes | None] | None:
        """Return kind, ETag and content of a file; no content of one that is *known*."""
        path = self._find(asked)
        if path is None:
            return None
        now = path.stat()
        kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
        etag = f'"{now.st_mtime_ns:x}-{now.st_size:x}"'.encode()
        content = None if etag == known else path.read_bytes()
        return (kind or "application/octet-stream").encode(), etag, content

    def _find(self, asked: str) -> Path | None:
        if asked.startswith("/fonts/"):
            return system_fonts().get(asked.removeprefix("/fonts/"))
        name = PurePosixPath(asked.lstrip("/"))
        if not name.suffix:
            name = PurePosixPath("index.html")
        for folder in self._folders:
            path = (folder / name).resolve()
            if path.is_relative_to(folder) and path.is_file():
                return path
        return None
