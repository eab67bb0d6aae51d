"""Tokens against garbage; the abuse list is in the tests of the auth service."""

from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials import tokens
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenSigner
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Unauthenticated

PEM = tokens.new_private_key()
KEYS = tokens.read_key_set(tokens.key_set({"k1": PEM}))
NOW_MS = 1_700_000_000_000
USER, LOGIN, JTI = UserId(UUID(int=1)), LoginId(UUID(int=2)), UUID(int=3)
TOKEN, EXPIRES_AT_MS = TokenSigner("k1", PEM, DEFAULT_POLICY).sign(USER, LOGIN, JTI, NOW_MS)


def test_a_token_is_valid_until_it_expires() -> None:
    claims = tokens.verify(TOKEN, KEYS, DEFAULT_POLICY, EXPIRES_AT_MS - 1)
    assert (claims.sub, claims.sid, claims.jti) == (USER, LOGIN, JTI)
    with pytest.raises(Unauthenticated, match="token_expired"):
        tokens.verify(TOKEN, KEYS, DEFAULT_POLICY, EXPIRES_AT_MS)


def test_a_token_says_what_it_is_good_for() -> None:
    assert tokens.verify(TOKEN, KEYS, DEFAULT_POLICY, NOW_MS).scp == ["api"]
    signer = TokenSigner("k1", PEM, DEFAULT_POLICY)
    narrow, _ = signer.sign(USER, LOGIN, JTI, NOW_MS, ["read", "voice"])
    assert tokens.verify(narrow, KEYS, DEFAULT_POLICY, NOW_MS).scp == ["read", "voice"]


def test_a_key_set_shows_public_halves_only() -> None:
    [key] = msgspec.json.decode(tokens.key_set({"k1": PEM}))["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


def test_other_kinds_of_keys_in_a_key_set_are_left_out() -> None:
    [ours] = msgspec.json.decode(tokens.key_set({"k1": PEM}))["keys"]
    others = [
        {"kty": "oct", "kid": "k2", "k": "AAAA", "alg": "HS256"},
        {"kty": "EC", "kid": "k3", "alg": "RS256"},
        ours | {"alg": "PS256", "kid": "k4"},
    ]
    found = tokens.read_key_set(msgspec.json.encode({"keys": [*others, ours]}))
    assert list(found) == ["k1"]


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")))
def test_garbage_is_refused_and_nothing_else(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(text, KEYS, DEFAULT_POLICY, NOW_MS)


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TOKEN) - 2))
    other = data.draw(
        st.sampled_from("ABCxyz019_-.\x00\u00e9").filter(lambda c: c != TOKEN[place])
    )
    with pytest.raises(Unauthenticated):
        tokens.verify(TOKEN[:place] + other + TOKEN[place + 1 :], KEYS, DEFAULT_POLICY, NOW_MS)
