"""When which of several signing keys is used: published before it signs, kept after.

Verifiers keep a copy of the key set for a while. A key is shown to them for a day before the first
token needs it, and for a day after the last token that it can have signed.
"""

from collections.abc import Sequence

import msgspec

PUBLISHED_BEFORE_MS = 24 * 3_600_000
KEPT_AFTER_MS = 24 * 3_600_000
ROTATED_AFTER_MS = 30 * 24 * 3_600_000


class DatedKey(msgspec.Struct, frozen=True):
    """A key's number, counted from one, and when it was made."""

    number: int
    created_at_ms: int

    @property
    def signs_from_ms(self) -> int:
        """When it begins to sign; the first one has nobody to wait for."""
        return self.created_at_ms + (PUBLISHED_BEFORE_MS if self.number > 1 else 0)


class Schedule(msgspec.Struct, frozen=True):
    """Which key signs now, and which ones are published, by number; *due*: make the next."""

    signing: int
    published: list[int]
    due: bool


def schedule(keys: Sequence[DatedKey], now_ms: int) -> Schedule:
    """Judge *keys*, of which there is at least one.

    >>> day = 24 * 3_600_000
    >>> schedule([DatedKey(1, 0), DatedKey(2, 30 * day)], 30 * day)
    Schedule(signing=1, published=[1, 2], due=False)
    >>> schedule([DatedKey(1, 0), DatedKey(2, 30 * day)], 32 * day)
    Schedule(signing=2, published=[2], due=False)
    """
    ordered = sorted(keys, key=lambda key: key.number)
    signing = ordered[0]
    for key in ordered:
        if key.signs_from_ms <= now_ms:
            signing = key
    published = [
        key.number
        for key, following in zip(ordered, [*ordered[1:], None], strict=True)
        if following is None or now_ms < following.signs_from_ms + KEPT_AFTER_MS
    ]
    newest = ordered[-1]
    due = newest is signing and now_ms - newest.created_at_ms >= ROTATED_AFTER_MS
    return Schedule(signing.number, published, due)
