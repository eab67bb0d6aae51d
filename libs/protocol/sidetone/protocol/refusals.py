"""The seven ways a request can be refused, and how a refusal looks on the wire.

Anything else that escapes is a bug: it is logged with its traceback and the peer learns nothing.
"""

from typing import ClassVar

import msgspec
from typing_extensions import override


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refusal on the wire, the same over HTTP, the bus and the control stream (after RFC 9457).

    ``code`` is stable and for programs; ``detail`` is one sentence for people.
    """

    kind: str
    code: str
    detail: str
    retry_after_seconds: float | None = None


class Refusal(Exception):
    """A request that we understood and will not carry out. Raise a subclass, never this."""

    kind: ClassVar[str]

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def problem(self) -> Problem:
        """Return what the peer may know about this refusal."""
        return Problem(self.kind, self.code, self.detail)


class Unauthenticated(Refusal):
    """We do not know who is asking."""

    kind = "unauthenticated"


class Forbidden(Refusal):
    """We know who is asking, and they may not."""

    kind = "forbidden"


class NotFound(Refusal):
    """It does not exist, or the asker may not learn that it exists."""

    kind = "not_found"


class Conflict(Refusal):
    """It clashes with the present state; reading again and retrying may work."""

    kind = "conflict"


class Invalid(Refusal):
    """Well-formed, but it breaks a rule of the domain."""

    kind = "invalid"


class RateLimited(Refusal):
    """Too much, too soon."""

    kind = "rate_limited"

    def __init__(self, code: str, detail: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(code, detail)
        self.retry_after_seconds = retry_after_seconds

    @override
    def problem(self) -> Problem:
        """Return the refusal with the time to wait."""
        return Problem(self.kind, self.code, self.detail, self.retry_after_seconds)


class Unavailable(Refusal):
    """Something we depend on is down or slow; the same request may work later."""

    kind = "unavailable"


_KINDS = {kind.kind: kind for kind in Refusal.__subclasses__()}


def refusal_of(problem: Problem) -> Refusal:
    """Return the refusal that another process raised and sent as *problem*.

    A kind that this version does not know is taken for ``Unavailable``: a newer peer may have one.

    >>> refusal_of(Problem("not_found", "channel_unknown", "no such channel"))
    NotFound('channel_unknown: no such channel')
    """
    kind = _KINDS.get(problem.kind, Unavailable)
    if kind is RateLimited:
        return RateLimited(problem.code, problem.detail, problem.retry_after_seconds or 1.0)
    return kind(problem.code, problem.detail)
