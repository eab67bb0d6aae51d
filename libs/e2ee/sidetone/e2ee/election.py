"""Who commits, and when: section 2.4's order and liveness, as arithmetic on milliseconds.

The lowest eligible sender commits at once, each further one 400 ms later, so that a silent
committer is overtaken. It decides nothing about what a commit holds.
"""

from collections.abc import Iterable
from typing import Final

from sidetone.e2ee.commit import Kind

RANK_MS: Final = 400
GATHER_MS: Final = 300
REKEY_MS_MIN: Final = 500
REKEY_MS_PER_MEMBER: Final = 5
REKEY_AGE_MS: Final = 10 * 60_000


def rank_of(sender: int, eligible: Iterable[int]) -> int | None:
    """Count the eligible senders before *sender*; None when it is not eligible itself."""
    ranked = sorted(eligible)
    return ranked.index(sender) if sender in ranked else None


class Election:
    """The times that one member's own commits depend on."""

    def __init__(self) -> None:
        self._commit_ms: int | None = None
        self._gathers = False
        self._rekey_ms: int | None = None
        self._need_ms: int | None = None
        self._retry_ms: int | None = None

    def committed(self, kind: Kind, now_ms: int) -> None:
        """Note that the group took a commit; what is still needed is needed anew.

        Founding changes nobody's keys, so the first join after it need not wait.
        """
        self._commit_ms = now_ms
        self._gathers = kind is not Kind.CREATE
        self._need_ms = self._retry_ms = None
        if kind is Kind.REKEY:
            self._rekey_ms = now_ms

    def defer(self, now_ms: int) -> None:
        """Wait before the next attempt, since this one came to nothing."""
        self._retry_ms = now_ms + GATHER_MS

    def note_need(self, now_ms: int, *, needed: bool) -> None:
        """Begin, or end, the time that a commit has been needed for."""
        if not needed:
            self._need_ms = None
        elif self._need_ms is None:
            self._need_ms = now_ms

    def rekey_allowed_ms(self, size: int) -> int:
        """Say from when on a group of *size* members may be given a fresh secret again."""
        if self._rekey_ms is None:
            return 0
        return self._rekey_ms + max(REKEY_MS_MIN, REKEY_MS_PER_MEMBER * size)

    def due_ms(self, rank: int, earliest_ms: int) -> int | None:
        """Say when a member of *rank* commits for the noted need, at *earliest_ms* or later."""
        if self._need_ms is None:
            return None
        gathered_ms = self._commit_ms + GATHER_MS if self._commit_ms and self._gathers else 0
        begins_ms = max(self._need_ms, gathered_ms, self._retry_ms or 0, earliest_ms)
        return begins_ms + RANK_MS * rank

    def aged_ms(self, rank: int) -> int | None:
        """Say when a member of *rank* replaces a secret that stood for 10 min."""
        if self._commit_ms is None:
            return None
        return max(self._commit_ms + REKEY_AGE_MS, self._retry_ms or 0) + RANK_MS * rank

    def is_aged(self, now_ms: int) -> bool:
        """Tell whether the group's secret stood for 10 min."""
        return self._commit_ms is not None and now_ms >= self._commit_ms + REKEY_AGE_MS
