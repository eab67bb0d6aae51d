"""What places may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.chat.domain.name import NAME_LENGTH_MAX, checked_name
from sidetone.protocol.refusals import Invalid


@given(st.text(max_size=150))
def test_any_text_is_a_clean_name_or_is_refused(text: str) -> None:
    try:
        name = checked_name(text)
    except Invalid:
        return
    assert 1 <= len(name) <= NAME_LENGTH_MAX
    assert name.isprintable()
    assert name == name.strip()
    assert checked_name(name) == name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "name_empty"),
        (" \n\t ", "name_empty"),
        ("x" * (NAME_LENGTH_MAX + 1), "name_too_long"),
        ("admin\u202e", "name_unprintable"),
        ("a\u200bb", "name_unprintable"),
        ("bell\a", "name_unprintable"),
    ],
)
def test_bad_names_have_codes(text: str, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_name(text)
    assert caught.value.code == code


def test_the_longest_name_fits() -> None:
    assert checked_name("x" * NAME_LENGTH_MAX) == "x" * NAME_LENGTH_MAX


def test_two_spellings_of_one_name_are_one() -> None:
    assert checked_name("Cafe\u0301") == "Caf\u00e9"
