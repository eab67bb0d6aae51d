"""How a user is seen: what they wish, and whether they are there."""

import unicodedata

import msgspec

from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.social import OwnPresence, Presence, WishedStatus

TEXT_LENGTH_MAX = 128
GAME_LENGTH_MAX = 64
# Last seen is told to the minute: when exactly somebody left is nobody's business.
_COARSE_MS = 60_000
# Joins what people write as one character, as in family emoji; else what shows as nothing.
_JOINERS = "\u200c\u200d"


class Wish(msgspec.Struct, frozen=True):
    """How a user wants to be seen while they are there; text and game go at *clears_at_ms*."""

    status: WishedStatus = "online"
    text: str = ""
    game: str = ""
    clears_at_ms: int | None = None

    def at(self, now_ms: int) -> "Wish":
        """Return what is left of the wish."""
        if self.clears_at_ms is None or now_ms < self.clears_at_ms:
            return self
        return Wish(self.status)


PLAIN = Wish()


def checked_wish(wish: Wish, now_ms: int) -> Wish:
    """Return *wish* with its lines trimmed and composed (NFC). Raises ``Invalid``."""
    if wish.clears_at_ms is not None and wish.clears_at_ms <= now_ms:
        raise Invalid("clears_in_past", "choose a time to clear the status that is still to come")
    return Wish(
        wish.status,
        _checked_line(wish.text, "status_text", TEXT_LENGTH_MAX),
        _checked_line(wish.game, "game", GAME_LENGTH_MAX),
        wish.clears_at_ms,
    )


def seen(user: UserId, wish: Wish, last_seen_ms: int | None, *, there: bool) -> Presence:
    """Return how others see *user*: who is invisible is not there.

    >>> from uuid import UUID
    >>> seen(UserId(UUID(int=1)), Wish("invisible", "at work"), None, there=True).status
    'offline'
    """
    if not there or wish.status == "invisible":
        return Presence(user, "offline", last_seen_ms=last_seen_ms)
    return Presence(user, wish.status, wish.text, wish.game)


def own(user: UserId, wish: Wish) -> Presence:
    """Return how *user* sees themselves, on each of their devices."""
    return Presence(user, wish.status, wish.text, wish.game)


def described(wish: Wish) -> OwnPresence:
    """Return *wish* as it is shown to whose it is."""
    return OwnPresence(wish.status, wish.text, wish.game, wish.clears_at_ms)


def coarse(time_ms: int) -> int:
    """Return *time_ms* to the minute.

    >>> coarse(61_999)
    60000
    """
    return time_ms - time_ms % _COARSE_MS


def _checked_line(text: str, what: str, length_max: int) -> str:
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(line) > length_max:
        raise Invalid(f"{what}_too_long", f"this has at most {length_max} characters; shorten it")
    if not all(letter.isprintable() or letter in _JOINERS for letter in line):
        raise Invalid(
            f"{what}_unprintable", "this holds a character that cannot be seen; take it out"
        )
    return line
