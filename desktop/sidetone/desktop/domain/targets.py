"""All the places and people that one can go to, for the quick switcher."""

from collections.abc import Iterator
from uuid import UUID

from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.names import name_of
from sidetone.desktop.domain.people import channel_of, conversation_with, conversations, title_of
from sidetone.desktop.domain.quick_switch import Target
from sidetone.protocol.ids import ChannelId


def targets_of(knowledge: Knowledge) -> Iterator[Target]:
    """Return where one can go with this account: conversations, servers and channels, friends."""
    me = UUID(str(knowledge.me.id))
    for conversation in conversations(knowledge):
        waits = _waits(knowledge, ChannelId(channel_of(conversation).id))
        title = title_of(knowledge, conversation)
        yield Target("conversation", title, "", me, conversation.server.id, waits)
    for community in knowledge.communities.values():
        if community.server.kind != "community":
            continue
        home = community.server.name
        yield Target("server", home, "", me, community.server.id)
        for channel in community.visible(knowledge.me.id):
            if channel.kind != "category":
                waits = _waits(knowledge, ChannelId(channel.id))
                kind = "voice" if channel.kind == "voice" else "channel"
                yield Target(kind, channel.name, home, me, channel.id, waits)
    for user, relationship in knowledge.relationships.items():
        if relationship.kind == "friend" and conversation_with(knowledge, user) is None:
            yield Target("person", name_of(knowledge, user), "", me, user)


def _waits(knowledge: Knowledge, channel: ChannelId) -> bool:
    read = knowledge.reads.get(channel)
    return read is not None and read.unread > 0
