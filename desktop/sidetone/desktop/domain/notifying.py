"""What is shown outside of the window, in which words, and how often at most. Pure.

An event becomes news if it is about us, news becomes a notice if the user wants to know of it, and
a notice is shown unless too many were: what is left out is counted in the next one of its group.
"""

from collections import deque
from typing import Final, Literal, TypeAlias

import msgspec

from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.markdown import plain
from sidetone.desktop.domain.names import name_of
from sidetone.desktop.domain.people import title_of
from sidetone.desktop.domain.place import Place
from sidetone.desktop.domain.preferences import Notifications, Preferences
from sidetone.desktop.domain.wording import tr, trn
from sidetone.protocol import events
from sidetone.protocol.calls import Call
from sidetone.protocol.messages import Message
from sidetone.protocol.social import Relationship

PER_MINUTE_MAX: Final = 12
_MINUTE_MS: Final = 60_000
_TEXT_MAX: Final = 200
_GROUPS_MAX: Final = 100

NewsKind: TypeAlias = Literal["message", "mention", "direct_message", "call", "friend_request"]


class News(msgspec.Struct, frozen=True):
    """Something about us: *who* did it, *where* it was, the *text*, the *place* that shows it.

    What has the same *group* is one matter: of one channel, one notice is seen at a time.
    """

    kind: NewsKind
    who: str
    where: str
    text: str
    place: Place
    group: str


class Notice(msgspec.Struct, frozen=True):
    """What the system is to show; a click on it leads to *place*."""

    title: str
    text: str
    place: Place
    group: str
    sounds: bool
    urgent: bool


def news_in(event: events.ClientEvent, knowledge: Knowledge) -> News | None:
    """Return what *event*, which *knowledge* has heard already, means to us; None: nothing."""
    match event:
        case events.MessageSent(message) if message.author != knowledge.me.id:
            return _of_message(message, knowledge)
        case events.CallChanged(call) if knowledge.me.id in call.ringing:
            return _of_call(call, knowledge)
        case events.RelationshipChanged(relationship) if relationship.kind == "incoming":
            return _of_request(relationship, knowledge)
        case _:
            return None


def over_in(event: events.ClientEvent, knowledge: Knowledge) -> str | None:
    """Return the group that nobody needs to be told of any more: read, or no longer ringing."""
    match event:
        case events.ReadMarked(state) if not state.unread:
            return f"channel {state.channel}"
        case events.CallChanged(call) if knowledge.me.id not in call.ringing:
            return f"call {call.id}"
        case _:
            return None


def wanted(news: News, knowledge: Knowledge, wishes: Notifications) -> bool:
    """Tell whether the user wants to know of *news* while looking elsewhere."""
    own = knowledge.presences.get(knowledge.me.id)
    if wishes.do_not_disturb or (own is not None and own.status == "dnd"):
        return False
    match news.kind:
        case "call":
            return wishes.calls
        case "friend_request":
            return wishes.friend_requests
        case _:
            return _loud(news, wishes)


def notice_of(news: News, preferences: Preferences) -> Notice:
    """Put *news* into words; streamer mode tells an audience neither who nor what."""
    hidden = preferences.privacy.streamer_mode
    title, text = (tr("Sidetone"), _kind_alone(news.kind)) if hidden else _words(news)
    return Notice(
        title,
        text,
        news.place,
        news.group,
        # A call rings by itself.
        sounds=preferences.notifications.sounds and news.kind != "call",
        urgent=news.kind == "call",
    )


class Pace:
    """How often notices are shown; those of calls always are."""

    def __init__(self) -> None:
        self._shown_ms: deque[int] = deque(maxlen=PER_MINUTE_MAX)
        self._counts: dict[str, int] = {}

    def admit(self, notice: Notice, now_ms: int) -> Notice | None:
        """Return what to show in place of the notice before it of its group; None: nothing now."""
        before = self._counts.pop(notice.group, 0)
        self._counts[notice.group] = before + 1
        if len(self._counts) > _GROUPS_MAX:
            del self._counts[next(iter(self._counts))]
        full = len(self._shown_ms) == PER_MINUTE_MAX
        if full and now_ms - self._shown_ms[0] < _MINUTE_MS and not notice.urgent:
            return None
        self._shown_ms.append(now_ms)
        if not before or notice.urgent:
            return notice
        more = trn("and {n} more message", "and {n} more messages", before)
        return msgspec.structs.replace(notice, text=f"{notice.text}\n{more}")

    def over(self, group: str) -> bool:
        """Count *group* anew: it was looked at. Return whether there was anything to look at."""
        return self._counts.pop(group, 0) > 0


# --- inside ---


def _of_message(message: Message, knowledge: Knowledge) -> News | None:
    home = knowledge.home_of(message.channel)
    channel = knowledge.channel(message.channel)
    if home is None or channel is None or message.kind == "call":
        return None
    if home.server.kind != "community":
        kind: NewsKind = "direct_message"
    else:
        kind = "mention" if knowledge.calls_us(message) else "message"
    where = f"#{channel.name}, {home.server.name}"
    if kind == "direct_message":
        where = title_of(knowledge, home) if home.server.kind == "group" else ""
    place = Place("server", knowledge.me.id, home.server.id, message.channel, message=message.id)
    if kind == "direct_message":
        place = msgspec.structs.replace(place, screen="friends")
    words = plain(message.text)[:_TEXT_MAX] or tr("Sent a file")
    who = name_of(knowledge, message.author, home)
    return News(kind, who, where, words, place, f"channel {message.channel}")


def _of_call(call: Call, knowledge: Knowledge) -> News:
    place = Place("friends", knowledge.me.id, call.server, call.channel)
    who = name_of(knowledge, call.caller)
    return News("call", who, "", tr("Is calling you"), place, f"call {call.id}")


def _of_request(relationship: Relationship, knowledge: Knowledge) -> News:
    user = relationship.user
    place = Place("friends", knowledge.me.id)
    who = name_of(knowledge, user)
    return News("friend_request", who, "", tr("Wants to be friends"), place, f"request {user}")


def _loud(news: News, wishes: Notifications) -> bool:
    channel, server = news.place.channel, news.place.server
    if channel is not None and channel in wishes.channels:
        loudness = wishes.channels[channel]
    elif news.kind == "direct_message":
        return wishes.direct_messages
    elif server is not None and server in wishes.servers:
        loudness = wishes.servers[server]
    else:
        loudness = wishes.servers_at_first
    return loudness == "all" or (loudness == "mentions" and news.kind != "message")


def _words(news: News) -> tuple[str, str]:
    if not news.where:
        return news.who, news.text
    return tr("{name} in {place}", name=news.who, place=news.where), news.text


def _kind_alone(kind: NewsKind) -> str:
    match kind:
        case "message" | "direct_message":
            return tr("New message")
        case "mention":
            return tr("You were mentioned")
        case "call":
            return tr("Somebody is calling you")
        case "friend_request":
            return tr("Somebody wants to be friends")
