"""Everything that one account knows, kept by what the gateway tells: the truth that screens draw.

Pure: a ``Ready`` replaces all, an event changes a part, and both return what they were about, so
that only what shows it is drawn anew. What was told twice does no harm.
"""

from collections.abc import Iterable
from typing import Final

from sidetone.community import Community
from sidetone.desktop.domain.timeline import Timeline
from sidetone.desktop.domain.topics import NOTHING, Topic, Topics, topics
from sidetone.permissions import Permission
from sidetone.protocol import events
from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.commands import CommandAnswered, CommandInvoked
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.servers import Channel
from sidetone.protocol.social import Presence, Relationship

TYPING_MS: Final = 8_000
# Timelines kept beside the open ones: going back to a channel needs no request.
_TIMELINES_MAX: Final = 30
_UNREAD_MAX: Final = 100


class Knowledge:
    """What is known of servers, people, messages and calls, for the account *me*."""

    def __init__(self, me: User) -> None:
        self.me = me
        self.communities: dict[ServerId, Community] = {}
        self.users: dict[UserId, User] = {me.id: me}
        self.presences: dict[UserId, Presence] = {}
        self.relationships: dict[UserId, Relationship] = {}
        self.reads: dict[ChannelId, ReadState] = {}
        self.voices: dict[ChannelId, dict[UserId, VoiceState]] = {}
        self.calls: dict[ChannelId, Call] = {}
        self.typing: dict[ChannelId, dict[UserId, int]] = {}
        self.timelines: dict[ChannelId, Timeline] = {}
        self._homes: dict[ChannelId, ServerId] = {}

    # --- who asks ---

    def channel(self, channel: ChannelId) -> Channel | None:
        """Return a channel that we see, by its id."""
        community = self.home_of(channel)
        return community.channels.get(channel) if community is not None else None

    def home_of(self, channel: ChannelId) -> Community | None:
        """Return the server that *channel* is in."""
        home = self._homes.get(channel)
        return self.communities.get(home) if home is not None else None

    def permissions(self, channel: ChannelId, now_ms: int) -> Permission:
        """Return what we may do in *channel*."""
        community = self.home_of(channel)
        if community is None:
            return Permission.NONE
        return community.permissions(self.me.id, channel, now_ms)

    def timeline(self, channel: ChannelId) -> Timeline:
        """Return what is loaded of *channel*; the ones that were longest unused are let go."""
        timeline = self.timelines.pop(channel, None) or Timeline()
        self.timelines[channel] = timeline
        idle = [k for k, one in self.timelines.items() if not one.pending and one.draft.empty]
        for old in idle:
            if len(self.timelines) <= _TIMELINES_MAX:
                break
            if old != channel:
                del self.timelines[old]
        return timeline

    def calls_us(self, message: Message) -> bool:
        """Tell whether *message* mentions us: by name, by a role, or with everyone."""
        community = self.home_of(message.channel)
        member = community.members.get(self.me.id) if community is not None else None
        return (
            message.mentions_everyone
            or self.me.id in message.mentions
            or (member is not None and not set(member.roles).isdisjoint(message.mentioned_roles))
        )

    def unknown(self, users: Iterable[UserId]) -> list[UserId]:
        """Return those of *users* whose names must be asked for."""
        return [user for user in dict.fromkeys(users) if user not in self.users]

    def waiting(self, server: ServerId) -> tuple[bool, int]:
        """Return whether anything is unread in *server*, and how many mentions wait there."""
        community = self.communities.get(server)
        reads = [self.reads.get(ChannelId(c)) for c in community.channels] if community else []
        return (
            any(read is not None and read.unread for read in reads),
            sum(read.mentions for read in reads if read is not None),
        )

    # --- what is told ---

    def begin(self, ready: Ready) -> Topics:
        """Know what *ready* says and nothing from before, but for what waits to be sent."""
        self.me = ready.me
        self.communities = {ServerId(s.server.id): Community(s) for s in ready.servers}
        self.users.update((user.id, user) for user in [ready.me, *ready.users])
        self.presences = {each.user: each for each in ready.presences}
        self.relationships = {each.user: each for each in ready.relationships}
        self.reads = {each.channel: each for each in ready.read_states}
        self.voices = {}
        for state in ready.voice_states:
            self.voices.setdefault(state.channel, {})[state.user] = state
        self.calls = {call.channel: call for call in ready.calls}
        self.typing = {}
        self._homes = {}
        for server in self.communities:
            self._place(server)
        # Messages may have been missed: what is open is read again, the rest when it is opened.
        for timeline in self.timelines.values():
            timeline.loaded = False
        return topics(
            *(Topic("server", server) for server in self.communities),
            *(Topic("unread", channel) for channel in self._homes),
            *(Topic("messages", channel) for channel in self.timelines),
            *(Topic("voice", channel) for channel in self._homes),
            *(Topic("user", user) for user in self.users),
            *(Topic(kind) for kind in ("servers", "people", "calls", "accounts", "unread")),
        )

    def learn(self, users: Iterable[User]) -> Topics:
        """Know the names of *users* from now on."""
        learnt = list(users)
        self.users.update((user.id, user) for user in learnt)
        return topics(*(Topic("user", user.id) for user in learnt))

    def apply(self, event: events.ClientEvent, now_ms: int) -> Topics:  # noqa: C901, PLR0911, PLR0912 (a case for each kind of event)
        """Know what *event* says, and return what it is about."""
        match event:
            case events.ServerChanged():
                return self._server_changed(event)
            case events.ServerOpened(state):
                server = ServerId(state.server.id)
                self.communities[server] = Community(state)
                self._place(server)
                return topics(Topic("servers"), Topic("server", server), Topic("people"))
            case events.ServerClosed(server):
                return self._close(server)
            case events.MessageSent(message):
                return self._sent(message)
            case events.MessageEdited(message):
                self._timeline(message.channel).edited(message)
                return topics(Topic("messages", message.channel))
            case events.MessagesDeleted(channel, gone):
                self._timeline(channel).deleted(gone)
                return topics(Topic("messages", channel))
            case events.ReactionChanged(channel):
                self._timeline(channel).reacted(event, self.me.id)
                return topics(Topic("messages", channel))
            case events.ReadMarked(state):
                return self._read(state)
            case events.TypingStarted(channel, user):
                if user != self.me.id:
                    self.typing.setdefault(channel, {})[user] = now_ms + TYPING_MS
                return topics(Topic("typing", channel))
            case events.UserChanged(user):
                return self.learn([user])
            case events.AccountClosed(user):
                return topics(Topic("user", user))
            case events.RelationshipChanged(relationship):
                return self._related(relationship.user, relationship)
            case events.RelationshipEnded(user):
                return self._related(user, None)
            case events.PresenceChanged(presence):
                return self._present(presence)
            case events.VoiceStateChanged(channel, user, state):
                return self._voice(channel, user, state)
            case events.CallChanged(call):
                self.calls[call.channel] = call
                if call.outcome != "open":
                    del self.calls[call.channel]
                return topics(Topic("calls"))
            case events.MoveRequested() | CommandInvoked() | CommandAnswered():
                return NOTHING

    def forget_typing(self, now_ms: int) -> Topics:
        """Let those type no longer of whom nothing was heard for a while."""
        stopped: list[Topic] = []
        for channel, until in list(self.typing.items()):
            left = {user: end for user, end in until.items() if end > now_ms}
            if len(left) < len(until):
                stopped.append(Topic("typing", channel))
                self.typing[channel] = left
        return topics(*stopped)

    # --- inside ---

    def _server_changed(self, change: events.ServerChanged) -> Topics:
        if change.deleted:
            return self._close(change.server)
        community = self.communities.get(change.server)
        if community is None:
            return NOTHING
        community.apply(change)
        self._place(change.server)
        renamed = [Topic("servers")] if change.now is not None else []
        members = (Topic("user", member.user) for member in change.members)
        return topics(Topic("server", change.server), *renamed, *members)

    def _close(self, server: ServerId) -> Topics:
        self.communities.pop(server, None)
        for channel in [channel for channel, home in self._homes.items() if home == server]:
            self._forget(channel)
        return topics(Topic("servers"), Topic("server", server), Topic("people"), Topic("unread"))

    def _place(self, server: ServerId) -> None:
        channels = {ChannelId(channel) for channel in self.communities[server].channels}
        for channel in [c for c, home in self._homes.items() if home == server]:
            if channel not in channels:
                self._forget(channel)
        self._homes.update((channel, server) for channel in channels)

    def _forget(self, channel: ChannelId) -> None:
        for kept in (self._homes, self.reads, self.voices, self.typing, self.timelines):
            kept.pop(channel, None)

    def _timeline(self, channel: ChannelId) -> Timeline:
        """Return what is loaded of *channel*, or something to be thrown away."""
        return self.timelines.get(channel) or Timeline()

    def _sent(self, message: Message) -> Topics:
        channel = message.channel
        self._timeline(channel).sent(message)
        changed = [Topic("messages", channel)]
        if self.typing.get(channel, {}).pop(message.author, None) is not None:
            changed.append(Topic("typing", channel))
        if message.author != self.me.id:
            self._count(message)
            changed += self._unread(channel)
        return topics(*changed)

    def _read(self, state: ReadState) -> Topics:
        if self.reads.get(state.channel) == state:
            return NOTHING
        self.reads[state.channel] = state
        return topics(*self._unread(state.channel))

    def _unread(self, channel: ChannelId) -> list[Topic]:
        return [
            Topic("unread"),
            Topic("unread", self._homes.get(channel)),
            Topic("unread", channel),
        ]

    def _count(self, message: Message) -> None:
        """Count one more unread message, and whether it calls us, as the server does."""
        channel = message.channel
        read = self.reads.get(channel) or ReadState(channel, None, 0, 0)
        self.reads[channel] = ReadState(
            channel,
            read.last_read,
            min(read.unread + 1, _UNREAD_MAX),
            read.mentions + self.calls_us(message),
        )

    def _present(self, presence: Presence) -> Topics:
        before = self.presences.get(presence.user)
        self.presences[presence.user] = presence
        was_there = before is not None and before.status != "offline"
        told = was_there != (presence.status != "offline") or presence.user in self.relationships
        return topics(Topic("user", presence.user), *([Topic("presences")] if told else []))

    def _related(self, user: UserId, relationship: Relationship | None) -> Topics:
        if relationship is None:
            self.relationships.pop(user, None)
        else:
            self.relationships[user] = relationship
        return topics(Topic("people"), Topic("user", user))

    def _voice(self, channel: ChannelId, user: UserId, state: VoiceState | None) -> Topics:
        there = self.voices.setdefault(channel, {})
        if state is None:
            there.pop(user, None)
        else:
            there[user] = state
        return topics(Topic("voice", channel), Topic("user", user))
