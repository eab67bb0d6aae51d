"""How far somebody has read, and where a time stands among ids."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import msgspec

from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, MessageId, UserId

# More are not counted: who has so many to read does not need the number.
UNREAD_MAX = 100
_TIME_MS_MAX = (1 << 48) - 1


class Reading(msgspec.Struct, frozen=True):
    """One channel for one reader: from where on it is new to them, and what calls them there.

    *since* holds for who has read nothing yet: what was there before they came is not unread.
    """

    channel: ChannelId
    since: MessageId
    subjects: Sequence[UUID]


def reading_of(community: Community, user: UserId, channel: ChannelId) -> Reading:
    """Return how *channel* is to be read by *user*, who is a member."""
    member = community.members[user]
    subjects = [user, community.server.id, *member.roles]
    return Reading(channel, id_at(member.joined_at_ms), subjects)


def readings_of(community: Community, user: UserId) -> Iterator[Reading]:
    """Yield all that *user* can read in *community*."""
    if user in community.members:
        for channel in community.visible(user):
            if channel.kind != "category":
                yield reading_of(community, user, channel.id)


def id_at(time_ms: int) -> MessageId:
    """Return the id before all that are made in the millisecond *time_ms* or later.

    Ids begin with 48 bits of milliseconds (UUIDv7, RFC 9562 section 5.7).

    >>> id_at(1)
    UUID('00000000-0001-0000-0000-000000000000')
    """
    return MessageId(UUID(int=min(max(time_ms, 0), _TIME_MS_MAX) << 80))


def id_after(message: MessageId) -> MessageId:
    """Return the next id: a range that ends before it holds *message* as its last."""
    return MessageId(UUID(int=min(message.int + 1, (1 << 128) - 1)))


def id_before(message: MessageId) -> MessageId:
    """Return the id before *message*: what comes after it holds *message* as its first."""
    return MessageId(UUID(int=max(message.int - 1, 0)))


def time_of(message: UUID) -> int:
    """Return the milliseconds at which the id was made.

    >>> time_of(id_at(1_700_000_000_000))
    1700000000000
    """
    return message.int >> 80
