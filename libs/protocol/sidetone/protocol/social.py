"""Friends, and who is there."""

from typing import Literal, TypeAlias

from sidetone.protocol.ids import UserId
from sidetone.protocol.requests import Answer, Body

RelationshipKind: TypeAlias = Literal["friend", "incoming", "outgoing", "blocked"]
# What others see. Who is ``invisible`` looks ``offline`` to all but themselves.
Status: TypeAlias = Literal["online", "idle", "dnd", "invisible", "offline"]
# What one can wish to be: offline one is by not being there.
WishedStatus: TypeAlias = Literal["online", "idle", "dnd", "invisible"]


class SetRelationship(Body, frozen=True):
    """``PUT /presence/relationships/{user}``: what the other shall be.

    ``friend`` asks them, or accepts what they asked.
    """

    kind: Literal["friend", "blocked"]


class Relationship(Answer, frozen=True):
    """What another user is to the one who asks."""

    user: UserId
    kind: RelationshipKind
    since_ms: int


class SetPresence(Body, frozen=True):
    """``PUT /presence/me``: how one wants to be seen while one is there.

    At *clears_at_ms* text and game go by themselves; the status stays.
    """

    status: WishedStatus = "online"
    text: str = ""
    game: str = ""
    clears_at_ms: int | None = None


class OwnPresence(Answer, frozen=True):
    """``GET /presence/me``: how one is seen while one is there."""

    status: WishedStatus
    text: str
    game: str
    clears_at_ms: int | None


class Presence(Answer, frozen=True):
    """Whether a user is there, and what they do.

    *last_seen_ms* is when they were seen going, to the minute; None while they are there, and of
    who never was.
    """

    user: UserId
    status: Status
    text: str = ""
    game: str = ""
    last_seen_ms: int | None = None
