"""What may be said of a member, and for how long one can be silenced."""

from uuid import UUID

from sidetone.chat.domain.name import checked_text
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.protocol.servers import Member

NICKNAME_LENGTH_MAX = 32
REASON_LENGTH_MAX = 512
TIMEOUT_MS_MAX = 28 * 24 * 3_600_000
DELETION_SECONDS_MAX = 7 * 24 * 3_600
BANS_MAX = 10_000


def checked_nickname(text: str | None) -> str | None:
    """Return the name to show in place of the account's; None, or nothing: the account's.

    >>> checked_nickname("  "), checked_nickname(" Ben ")
    (None, 'Ben')
    """
    if text is None or not text.strip():
        return None
    return checked_text(text, "nickname", NICKNAME_LENGTH_MAX)


def checked_reason(text: str) -> str:
    """Return why something was done, in one line. Raises ``Invalid``."""
    return checked_text(text, "reason", REASON_LENGTH_MAX, empty=True)


def checked_timeout(until_ms: int, now_ms: int) -> int:
    """Return when a timeout ends; what is past ends it now. Raises ``Invalid``."""
    if until_ms <= now_ms:
        return 0
    if until_ms - now_ms > TIMEOUT_MS_MAX:
        raise Invalid("timeout_too_long", "a timeout lasts at most 28 days")
    return until_ms


def checked_deletion_seconds(seconds: int) -> int:
    """Return how far back a ban deletes what was written. Raises ``Invalid``."""
    if not 0 <= seconds <= DELETION_SECONDS_MAX:
        raise Invalid("deletion_out_of_range", "a ban deletes what is at most seven days old")
    return seconds


def member_order(member: Member) -> tuple[int, UUID]:
    """Return what members are listed by: who has been there longest comes first."""
    return member.joined_at_ms, member.user


def order_after(cursor: str | None) -> tuple[int, UUID]:
    """Return the place in that order which *cursor* names. Raises ``Invalid``."""
    if cursor is None:
        return -1, UUID(int=0)
    joined_at_ms, _, user = cursor.partition("-")
    try:
        return int(joined_at_ms), UUID(user)
    except ValueError:
        raise Invalid("cursor_unknown", "take the cursor from the page before") from None


def unknown_member() -> NotFound:
    """Return the refusal for who is not in the server."""
    return NotFound("member_unknown", "there is no such member in this server")


def unknown_ban() -> NotFound:
    """Return the refusal for who is not banned."""
    return NotFound("ban_unknown", "they are not banned from this server")
