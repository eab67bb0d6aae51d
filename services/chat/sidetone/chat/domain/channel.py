"""What a channel may be, and what it can allow and deny."""

from uuid import UUID

from sidetone.permissions import OF_CALLS, OF_CHANNELS, Permission
from sidetone.permissions import Overwrite as Level
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.protocol.servers import Channel, ChannelKind, Overwrite

SLOW_MODE_SECONDS_MAX = 6 * 3600
OVERWRITES_MAX = 500
# What people make themselves; threads begin with a message, and conversations have their one.
KINDS_TO_CREATE = frozenset({"text", "voice", "category"})


def checked_level(kind: ChannelKind, allow: int, deny: int) -> Level:
    """Return what a channel of *kind* is to allow and deny, if it means something there.

    Raises ``Invalid``; powers over the whole server (invites, kicks) are no channel's to give.

    >>> checked_level("voice", 0, int(Permission.SPEAK)).deny
    4
    """
    known = OF_CHANNELS if kind == "text" else OF_CHANNELS | OF_CALLS
    if allow < 0 or deny < 0 or (allow | deny) & ~int(known):
        raise Invalid(
            "permission_unsettable", f"a {kind} channel can allow or deny only {known.name}"
        )
    return Level(Permission(allow), Permission(deny))


def checked_slow_mode(seconds: int) -> int:
    """Return how long one waits between two messages. Raises ``Invalid``."""
    if not 0 <= seconds <= SLOW_MODE_SECONDS_MAX:
        raise Invalid("slow_mode_out_of_range", "slow mode takes 0 to 21600 seconds (six hours)")
    return seconds


def overwrite_of(channel: Channel, subject: UUID) -> Overwrite | None:
    """Return what *channel* says of *subject*."""
    return next((each for each in channel.overwrites if each.subject == subject), None)


def unknown_channel() -> NotFound:
    """Return the one refusal for channels that are absent, hidden, or in another server."""
    return NotFound("channel_unknown", "there is no such channel, or you may not see it")
