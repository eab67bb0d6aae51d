"""How messages are grouped and cut: what is drawn anew, and that nothing moves under the eye."""

from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from sidetone.desktop.domain.rows import (
    BESIDE_MAX,
    CHUNK,
    Chunk,
    Marks,
    Sheet,
    alive,
    first_new,
)
from sidetone.desktop.domain.scrolling import Scrolling
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message, ReadState

ADA, BOB = UserId(UUID(int=1)), UserId(UUID(int=2))
CHANNEL, SERVER = ChannelId(UUID(int=3)), ServerId(UUID(int=4))
MINUTE_MS = 60_000


def message(minute: float, author: UserId = ADA, text: str = "hi") -> Message:
    id_ = MessageId(UUID(int=int(minute * MINUTE_MS) << 80))
    return Message(id_, SERVER, CHANNEL, author, text)


def day_of(at_ms: int) -> int:
    return at_ms // (24 * 60 * MINUTE_MS)


def rows(chunks: list[Chunk]) -> list[Message]:
    return [row.message for chunk in chunks for row in chunk.rows]


def test_one_author_within_minutes_stands_under_one_name() -> None:
    messages = [message(1), message(3), message(4, BOB), message(5), message(30)]
    (chunk,) = Sheet(day_of).cut(messages)
    assert [row.head for row in chunk.rows] == [True, False, True, True, True]


def test_an_answer_and_a_new_day_begin_a_group() -> None:
    late = 24 * 60 - 1
    answer = Message(message(late + 1.5).id, SERVER, CHANNEL, ADA, "x", reply_to=message(1).id)
    messages = [message(late), message(late + 1), answer]
    (chunk,) = Sheet(day_of).cut(messages)
    assert [row.head for row in chunk.rows] == [True, True, True]
    assert [row.day for row in chunk.rows] == [True, True, False]


def test_the_line_of_the_new_stands_above_the_first_of_others() -> None:
    messages = [message(1), message(2, BOB), message(3), message(4, BOB)]
    read = ReadState(CHANNEL, messages[1].id, 2, 0)
    assert first_new(messages, read, ADA) == messages[3].id
    assert first_new(messages, ReadState(CHANNEL, messages[3].id, 0, 0), ADA) is None
    # Who came lately has read nothing, and only what was counted is new.
    assert first_new(messages, ReadState(CHANNEL, None, 1, 0), ADA) == messages[3].id
    (chunk,) = Sheet(day_of).cut(messages, Marks(new=messages[3].id))
    assert [row.new for row in chunk.rows] == [False, False, False, True]


def test_a_new_message_changes_one_chunk_and_no_other() -> None:
    messages = [message(n) for n in range(500)]
    sheet = Sheet(day_of)
    before = sheet.cut(messages)
    after = sheet.cut([*messages, message(500)])
    same = [chunk for chunk, now in zip(before, after, strict=False) if chunk is now]
    assert len(same) >= len(before) - 1
    edited = [*messages, message(500)]
    edited[30] = message(30, text="better")
    changed = sheet.cut(edited)
    assert [n for n, (a, b) in enumerate(zip(after, changed, strict=True)) if a is not b] == [1]


def test_older_pages_leave_the_newer_chunks_as_they_were() -> None:
    sheet = Sheet(day_of)
    newer = sheet.cut([message(n) for n in range(100, 150)])
    both = sheet.cut([message(n) for n in range(50, 150)])
    assert both[-1] is newer[-1]
    assert [chunk.key for chunk in both[-2:]] == [chunk.key for chunk in newer]


def test_a_page_that_is_read_on_begins_a_chunk_of_its_own() -> None:
    sheet = Sheet(day_of)
    before = sheet.cut([message(n) for n in range(30)])
    after = sheet.cut([message(n) for n in range(33)], grow=False)
    assert after[: len(before)] == before
    assert [row.message.id for row in after[-1].rows] == [message(n).id for n in (30, 31, 32)]


@given(st.lists(st.sets(st.integers(0, 400), max_size=120), max_size=8), st.booleans())
def test_all_messages_are_drawn_once_in_chunks_that_are_small(
    story: list[set[int]], grow: bool
) -> None:
    sheet = Sheet(day_of)
    for there in story:
        messages = [message(n) for n in sorted(there)]
        chunks = sheet.cut(messages, grow=grow)
        assert rows(chunks) == messages
        assert all(chunk.rows for chunk in chunks)


@given(st.lists(st.integers(1, 2 * CHUNK), min_size=1, max_size=100), st.data())
def test_no_more_rows_live_than_a_window_can_hold(sizes: list[int], data: st.DataObject) -> None:
    center = data.draw(st.integers(0, len(sizes) - 1))
    living = alive(sizes, center)
    assert center in living
    for side, beyond in (
        (range(living.start, center), living.start - 1),
        (range(center + 1, living.stop), living.stop),
    ):
        rows_there = sum(sizes[each] for each in side)
        assert rows_there <= BESIDE_MAX
        assert not 0 <= beyond < len(sizes) or rows_there + sizes[beyond] > BESIDE_MAX


class Client:
    """What a client does with a list: it lays chunks out, and knows their real heights."""

    def __init__(self, scrolling: Scrolling) -> None:
        self.scrolling = scrolling
        self.pixels = 0.0
        self.heights: dict[UUID, float] = {}

    def top_of(self, chunks: list[Chunk], key: UUID) -> float:
        """Return how far above the lower edge of the window *key* begins."""
        edge = 0.0
        for chunk in reversed(chunks):
            if chunk.key == key:
                return edge - self.pixels
            edge += self.heights[chunk.key]
        raise AssertionError(key)

    def lay_out(self, chunks: list[Chunk], *, at_end: bool) -> None:
        drawn = self.scrolling.draw(chunks)
        for chunk in drawn.chunks:
            real = 40.0 * len(chunk.rows) + chunk.key % 700
            if self.heights.get(chunk.key) != real:
                self.heights[chunk.key] = real
                self.pixels += self.scrolling.measured(chunk.key, real, at_end=at_end)


def test_what_is_read_on_below_does_not_move_what_is_seen() -> None:
    sheet, scrolling = Sheet(day_of), Scrolling()
    client = Client(scrolling)
    chunks = sheet.cut([message(n) for n in range(100)], grow=False)
    client.lay_out(chunks, at_end=False)
    scrolling.settled = True
    scrolling.moved(client.pixels, 600)
    key = chunks[-1].key
    before = client.top_of(chunks, key)
    more = sheet.cut([message(n) for n in range(150)], grow=False)
    client.lay_out(more, at_end=False)
    assert client.top_of(more, key) == before


def test_at_the_end_what_is_new_is_seen() -> None:
    sheet, scrolling = Sheet(day_of), Scrolling()
    client = Client(scrolling)
    scrolling.settled = True
    client.lay_out(sheet.cut([message(n) for n in range(40)]), at_end=True)
    client.lay_out(sheet.cut([message(n) for n in range(80)]), at_end=True)
    assert client.pixels == 0


@given(st.lists(st.floats(-9_000, 15_000), min_size=1, max_size=30))
@example([15_000.0, 15_000.0, 15_000.0, -9_000.0, -9_000.0])
def test_wherever_one_scrolls_what_is_seen_is_drawn(steps: list[float]) -> None:
    sheet, scrolling = Sheet(day_of), Scrolling()
    client = Client(scrolling)
    chunks = sheet.cut([message(n) for n in range(1_000)])
    scrolling.settled = True
    client.lay_out(chunks, at_end=True)
    for step in steps:
        drawn = scrolling.draw(chunks)
        total = drawn.below + drawn.above + sum(client.heights[c.key] for c in drawn.chunks)
        client.pixels = min(max(0.0, client.pixels + step), total - 600)
        # Chunks turn out higher or lower than thought: after a few looks all is as it stays.
        for _ in range(len(chunks)):
            if not scrolling.moved(client.pixels, 600):
                break
            client.lay_out(chunks, at_end=False)
        drawn = scrolling.draw(chunks)
        top = drawn.below + sum(client.heights[chunk.key] for chunk in drawn.chunks)
        assert sum(len(chunk.rows) for chunk in drawn.chunks) <= 2 * BESIDE_MAX + CHUNK
        assert drawn.below <= client.pixels + 1
        assert client.pixels + 600 <= top + 1 or drawn.above == 0
