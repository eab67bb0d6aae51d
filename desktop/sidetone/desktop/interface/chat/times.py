"""When something was written, in the words of the language that is spoken."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from sidetone.desktop.domain.wording import tr

# Clocks of all countries differ by whole quarters of an hour, so that no day begins within one.
_QUARTER_MS: Final = 15 * 60_000


def local(at_ms: int) -> datetime:
    """Return a moment by the clock on the wall."""
    return datetime.fromtimestamp(at_ms / 1000).astimezone()


def day_of(at_ms: int) -> int:
    """Return the number of the day that *at_ms* is in, here."""
    return _day_of_quarter(at_ms // _QUARTER_MS)


@lru_cache(maxsize=4096)
def _day_of_quarter(quarter: int) -> int:
    return local(quarter * _QUARTER_MS).toordinal()


def clock(at_ms: int) -> str:
    """Return the time of the day."""
    return local(at_ms).strftime("%H:%M")


def moment(at_ms: int) -> str:
    """Return the time, with the day where it is not today's."""
    at = local(at_ms)
    today = datetime.now().astimezone().date()
    time = at.strftime("%H:%M")
    if at.date() == today:
        return time
    if at.date() == today - timedelta(days=1):
        return tr("Yesterday at {time}", time=time)
    return tr("{date} at {time}", date=short_date(at.date()), time=time)


def short_date(day: date) -> str:
    """Return a day in digits, in the order that the language writes them."""
    return tr("{month}/{day}/{year}", year=day.year, month=f"{day.month:02}", day=f"{day.day:02}")


def long_date(at_ms: int) -> str:
    """Return a day with the name of its month."""
    day = local(at_ms).date()
    return tr("{month} {day}, {year}", month=_month(day.month), day=day.day, year=day.year)


def _month(number: int) -> str:
    return (
        tr("January"),
        tr("February"),
        tr("March"),
        tr("April"),
        tr("May"),
        tr("June"),
        tr("July"),
        tr("August"),
        tr("September"),
        tr("October"),
        tr("November"),
        tr("December"),
    )[number - 1]


def size(count: int) -> str:
    """Return how large something of *count* bytes is, in the unit that fits.

    >>> size(900), size(12_900_000)
    ('900 B', '12.3 MB')
    """
    if count < 1 << 10:
        return f"{count} B"
    if count < 1 << 20:
        return f"{count / (1 << 10):.0f} KB"
    return f"{count / (1 << 20):.1f} MB"
