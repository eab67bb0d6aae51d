"""How what goes wrong is answered: refusals as problem documents, bugs as an empty 500."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from sidetone.protocol.refusals import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    RateLimited,
    Refusal,
    Unauthenticated,
    Unavailable,
)
from sidetone.runtime.http_requests import AnyRequest, Malformed
from sidetone.runtime.openapi import PROBLEM_MEDIA_TYPE

BODY_BYTES_MAX = 64 * 1024

_STATUS: Mapping[type[Refusal], int] = {
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    RateLimited: 429,
    Unavailable: 503,
}
_BUG = 500
_UNAVAILABLE = 503
_RETRY_AFTER_OUTAGE_SECONDS = 1
# What the framework finds wrong by itself, before a use case runs.
_PROBLEMS: Mapping[int, Problem] = {
    404: Problem("not_found", "route_unknown", "there is nothing at this path; check the URL"),
    405: Problem("invalid", "method_not_allowed", "this path does not take this method"),
    413: Problem("invalid", "body_too_large", f"send at most {BODY_BYTES_MAX} bytes"),
    415: Problem("invalid", "media_type_unknown", "send JSON, with Content-Type application/json"),
}
_MALFORMED = Problem(
    "invalid",
    "malformed",
    "the request cannot be read; send it as this version of the interface defines it",
)
_log = structlog.get_logger(__name__)


def exception_handlers() -> dict[int | type[Exception], Any]:
    """Return what the framework calls for each kind of exception."""
    return {
        Refusal: _refuse,
        HTTPException: _reject,
        # The framework lets this one through for a body that is not UTF-8.
        UnicodeDecodeError: _misread,
        Exception: _confess,
    }


def status_of(refusal: Refusal) -> int:
    """Return the status of an answer that is *refusal*."""
    return _STATUS[type(refusal)]


def _refuse(_: AnyRequest, refusal: Refusal) -> Response[bytes]:
    problem = refusal.problem()
    status = status_of(refusal)
    headers: dict[str, str] = {}
    if problem.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, round(problem.retry_after_seconds)))
    elif status == _UNAVAILABLE:
        headers["retry-after"] = str(_RETRY_AFTER_OUTAGE_SECONDS)
    if isinstance(refusal, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return _answer(problem, status, headers)


def _reject(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    if error.status_code >= _BUG:
        return _confess(request, error)
    problem = _PROBLEMS.get(error.status_code, _MALFORMED)
    if isinstance(error, Malformed):
        problem = msgspec.structs.replace(problem, detail=error.detail)
    headers = {name: value for name, value in (error.headers or {}).items() if name == "allow"}
    if "GET" in headers.get("allow", ""):
        headers["allow"] += ", HEAD"
    return _answer(problem, error.status_code, headers)


def _misread(_: AnyRequest, __: UnicodeDecodeError) -> Response[bytes]:
    return _answer(_MALFORMED, 400, {})


def _confess(request: AnyRequest, error: Exception) -> Response[bytes]:
    _log.error("request_failed", method=request.method, exc_info=error)
    return Response(b"", status_code=_BUG)


def _answer(problem: Problem, status: int, headers: dict[str, str]) -> Response[bytes]:
    return Response(
        msgspec.json.encode(problem),
        status_code=status,
        headers=headers,
        media_type=PROBLEM_MEDIA_TYPE,
    )
