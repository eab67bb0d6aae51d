"""Say who is what to a user, page by page."""

from dataclasses import dataclass
from uuid import UUID

from sidetone.presence.application.ports import Relations
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page
from sidetone.protocol.social import Relationship


@dataclass(frozen=True, slots=True)
class ListRelationships:
    """Sorted by the others' ids, so that a page is the same whatever else changes."""

    relations: Relations

    async def __call__(self, user: UserId, limit: int, cursor: str | None) -> Page[Relationship]:
        """Return up to *limit* relationships after *cursor*. Raises ``Invalid``."""
        found = await self.relations.of(user, _user(cursor), limit + 1)
        more = len(found) > limit
        page = found[:limit]
        return Page(page, str(page[-1].user) if more else None)


def _user(cursor: str | None) -> UserId | None:
    if cursor is None:
        return None
    try:
        return UserId(UUID(cursor))
    except ValueError:
        raise Invalid("cursor_unknown", "take the cursor from the page before") from None
