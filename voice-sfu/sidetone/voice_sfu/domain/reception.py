"""What the listeners of a room lose, and when each speaker is told.

A speaker protects its sound for the worst of those who hear it, so it is told the largest loss
among the others, in steps: the first report and more loss at once, less only after it was not
needed for a while. So whatever the listeners report, and however often, a member is told at most
one fall in that while and as many rises as there are steps. Times are milliseconds of the room's
clock.
"""

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from sidetone.protocol.ids import Sender

# In percent. Beyond the last one an encoder has nothing left to give.
STEPS_PERCENT = (0, 1, 2, 3, 5, 8, 12, 20, 30)
# Fewer frames than this are an accident, not a share.
FRAMES_MIN = 20
# Who says nothing for so long hears nobody, and counts as one without loss.
REPORT_LASTS_MS = 10_000
FALL_AFTER_MS = 10_000


class _Report(msgspec.Struct, frozen=True):
    loss_percent: int
    until_ms: int


class _Told(msgspec.Struct):
    loss_percent: int
    # The last time that the worst loss was no smaller.
    needed_at_ms: int


class Losses:
    """The latest report of each listener, and what each speaker was told last."""

    def __init__(self) -> None:
        self._reports: dict[Sender, _Report] = {}
        self._told: dict[Sender, _Told] = {}

    def report(self, listener: Sender, received: int, lost: int, now_ms: int) -> None:
        """Note how many frames *listener* got and missed; few, or impossible ones, say nothing."""
        frames = received + lost
        if min(received, lost) < 0 or frames < FRAMES_MIN:
            return
        self._reports[listener] = _Report(step_of(lost / frames), now_ms + REPORT_LASTS_MS)

    def forget(self, member: Sender) -> None:
        """Let go of what *member* reported and was told."""
        self._reports.pop(member, None)
        self._told.pop(member, None)

    def news(self, members: Iterable[Sender], now_ms: int) -> dict[int, list[Sender]]:
        """Return who of *members* is to be told which percentage now; most often nobody.

        Everybody is told the same, but for the listener with the worst loss, whom only the second
        worst concerns: one look at the reports serves a whole room.
        """
        self._drop_old_reports(now_ms)
        by_loss = sorted((report.loss_percent, who) for who, report in self._reports.items())
        worst, worst_listener = by_loss[-1] if by_loss else (None, None)
        second = by_loss[-2][0] if len(by_loss) > 1 else None
        news: dict[int, list[Sender]] = {}
        for member in members:
            percent = second if member == worst_listener else worst
            if percent is None and member not in self._told:
                continue
            if self._is_news(member, percent or 0, now_ms):
                news.setdefault(percent or 0, []).append(member)
        return news

    def _drop_old_reports(self, now_ms: int) -> None:
        old = [who for who, report in self._reports.items() if report.until_ms <= now_ms]
        for listener in old:
            del self._reports[listener]

    def _is_news(self, member: Sender, percent: int, now_ms: int) -> bool:
        told = self._told.get(member)
        if told is None:
            self._told[member] = _Told(percent, now_ms)
            return True
        falls = percent < told.loss_percent
        if falls and now_ms - told.needed_at_ms < FALL_AFTER_MS:
            return False
        changed = percent != told.loss_percent
        told.loss_percent, told.needed_at_ms = percent, now_ms
        return changed


def step_of(share: float) -> int:
    """Return the smallest step that covers *share*, 0 to 1; less than half a percent is none.

    >>> [step_of(share) for share in (0.004, 0.006, 0.034, 0.036, 0.3, 1.0)]
    [0, 1, 3, 5, 30, 30]
    """
    step = bisect_left(STEPS_PERCENT, round(100 * share))
    return STEPS_PERCENT[min(step, len(STEPS_PERCENT) - 1)]
