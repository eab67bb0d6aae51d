"""When which of several ticket keys is used: published before it signs, kept after.

Voice nodes learn of the keys every few seconds, and a ticket lives thirty of them; an hour each is
for services and nodes that were cut off.
"""

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from sidetone.protocol.refusals import Conflict

PUBLISHED_BEFORE_MS = 3_600_000
KEPT_AFTER_MS = 3_600_000
# A ticket has one byte for the number of its key, and zero is none.
KID_MAX = 255


class DatedKey(msgspec.Struct, frozen=True):
    """A key's number on the wire, and when it was made."""

    kid: int
    created_at_ms: int


def signing(keys: Sequence[DatedKey], now_ms: int) -> int:
    """Return the number of the key that signs now; the first of all had nobody to wait for.

    >>> hour = 3_600_000
    >>> keys = [DatedKey(1, 0), DatedKey(2, 30 * hour)]
    >>> signing(keys, 30 * hour), signing(keys, 31 * hour)
    (1, 2)
    """
    ordered = sorted(keys, key=lambda key: key.created_at_ms)
    chosen = ordered[0]
    for key in ordered[1:]:
        if key.created_at_ms + PUBLISHED_BEFORE_MS <= now_ms:
            chosen = key
    return chosen.kid


def over(keys: Sequence[DatedKey], now_ms: int) -> list[int]:
    """Return the numbers of those that no living ticket can name any more.

    >>> hour = 3_600_000
    >>> over([DatedKey(1, 0), DatedKey(2, 30 * hour)], 32 * hour)
    [1]
    """
    ordered = sorted(keys, key=lambda key: key.created_at_ms)
    return [
        key.kid
        for key, following in pairwise(ordered)
        if following.created_at_ms + PUBLISHED_BEFORE_MS + KEPT_AFTER_MS <= now_ms
    ]


def next_kid(keys: Sequence[DatedKey]) -> int:
    """Return a number that no key has. Raises ``Conflict``.

    >>> next_kid([DatedKey(254, 0), DatedKey(255, 1)])
    1
    """
    taken = {key.kid for key in keys}
    newest = max(keys, key=lambda key: key.created_at_ms).kid
    for step in range(1, KID_MAX + 1):
        kid = (newest + step - 1) % KID_MAX + 1
        if kid not in taken:
            return kid
    raise Conflict("ticket_keys_full", "there are 255 keys already: wait until old ones are over")
