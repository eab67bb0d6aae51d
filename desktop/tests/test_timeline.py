"""What is loaded of a channel stays in order and without gaps whatever is told of it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidetone.desktop.domain.timeline import LOADED_MAX, Pending, Timeline
from sidetone.protocol.events import ReactionChanged
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message, Reaction

ME, OTHER = UserId(UUID(int=1)), UserId(UUID(int=2))
CHANNEL, SERVER = ChannelId(UUID(int=3)), ServerId(UUID(int=4))


def message(number: int, *, author: UserId = OTHER, nonce: str | None = None) -> Message:
    id_ = MessageId(UUID(int=number << 80))
    return Message(id_, SERVER, CHANNEL, author, f"line {number}", nonce=nonce)


def numbers(timeline: Timeline) -> list[int]:
    return [each.id.int >> 80 for each in timeline.messages]


def test_pages_join_in_order_and_tell_where_history_begins() -> None:
    timeline = Timeline()
    timeline.open([message(n) for n in (9, 8, 7)], begins=False, present=True)
    timeline.extend_back([message(n) for n in (7, 6, 5)], begins=True)
    assert numbers(timeline) == [5, 6, 7, 8, 9]
    assert timeline.begins
    assert timeline.present


def test_what_is_new_is_shown_only_where_the_present_is() -> None:
    timeline = Timeline()
    timeline.open([message(2)], begins=False, present=False)
    timeline.sent(message(9))
    assert numbers(timeline) == [2]
    timeline.extend_on([message(9), message(5)], present=True)
    timeline.sent(message(10))
    assert numbers(timeline) == [2, 5, 9, 10]


def test_an_own_message_is_pending_until_the_server_has_it() -> None:
    timeline = Timeline()
    timeline.open([], begins=True, present=True)
    timeline.write(Pending("a", "first", 1))
    timeline.write(Pending("b", "second", 2))
    timeline.refused("b", "too long")
    timeline.sent(message(1, author=ME, nonce="a"))
    assert [(each.nonce, each.problem) for each in timeline.pending] == [("b", "too long")]
    timeline.withdraw("b")
    assert timeline.pending == []


def test_a_repeated_or_late_event_changes_nothing() -> None:
    timeline = Timeline()
    timeline.open([message(1), message(3)], begins=True, present=True)
    timeline.sent(message(3))
    timeline.sent(message(2))
    assert numbers(timeline) == [1, 2, 3]


def test_an_edit_keeps_our_own_reactions() -> None:
    timeline = Timeline()
    timeline.open([message(1)], begins=True, present=True)
    id_ = timeline.messages[0].id
    timeline.reacted(ReactionChanged(CHANNEL, id_, ME, "👍", added=True, count=1), ME)
    edited = Message(
        id_, SERVER, CHANNEL, OTHER, "better", reactions=[Reaction("👍", 2), Reaction("🔥", 1)]
    )
    timeline.edited(edited)
    assert timeline.messages[0].reactions == [
        Reaction("👍", 2, mine=True),
        Reaction("🔥", 1, mine=False),
    ]
    timeline.reacted(ReactionChanged(CHANNEL, id_, ME, "👍", added=False, count=0), ME)
    assert [each.emoji for each in timeline.messages[0].reactions] == ["🔥"]


def test_after_a_gap_the_place_is_kept_where_it_can_be() -> None:
    timeline = Timeline()
    timeline.open([message(n) for n in range(1, 6)], begins=False, present=True)
    # 5 was deleted meanwhile, 6 and 7 were written: the older ones stay.
    timeline.renew([message(n) for n in (3, 4, 6, 7)], begins=False)
    assert numbers(timeline) == [1, 2, 3, 4, 6, 7]
    # So much was written that nothing joins: only the latest is shown.
    timeline.renew([message(n) for n in (20, 21)], begins=False)
    assert numbers(timeline) == [20, 21]


def test_the_far_end_is_let_go() -> None:
    timeline = Timeline()
    timeline.open([message(n) for n in range(5_000, 5_050)], begins=False, present=True)
    first = 5_000
    while timeline.present:
        page = [message(n) for n in range(first - 50, first)]
        first -= 50
        timeline.extend_back(page, begins=False)
    assert len(timeline.messages) == LOADED_MAX
    assert numbers(timeline)[0] == first
    timeline.sent(message(9_000))
    assert numbers(timeline)[-1] < 9_000


def test_the_oldest_are_let_go_together_and_soon() -> None:
    timeline = Timeline()
    timeline.open([message(n) for n in range(LOADED_MAX)], begins=True, present=True)
    firsts = set[int]()
    for n in range(LOADED_MAX, LOADED_MAX + 200):
        timeline.sent(message(n))
        assert len(timeline.messages) <= LOADED_MAX + 50
        firsts.add(numbers(timeline)[0])
    assert len(firsts) == 4
    assert not timeline.begins


told = st.lists(
    st.tuples(st.sampled_from(["sent", "deleted", "back", "on"]), st.integers(1, 30)), max_size=40
)


@given(told)
def test_there_is_never_a_disorder_or_a_double(story: list[tuple[str, int]]) -> None:
    timeline = Timeline()
    timeline.open([message(15)], begins=False, present=True)
    for what, number in story:
        match what:
            case "sent":
                timeline.sent(message(number))
            case "deleted":
                timeline.deleted([message(number).id])
            case "back":
                first = timeline.messages[0].id.int >> 80 if timeline.messages else 31
                older = [message(n) for n in range(max(1, first - number), first)]
                timeline.extend_back(older, begins=False)
            case _:
                timeline.extend_on([message(number)], present=True)
        shown = numbers(timeline)
        assert shown == sorted(set(shown))
