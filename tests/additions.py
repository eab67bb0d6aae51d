"""What a newer document of events took away from an older one; additions break nobody.

Whoever reads events ignores what it does not know: fields, kinds, values of an enumeration. What
it knows must stay where it is, of the same type, and be there as surely as before.
"""

from collections.abc import Iterator
from typing import Any

# Words that a reader does not depend on.
_PROSE = {"description", "title", "summary", "default"}


def taken_away(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a line for each thing of *old* that readers depend on and *new* has not."""
    return [
        *_changed(old["channels"], new["channels"], "channels"),
        *_changed(old["components"], new["components"], "components"),
    ]


def _changed(old: Any, new: Any, where: str) -> Iterator[str]:
    match old, new:
        case dict(), dict():
            for name, part in old.items():
                if name in _PROSE and not isinstance(part, dict):
                    continue
                if name not in new:
                    yield f"{where}/{name} is gone"
                else:
                    yield from _changed(part, new[name], f"{where}/{name}")
        case list(), list():
            # Required fields, alternatives, values: there may be more.
            yield from (f"{where}: {part} is gone" for part in old if part not in new)
            if where.endswith("/anyOf"):
                # A kind that is not known can be ignored, a plain value of another type cannot.
                more = [part for part in new if part not in old and "$ref" not in part]
                yield from (f"{where} may be {part}" for part in more)
        case _:
            if old != new:
                yield f"{where} was {old} and is {new}"
