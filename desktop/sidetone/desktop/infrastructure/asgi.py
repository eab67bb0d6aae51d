"""The few words of ASGI that the page needs."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

Scope: TypeAlias = dict[str, Any]
Asgi: TypeAlias = Callable[[Scope, Any, Any], Coroutine[Any, Any, None]]


async def answer(
    send: Any,  # noqa: ANN401 (ASGI)
    status: int,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes = b"",
) -> None:
    """Answer a request, whole."""
    size = (b"content-length", str(len(body)).encode())
    lengths = [] if status == 304 else [size]  # noqa: PLR2004 (not modified: has no body)
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *lengths]})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, send: Any, why: str) -> None:  # noqa: ANN401 (ASGI)
    """Say no, in one line."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await answer(send, 403, headers, why.encode())
