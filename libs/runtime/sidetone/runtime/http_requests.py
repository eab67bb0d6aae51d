"""How a request is typed in every handler, and how its body is read."""

from typing import Any, TypeAlias

from litestar import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import Receive

AnyRequest: TypeAlias = Request[Any, Any, State]

_TOO_LARGE = 413
_MALFORMED = 400


class Malformed(HTTPException):
    """The request cannot be read; *detail* tells where."""

    status_code = _MALFORMED


async def whole_body(receive: Receive, bytes_max: int) -> bytes:
    """Return the body of a request. Raises 413 for one of more than *bytes_max*."""
    message = await receive()
    if message["type"] != "http.request":
        return b""
    body = message["body"]
    if message["more_body"]:
        parts = [body]
        size = len(body)
        while message["type"] == "http.request" and message["more_body"] and size <= bytes_max:
            message = await receive()
            if message["type"] == "http.request":
                parts.append(message["body"])
                size += len(message["body"])
        body = b"".join(parts)
    if len(body) > bytes_max:
        raise HTTPException(status_code=_TOO_LARGE)
    return body
