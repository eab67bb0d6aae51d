"""A channel as one member stands in it: what they may do there, decided from memory."""

import msgspec

from sidetone.chat.domain.channel import unknown_channel
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.protocol.servers import Channel


class Place(msgspec.Struct, frozen=True):
    """One member in one channel of a community, at one generation of it."""

    community: Community
    channel: Channel
    user: UserId
    permissions: Permission
    generation: int

    @classmethod
    def enter(cls, community: Community, channel: Channel, user: UserId, now_ms: int) -> "Place":
        """Return the place of *user*. Raises ``NotFound``: what is hidden does not exist.

        An archived thread is not in the community's state; it is as the channel it hangs in.
        """
        permissions = community.permissions(user, root_of(channel), now_ms)
        if Permission.VIEW_CHANNEL not in permissions:
            raise unknown_channel()
        return cls(community, channel, user, permissions, community.generation)

    @property
    def root(self) -> ChannelId:
        """Return the channel that decides who sees this one: itself, or a thread's parent."""
        return root_of(self.channel)

    def may(self, needed: Permission) -> bool:
        """Return whether *needed* is granted here."""
        return needed in self.permissions

    def require(self, needed: Permission) -> None:
        """Refuse unless *needed* is granted here."""
        if needed not in self.permissions:
            raise Forbidden(
                "permission_missing",
                f"you need {needed.name} in this channel; ask who runs the server",
            )

    def require_writable(self) -> None:
        """Refuse where nothing new can be said."""
        require_writable(self.channel)


def require_writable(channel: Channel) -> None:
    """Refuse where nothing new can be said: in a category, and in an archived thread."""
    if channel.kind == "category":
        raise Conflict(
            "channel_holds_no_messages", "a category holds channels; write in one of them"
        )
    if channel.archived:
        raise Conflict("thread_archived", "the thread is archived; reopen it, then write")


def root_of(channel: Channel) -> ChannelId:
    """Return the channel whose permissions hold in *channel*."""
    if channel.kind == "thread" and channel.parent is not None:
        return channel.parent
    return channel.id
