"""Structured logs, for people or for machines.

Secrets do not come through: a field whose name speaks of one (unless it is a number), and every
bytes value, is replaced before anything is written. Objects are named by their type, not printed:
a request body that is logged by mistake shows nothing of itself. Tracebacks are written without
local variables.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Literal, TypeAlias, cast
from uuid import UUID

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

Form: TypeAlias = Literal["console", "json"]
Level: TypeAlias = Literal["debug", "info", "warning", "error"]

_SECRET_WORDS = (
    "authorization",
    "certificate",
    "cookie",
    "frame",
    "grant",
    "key",
    "password",
    "secret",
    "ticket",
    "token",
)
_REDACTED = "[redacted]"
_DEPTH_MAX = 4
# What structlog and logging themselves put into an event; it is removed before rendering.
_OWN_FIELDS = frozenset({"event", "exc_info", "stack_info", "_record", "_from_structlog"})


def configure(
    form: Form = "console",
    level: Level = "info",
    tags: Mapping[str, object] | None = None,
    to: logging.Handler | None = None,
) -> None:
    """Send the logs of this process, ours and the libraries', to standard error or to *to*.

    Every line carries the *tags*, whichever thread writes it. Uvicorn's own start and stop lines
    are left out below a warning: the process says it itself.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _tagged_with(tags or {}),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    handler = logging.StreamHandler(sys.stderr) if to is None else to
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(form),
            ],
        )
    )
    root = logging.getLogger()
    for replaced in root.handlers[:]:
        root.removeHandler(replaced)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in ("uvicorn", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace what must not be written; a structlog processor.

    >>> redact(None, "info", {"event": "signed_in", "refresh_token": "abc", "body": b"1234"})
    {'event': 'signed_in', 'refresh_token': '[redacted]', 'body': '[4 bytes]'}
    """
    return {
        name: value if name in _OWN_FIELDS else _harmless(name, value)
        for name, value in event.items()
    }


def _tagged_with(tags: Mapping[str, object]) -> Processor:
    def tag(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        return {**tags, **event}

    return tag


def _renderers(form: Form) -> list[Processor]:
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _harmless(name: str, value: object, depth: int = 0) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if any(word in name.lower() for word in _SECRET_WORDS):
        return _REDACTED
    if isinstance(value, str | UUID | PurePath | BaseException):
        return str(value)
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    if depth == _DEPTH_MAX:
        return "[deeper]"
    return _harmless_inside(value, depth + 1)


def _harmless_inside(value: object, depth: int) -> object:
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value)
        return {str(key): _harmless(str(key), inner, depth) for key, inner in entries.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [_harmless("", inner, depth) for inner in cast(Sequence[object], value)]
    return f"<{type(value).__name__}>"
