"""What a field shows and what is written in it, when somebody types on while it is emptied."""

from sidetone.desktop.domain.draft import EMPTIED_MS, Draft

NOW_MS = 1_000_000


def sent(text: str) -> Draft:
    """Return what is left after *text* was sent."""
    draft = Draft()
    assert not draft.typed(text, NOW_MS)
    draft.clear(NOW_MS)
    return draft


def test_letters_that_are_faster_than_the_empty_field_begin_the_next_message() -> None:
    draft = sent("hello ")
    assert draft.typed("hello w", NOW_MS + 5)
    assert draft.typed("hello wh", NOW_MS + 30)
    assert draft.text == "wh"
    assert not draft.typed("who", NOW_MS + 60)
    assert draft.text == "who"
    assert not draft.typed("hello who", NOW_MS + 90)
    assert draft.text == "hello who"


def test_what_is_written_later_may_begin_like_what_was_sent() -> None:
    draft = sent("hi")
    assert not draft.typed("hi there", NOW_MS + EMPTIED_MS)
    assert draft.text == "hi there"


def test_what_is_given_back_is_whole_and_written_on() -> None:
    draft, written = sent("too early"), Draft()
    written.typed("too early", NOW_MS)
    draft.take(written)
    assert not draft.typed("too early, then", NOW_MS + 5)
    assert draft.text == "too early, then"
