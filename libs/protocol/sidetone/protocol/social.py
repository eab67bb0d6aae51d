"""Friends, and who is there."""

from typing import Literal, TypeAlias

from sidetone.protocol.ids import UserId
from sidetone.protocol.requests import Answer

RelationshipKind: TypeAlias = Literal["friend", "incoming", "outgoing", "blocked"]
# What others see. Who is ``invisible`` looks ``offline`` to all but themselves.
Status: TypeAlias = Literal["online", "idle", "dnd", "invisible", "offline"]


class Relationship(Answer, frozen=True):
    """What another user is to the one who asks."""

    user: UserId
    kind: RelationshipKind
    since_ms: int


class Presence(Answer, frozen=True):
    """Whether a user is there, and what they do."""

    user: UserId
    status: Status
    text: str = ""
    game: str = ""
    last_seen_ms: int | None = None
