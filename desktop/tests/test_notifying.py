"""What is told outside of the window, in which words, and how often."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.application.notify import Notify
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.notifying import (
    PER_MINUTE_MAX,
    News,
    Notice,
    Pace,
    news_in,
    notice_of,
    wanted,
)
from sidetone.desktop.domain.place import Place
from sidetone.desktop.domain.preferences import Notifications, Preferences, Privacy
from sidetone.protocol import events
from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import CallId, ChannelId, MessageId, ServerId, SessionId, UserId
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.servers import Channel, Member, Server, ServerState
from sidetone.protocol.social import Presence, Relationship

ME, ADA = User(UserId(UUID(int=1)), "me"), User(UserId(UUID(int=2)), "ada", "Ada")
TAVERN, TALK, GROUP = (ServerId(UUID(int=n)) for n in (10, 11, 12))
GENERAL, DIRECT, TABLE = (ChannelId(UUID(int=n)) for n in (20, 21, 22))
HOMES = {GENERAL: TAVERN, DIRECT: TALK, TABLE: GROUP}


def state(server: Server, channel: Channel) -> ServerState:
    return ServerState(server, 1, [], [channel], [Member(ME.id, 0), Member(ADA.id, 0)])


@pytest.fixture
def knowledge() -> Knowledge:
    known = Knowledge(ME)
    servers = [
        state(Server(TAVERN, "Tavern", ADA.id), Channel(GENERAL, TAVERN, "general", "text")),
        state(Server(TALK, "", ADA.id, "direct"), Channel(DIRECT, TALK, "", "direct")),
        state(Server(GROUP, "Table", ADA.id, "group"), Channel(TABLE, GROUP, "", "direct")),
    ]
    known.begin(Ready(SessionId(UUID(int=9)), ME, servers, [ADA], [], [], [], [], []))
    return known


def said(channel: ChannelId = GENERAL, text: str = "hello", **more: Any) -> events.MessageSent:
    by = more.pop("by", ADA.id)
    id_ = MessageId(UUID(int=more.pop("number", 100)))
    return events.MessageSent(Message(id_, HOMES[channel], channel, by, text, **more))


def call(*ringing: UserId) -> events.CallChanged:
    return events.CallChanged(
        Call(CallId(UUID(int=5)), TALK, DIRECT, ADA.id, 0, "open", [*ringing])
    )


REQUEST = events.RelationshipChanged(Relationship(ADA.id, "incoming", 0))
DND = Notifications(do_not_disturb=True)
QUIET = Notifications(direct_messages=False, calls=False, friend_requests=False)
ALL_IN_TAVERN = Notifications(servers={TAVERN: "all"})
NOTHING_IN_TAVERN = Notifications(servers={TAVERN: "nothing"})
MENTION = said(mentions=[ME.id])


@pytest.mark.parametrize(
    ("event", "wishes", "told"),
    [
        (said(), Notifications(), False),
        (said(), ALL_IN_TAVERN, True),
        (said(), Notifications(servers_at_first="all"), True),
        (said(), Notifications(servers={TAVERN: "all"}, channels={GENERAL: "mentions"}), False),
        (said(), Notifications(servers={TAVERN: "nothing"}, channels={GENERAL: "all"}), True),
        (said(by=ME.id), ALL_IN_TAVERN, False),
        (MENTION, Notifications(), True),
        (said(mentions_everyone=True), Notifications(), True),
        (said(mentions=[ADA.id]), Notifications(), False),
        (MENTION, NOTHING_IN_TAVERN, False),
        (MENTION, DND, False),
        (said(DIRECT), Notifications(), True),
        (said(TABLE), Notifications(), True),
        (said(DIRECT), QUIET, False),
        (said(DIRECT), Notifications(channels={DIRECT: "nothing"}), False),
        (said(DIRECT, kind="call"), Notifications(), False),
        (call(ME.id), Notifications(), True),
        (call(ME.id), QUIET, False),
        (call(ME.id), DND, False),
        (call(ADA.id), Notifications(), False),
        (REQUEST, Notifications(), True),
        (REQUEST, QUIET, False),
        (events.TypingStarted(GENERAL, ADA.id), ALL_IN_TAVERN, False),
    ],
)
def test_what_one_wants_to_know(
    knowledge: Knowledge, event: events.ClientEvent, wishes: Notifications, told: bool
) -> None:
    news = news_in(event, knowledge)
    assert (news is not None and wanted(news, knowledge, wishes)) == told


def test_who_shows_others_not_to_be_disturbed_is_not(knowledge: Knowledge) -> None:
    news = news_in(call(ME.id), knowledge)
    assert news is not None
    knowledge.presences[ME.id] = Presence(ME.id, "dnd")
    assert not wanted(news, knowledge, Notifications())


@pytest.mark.parametrize(
    ("event", "title", "text"),
    [
        (said(text="so **much** to\n\nsay"), "Ada in #general, Tavern", "so much to say"),
        (said(TABLE), "Ada in Table", "hello"),
        (said(DIRECT, text=""), "Ada", "Sent a file"),
        (said(DIRECT, text="the end: ||he lives||"), "Ada", "the end: ▒▒▒"),
        (said(DIRECT, text="x" * 4_000), "Ada", "x" * 200),
        (call(ME.id), "Ada", "Is calling you"),
        (REQUEST, "Ada", "Wants to be friends"),
    ],
)
def test_in_which_words(
    knowledge: Knowledge, event: events.ClientEvent, title: str, text: str
) -> None:
    news = news_in(event, knowledge)
    assert news is not None
    notice = notice_of(news, Preferences())
    assert (notice.title, notice.text) == (title, text)
    hidden = notice_of(news, Preferences(privacy=Privacy(streamer_mode=True)))
    assert hidden.title == "Sidetone"
    for word in ("Ada", "Tavern", "general", "Table", "much", "hello", "xxx"):
        assert word not in hidden.title + hidden.text
    assert hidden.place == notice.place


def test_a_click_leads_to_the_message(knowledge: Knowledge) -> None:
    news = news_in(said(), knowledge)
    assert news is not None
    assert news.place == Place("server", ME.id, TAVERN, GENERAL, message=MessageId(UUID(int=100)))


# --- how often ---


def notice(group: str = "a", text: str = "hello", *, urgent: bool = False) -> Notice:
    return Notice("Ada", text, Place("friends"), group, sounds=True, urgent=urgent)


def test_what_follows_in_a_group_tells_how_many_there_were() -> None:
    pace = Pace()
    shown = [pace.admit(notice(), now_ms) for now_ms in range(3)]
    assert [each.text for each in shown if each] == [
        "hello",
        "hello\nand 1 more message",
        "hello\nand 2 more messages",
    ]
    assert pace.over("a")
    assert not pace.over("a")
    assert pace.admit(notice(), 4) == notice()


@given(st.lists(st.tuples(st.integers(0, 20_000), st.sampled_from("abc"), st.booleans())))
def test_no_minute_shows_more_than_it_may_and_no_call_is_lost(
    steps: list[tuple[int, str, bool]],
) -> None:
    pace, now_ms, shown_ms = Pace(), 0, list[int]()
    for later_ms, group, urgent in steps:
        now_ms += later_ms
        admitted = pace.admit(notice(group, urgent=urgent), now_ms)
        if urgent:
            assert admitted is not None
        elif admitted is not None:
            recent = [each for each in shown_ms if now_ms - each < 60_000]
            assert len(recent) < PER_MINUTE_MAX
        if admitted is not None:
            shown_ms.append(now_ms)


def test_a_flood_is_shown_in_part_and_counted() -> None:
    pace = Pace()
    shown = [pace.admit(notice(), 0) for _ in range(500)]
    assert sum(each is not None for each in shown) == PER_MINUTE_MAX
    later = pace.admit(notice(), 60_000)
    assert later is not None
    assert "and 500 more messages" in later.text


# --- the use case ---


class Desktop:
    """Keeps what is shown; *knowledge* makes it an account too."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.shown: dict[str, Notice] = {}
        self.changed = asyncio.Event()
        self.broken = False

    async def show(self, notice: Notice) -> None:
        self.changed.set()
        if self.broken:
            raise RuntimeError("no desktop")
        self.shown[notice.group] = notice

    async def take_back(self, group: str) -> None:
        del self.shown[group]
        self.changed.set()

    async def settled(self) -> list[str]:
        await self.changed.wait()
        self.changed.clear()
        return [each.text for each in self.shown.values()]

    def load(self) -> tuple[Preferences, str]:
        return Preferences(), ""

    def save(self, preferences: Preferences) -> None:
        pass

    def now_ms(self) -> int:
        return 0

    def new_id(self) -> UUID:
        raise NotImplementedError


@pytest.fixture
def desktop(knowledge: Knowledge) -> Desktop:
    return Desktop(knowledge)


def notify(desktop: Desktop, seen: set[ChannelId | None]) -> Notify:
    def looked_at(news: News) -> bool:
        return news.place.channel in seen

    preferences = KeepPreferences(desktop, Preferences(), lambda _: None)
    return Notify(desktop, preferences, desktop, looked_at)


async def test_what_is_read_is_taken_back(desktop: Desktop) -> None:
    told = notify(desktop, set())
    told.heard(desktop, said(DIRECT))
    assert await desktop.settled() == ["hello"]
    told.heard(desktop, events.ReadMarked(ReadState(DIRECT, None, 0, 0)))
    assert await desktop.settled() == []
    told.heard(desktop, call(ME.id))
    assert await desktop.settled() == ["Is calling you"]
    told.heard(desktop, call())
    assert await desktop.settled() == []
    await told.close()


async def test_what_is_looked_at_is_not_told(desktop: Desktop) -> None:
    told = notify(desktop, {DIRECT})
    told.heard(desktop, said(DIRECT))
    told.heard(desktop, said(TABLE, text="elsewhere"))
    assert await desktop.settled() == ["elsewhere"]
    await told.close()


async def test_a_desktop_that_fails_does_not_end_it(
    desktop: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    told = notify(desktop, set())
    desktop.broken = True
    told.heard(desktop, said(DIRECT, text="the canary"))
    await desktop.settled()
    desktop.broken = False
    told.heard(desktop, said(TABLE, text="again"))
    assert await desktop.settled() == ["again"]
    assert "canary" not in caplog.text
    await told.close()


def test_a_preference_changes_what_is_told_at_once(knowledge: Knowledge) -> None:
    news = news_in(said(), knowledge)
    assert news is not None
    louder = msgspec.structs.replace(Notifications(), servers={TAVERN: "all"})
    assert [wanted(news, knowledge, each) for each in (Notifications(), louder)] == [False, True]
