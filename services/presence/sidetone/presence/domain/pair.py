"""Two users and what each is to the other: the state machine of friendship.

Nobody learns that they are blocked: a request to who blocked one looks open for as long as the
block lasts, and ends with it as if it had been declined.
"""

import msgspec

from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.protocol.social import RelationshipKind


class Pair(msgspec.Struct, frozen=True):
    """What the other is to me, and I to the other; None: nothing."""

    mine: RelationshipKind | None = None
    theirs: RelationshipKind | None = None

    def turned(self) -> "Pair":
        """Return the pair as the other sees it.

        >>> Pair("outgoing", "incoming").turned()
        Pair(mine='incoming', theirs='outgoing')
        """
        return Pair(self.theirs, self.mine)


NOTHING = Pair()
FRIENDS = Pair("friend", "friend")


def befriend(pair: Pair) -> Pair:
    """Return the pair after I ask the other, or accept what they asked.

    Raises ``Conflict`` where I have blocked them.

    >>> befriend(befriend(NOTHING).turned())
    Pair(mine='friend', theirs='friend')
    >>> befriend(Pair(theirs="blocked"))
    Pair(mine='outgoing', theirs='blocked')
    """
    if pair.mine == "blocked":
        raise Conflict("user_blocked", "you have blocked this user; unblock them first")
    if pair.mine == "incoming":
        return FRIENDS
    if pair.mine is not None:
        return pair
    return Pair("outgoing", pair.theirs or "incoming")


def block(pair: Pair) -> Pair:
    """Return the pair after I block the other: whatever else was between us ends.

    >>> block(FRIENDS)
    Pair(mine='blocked', theirs=None)
    """
    if pair.mine == "blocked":
        return pair
    return Pair("blocked", "blocked" if pair.theirs == "blocked" else None)


def part(pair: Pair) -> Pair:
    """Return the pair after I end it: unfriend, decline, cancel or unblock.

    Raises ``NotFound`` where there is nothing to end.

    >>> part(FRIENDS)
    Pair(mine=None, theirs=None)
    >>> part(Pair("blocked", "outgoing"))
    Pair(mine=None, theirs=None)
    """
    if pair.mine is None:
        raise NotFound("relationship_unknown", "there is nothing between you and this user")
    return Pair(None, "blocked" if pair.theirs == "blocked" else None)
