"""What may be said, whom it calls, and what is a reaction: pure rules."""

import unicodedata
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.chat.domain.mention import NOBODY, Mentions, parse, resolve
from sidetone.chat.domain.message import (
    TEXT_LENGTH_MAX,
    checked_attachments,
    checked_batch,
    checked_nonce,
    checked_text,
    links_to_preview,
    outside_code,
    traits,
)
from sidetone.chat.domain.reaction import checked_emoji
from sidetone.chat.domain.reading import id_after, id_at, reading_of, readings_of, time_of
from sidetone.chat.domain.search_query import indexed_words, words_of
from sidetone.community import Community
from sidetone.permissions import ALL, EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, EmojiId, FileId, MessageId, RoleId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import (
    Channel,
    Emoji,
    Member,
    Overwrite,
    Role,
    Server,
    ServerState,
)

OWNER, MEMBER, BLIND = (UserId(UUID(int=number)) for number in (1, 2, 3))
HOME = ServerId(UUID(int=9))
OPEN, HIDDEN, HEADING = (ChannelId(UUID(int=number)) for number in (10, 11, 12))
LOUD, QUIET = RoleId(UUID(int=20)), RoleId(UUID(int=21))
SMILE = EmojiId(UUID(int=30))
HIDE = Overwrite(BLIND, "member", 0, int(Permission.VIEW_CHANNEL))


def community() -> Community:
    return Community(
        ServerState(
            Server(HOME, "home", OWNER),
            1,
            [
                Role(RoleId(HOME), "everyone", 0, int(EVERYONE)),
                Role(LOUD, "loud", 1, 0, mentionable=True),
                Role(QUIET, "quiet", 2, 0),
            ],
            [
                Channel(OPEN, HOME, "open", "text"),
                Channel(HIDDEN, HOME, "hidden", "text", overwrites=[HIDE]),
                Channel(HEADING, HOME, "heading", "category"),
            ],
            [Member(OWNER, 1_000), Member(MEMBER, 2_000, roles=[LOUD]), Member(BLIND, 3_000)],
            [Emoji(SMILE, "smile", FileId(UUID(int=31)))],
        )
    )


@given(st.text(max_size=TEXT_LENGTH_MAX + 50))
def test_a_text_is_stored_clean_or_refused(text: str) -> None:
    try:
        stored = checked_text(text)
    except Invalid:
        return
    assert stored
    assert stored == unicodedata.normalize("NFC", stored).strip()
    assert len(stored) <= TEXT_LENGTH_MAX
    kinds = {unicodedata.category(char) for char in stored if char not in "\n\t"}
    assert not kinds & {"Cc", "Cs"}
    assert checked_text(stored) == stored


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=1_000))
def test_what_people_write_is_never_refused(text: str) -> None:
    assert checked_text(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["\u200b", "\u2060\u200d", " ", "\u3000", "\ufeff"])
def test_what_cannot_be_seen_says_nothing(text: str) -> None:
    with pytest.raises(Invalid):
        checked_text(text)
    checked_text(text, may_be_empty=True)


@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31mred", "a\x7f", "a\x85b"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(Invalid, match="control"):
        checked_text(text)


def test_as_long_as_allowed_is_allowed() -> None:
    assert len(checked_text("ä" * TEXT_LENGTH_MAX)) == TEXT_LENGTH_MAX
    with pytest.raises(Invalid):
        checked_text("ä" * (TEXT_LENGTH_MAX + 1))


@pytest.mark.parametrize("nonce", ["", "x" * 65, "ü", "a\nb", "a\x00"])
def test_an_unusable_nonce_is_refused(nonce: str) -> None:
    with pytest.raises(Invalid):
        checked_nonce(nonce)


def test_lists_are_bounded_and_hold_each_once() -> None:
    files = [FileId(UUID(int=number)) for number in range(11)]
    assert checked_attachments([files[0], files[1], files[0]]) == files[:2]
    with pytest.raises(Invalid):
        checked_attachments(files)
    with pytest.raises(Invalid):
        checked_batch([])
    with pytest.raises(Invalid):
        checked_batch(range(101))


@given(st.text(max_size=500))
def test_any_text_has_few_usable_links(text: str) -> None:
    links = links_to_preview(text + " https://example.org/a ")
    assert len(links) <= 3
    assert all(link.lower().startswith(("http://", "https://")) for link in links)
    assert not any(char.isspace() for link in links for char in link)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("(see https://a.example/x)", ["https://a.example/x"]),
        ("https://a.example/x?y=1&z=2#w!", ["https://a.example/x?y=1&z=2#w"]),
        ("<https://quiet.example>", []),
        ("`https://code.example`", []),
        ("ftp://a.example javascript:alert(1)", []),
        ("**https://a.example**", ["https://a.example"]),
    ],
)
def test_links_are_found_as_they_are_meant(text: str, links: list[str]) -> None:
    assert links_to_preview(text) == links


def message(text: str = "hi", **other: object) -> Message:
    return Message(MessageId(UUID(int=1)), HOME, OPEN, OWNER, text, **other)  # pyright: ignore[reportArgumentType]


def test_a_message_has_what_it_shows() -> None:
    assert traits(message()) == set()
    assert traits(message("<https://a.example>")) == {"link"}
    assert traits(message(mentions=[OWNER], pinned=True)) == {"mention", "pin"}


@given(st.text(max_size=300))
def test_parsing_mentions_of_any_text_never_fails(text: str) -> None:
    named = parse(text)
    assert len(set(named.users)) == len(named.users)
    assert parse(outside_code(text)) == named


@given(st.lists(st.sampled_from([OWNER, MEMBER, BLIND, UserId(UUID(int=99))]), max_size=8))
def test_only_who_sees_the_channel_is_called(users: list[UserId]) -> None:
    named = parse(" ".join(f"<@{user}>" for user in users))
    called = resolve(named, community(), HIDDEN, ALL)
    assert set(called.users) == set(users) & {OWNER, MEMBER}


def test_quiet_roles_and_everyone_take_a_permission() -> None:
    named = parse(f"<@&{LOUD}> <@&{QUIET}> <@&{HOME}> <@&{UUID(int=98)}> @here")
    assert resolve(named, community(), OPEN, EVERYONE) == Mentions([], [LOUD], everyone=False)
    loud = EVERYONE | Permission.MENTION_EVERYONE
    called = resolve(named, community(), OPEN, loud)
    assert called == Mentions([], [LOUD, QUIET], everyone=True)
    assert called.subjects(community()) == [LOUD, QUIET, HOME]


@pytest.mark.parametrize("text", ["a@everyone.example", "@everyoneelse", "`@everyone`", "@@here"])
def test_what_only_looks_like_a_call_calls_nobody(text: str) -> None:
    assert resolve(parse(text), community(), OPEN, ALL) == NOBODY


@pytest.mark.parametrize(
    "emoji", ["👍", "👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "3️⃣", "#⃣", "‼️", "↔️", "©️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", str(SMILE)]
)
def test_one_emoji_is_a_reaction(emoji: str) -> None:
    assert checked_emoji(emoji, community()) == emoji


@pytest.mark.parametrize(
    "text", ["", "a", "1", "👍a", " 👍", "\u200d", "\x00", "hello", "👍" * 30, str(UUID(int=99))]
)
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(Invalid):
        checked_emoji(text, community())


@given(st.text(max_size=40))
def test_no_text_makes_the_check_of_emoji_fail_otherwise(text: str) -> None:
    try:
        checked_emoji(text, community())
    except Invalid:
        return
    assert text


@given(st.integers(-5, (1 << 49)))
def test_the_id_of_a_time_stands_before_all_ids_of_it(time_ms: int) -> None:
    mark = id_at(time_ms)
    assert time_of(mark) == min(max(time_ms, 0), (1 << 48) - 1)
    assert mark <= MessageId(UUID(int=mark.int | 12345))
    assert id_after(mark) > mark


def test_what_was_there_before_a_member_is_not_new_to_them() -> None:
    place = reading_of(community(), MEMBER, OPEN)
    assert (place.since, place.subjects) == (id_at(2_000), [MEMBER, HOME, LOUD])


def test_one_reads_only_what_one_sees() -> None:
    assert [reading.channel for reading in readings_of(community(), BLIND)] == [OPEN]
    assert list(readings_of(community(), UserId(UUID(int=99)))) == []


@given(st.text(max_size=200))
def test_what_is_indexed_is_found_by_its_own_words(text: str) -> None:
    words = indexed_words(text)
    assert indexed_words(" ".join(words)) == words
    assert indexed_words(text.casefold()) == words


def test_case_accents_and_signs_are_looked_past() -> None:
    assert indexed_words("Déjà VU ℠") == indexed_words("deja vu sm") == ["deja", "vu", "sm"]


def test_a_question_is_bounded() -> None:
    with pytest.raises(Invalid):
        words_of("x" * 201)
    with pytest.raises(Invalid):
        words_of("x " * 17)
