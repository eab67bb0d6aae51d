"""Versions of what people may edit at the same time: entity tags (RFC 9110, section 8.8.3).

A read answers with the version in ``ETag``. Who sends it back in ``If-Match`` with an edit is
refused when somebody else was faster; who sends none takes the risk.
"""

from sidetone.protocol.refusals import Conflict
from sidetone.runtime.http_requests import AnyRequest


def etag(version: int) -> str:
    """Return the strong entity tag of *version*.

    >>> etag(17)
    '"17"'
    """
    return f'"{version}"'


def require_match(request: AnyRequest, version: int) -> None:
    """Refuse an edit of another version than *version*, the present one.

    Raises ``Conflict`` with code ``stale_version``. Two edits at once can both pass: whoever
    stores puts the version into the condition of the write as well.
    """
    wanted = request.headers.get("if-match")
    if wanted is None or matches(wanted, version):
        return
    raise Conflict(
        "stale_version", "somebody else has changed this; read it again, then repeat your edit"
    )


def matches(header: str, version: int) -> bool:
    """Tell whether an ``If-Match`` header admits *version*; weak tags never match.

    >>> matches('"3", "4"', 4), matches("*", 4), matches('W/"4"', 4), matches('"5"', 4)
    (True, True, False, False)
    """
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or etag(version) in tags


def expected(request: AnyRequest) -> int | None:
    """Return the version that the sender wants to edit, None where any will do.

    For who puts it into the condition of the write. A header that names no version of ours, or
    several, names one that never was: -1.
    """
    wanted = request.headers.get("if-match")
    if wanted is None or wanted.strip() == "*":
        return None
    digits = wanted.strip().removeprefix('"').removesuffix('"')
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else -1  # noqa: PLR2004 - the length of the largest 64-bit number
