"""Whom one knows and talks to outside of servers: what the home of an account shows, in order."""

from typing import Final, Literal, TypeAlias
from uuid import UUID

from sidetone.community import Community
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.names import name_of
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.servers import Channel
from sidetone.protocol.social import RelationshipKind

FriendsTab: TypeAlias = Literal["online", "all", "requests", "blocked"]
TABS: Final[tuple[FriendsTab, ...]] = ("online", "all", "requests", "blocked")
_KINDS: Final[dict[FriendsTab, tuple[RelationshipKind, ...]]] = {
    "online": ("friend",),
    "all": ("friend",),
    "requests": ("incoming", "outgoing"),
    "blocked": ("blocked",),
}


def people_of(knowledge: Knowledge, tab: FriendsTab) -> list[UserId]:
    """Return whom *tab* lists: what asks for an answer first, then by name."""
    found = [
        each
        for each in knowledge.relationships.values()
        if each.kind in _KINDS[tab] and (tab != "online" or is_there(knowledge, each.user))
    ]
    found.sort(
        key=lambda each: (each.kind == "outgoing", name_of(knowledge, each.user).casefold())
    )
    return [each.user for each in found]


def is_there(knowledge: Knowledge, user: UserId) -> bool:
    """Tell whether *user* is seen to be there."""
    presence = knowledge.presences.get(user)
    return presence is not None and presence.status not in {"offline", "invisible"}


def requests_waiting(knowledge: Knowledge) -> int:
    """Return how many people wait for an answer."""
    return sum(each.kind == "incoming" for each in knowledge.relationships.values())


def conversations(knowledge: Knowledge) -> list[Community]:
    """Return the conversations: those with something unread first, then the latest."""
    found = [each for each in knowledge.communities.values() if each.server.kind != "community"]
    return sorted(found, key=lambda each: _place(knowledge, channel_of(each)), reverse=True)


def channel_of(conversation: Community) -> Channel:
    """Return the one channel of a conversation."""
    return next(iter(conversation.channels.values()))


def others_in(knowledge: Knowledge, conversation: Community) -> list[UserId]:
    """Return with whom one talks in *conversation*."""
    return [user for user in map(UserId, conversation.members) if user != knowledge.me.id]


def title_of(knowledge: Knowledge, conversation: Community) -> str:
    """Return what a conversation is called: its name, or those of the others."""
    names = (name_of(knowledge, user) for user in others_in(knowledge, conversation))
    return conversation.server.name or ", ".join(sorted(names, key=str.casefold))


def conversation_with(knowledge: Knowledge, user: UserId) -> Community | None:
    """Return the conversation of two with *user*, if it was ever opened."""
    return next(
        (
            each
            for each in knowledge.communities.values()
            if each.server.kind == "direct" and user in each.members
        ),
        None,
    )


def _place(knowledge: Knowledge, channel: Channel) -> tuple[bool, UUID]:
    """Return what to sort by; ids of messages, channels and servers all sort by their time."""
    id_ = ChannelId(channel.id)
    read = knowledge.reads.get(id_) or ReadState(id_, None, 0, 0)
    timeline = knowledge.timelines.get(id_)
    newest = timeline.newest if timeline is not None else None
    times = [UUID(str(each)) for each in (channel.id, read.last_read, newest) if each is not None]
    return read.unread > 0, max(times)
