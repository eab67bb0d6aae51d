"""A further device: by a code that the server never learns, or by a phrase."""

import secrets
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.e2ee import linking
from sidetone.e2ee.identity import DeviceIdentity, create_identity, link_device
from sidetone.e2ee.rejected import Rejected

USER = b"u" * 16


def a_device(name: bytes) -> DeviceIdentity:
    return create_identity(USER, name * 16, 1_700_000_000_000, secrets.token_bytes)


OLD, NEW = a_device(b"o"), a_device(b"n")


def test_the_new_device_becomes_the_same_user() -> None:
    code = linking.new_code(secrets.token_bytes)
    asked = linking.ask(code, USER, NEW.device, NEW.dk)
    given_ = linking.give(code.lower(), OLD, NEW.device, NEW.dk, asked)
    assert len(given_) == linking.GIVE_LENGTH
    seed = linking.take(code, NEW, given_)
    assert seed == OLD.user_seed
    linked = link_device(OLD, b"m" * 16, 1, secrets.token_bytes)
    assert linked.uik == OLD.uik != NEW.uik


def test_a_server_that_offers_its_own_device_gets_nothing() -> None:
    code = linking.new_code(secrets.token_bytes)
    asked = linking.ask(code, USER, NEW.device, NEW.dk)
    spy = a_device(b"s")
    for device, dk in ((spy.device, spy.dk), (NEW.device, spy.dk), (spy.device, NEW.dk)):
        with pytest.raises(Rejected, match="link_code_wrong"):
            linking.give(code, OLD, device, dk, asked)


def test_a_server_that_gives_a_key_of_its_own_is_not_believed() -> None:
    code, other = (linking.new_code(secrets.token_bytes) for _ in range(2))
    spy = a_device(b"s")
    forged = linking.give(
        other, spy, NEW.device, NEW.dk, linking.ask(other, USER, NEW.device, NEW.dk)
    )
    with pytest.raises(Rejected, match="link_forged"):
        linking.take(code, NEW, forged)
    mine = linking.give(code, OLD, NEW.device, NEW.dk, linking.ask(code, USER, NEW.device, NEW.dk))
    with pytest.raises(Rejected, match="link_forged"):
        linking.take(code, spy, mine)


@given(st.data())
def test_no_changed_bit_is_taken(data: st.DataObject) -> None:
    code = linking.new_code(secrets.token_bytes)
    mine = linking.give(code, OLD, NEW.device, NEW.dk, linking.ask(code, USER, NEW.device, NEW.dk))
    at = data.draw(st.integers(0, 8 * len(mine) - 1))
    changed = bytearray(mine)
    changed[at // 8] ^= 1 << at % 8
    with pytest.raises(Rejected, match="link_forged"):
        linking.take(code, NEW, bytes(changed))


@given(st.text(max_size=40) | st.binary(max_size=200).map(lambda each: each.decode("latin-1")))
def test_whatever_is_typed_is_a_code_or_rejected(text: str) -> None:
    with suppress(Rejected):
        assert len(linking.ask(text, USER, NEW.device, NEW.dk)) == linking.ASK_LENGTH
    with suppress(Rejected):
        assert len(linking.seed_of(text)) == 32


def test_the_phrase_is_the_key_and_a_slip_is_seen() -> None:
    known = DeviceIdentity(USER, b"d" * 16, bytes(range(32)), bytes(32), 1)
    phrase = linking.phrase_of(known)
    words = phrase.split()
    assert len(words) == 24
    assert linking.seed_of("  " + phrase.upper()) == known.user_seed
    swapped = [*words[:22], words[23], words[22]]
    for wrong, told in (
        ([], "here are 0"),
        (words[:12], "here are 12"),
        (words[:23], "here are 23"),
        ([*words, words[0]], "here are 25"),
        ([*words[:6], "zzz", *words[7:]], "word 7 is in no phrase"),
        (swapped, "in another order"),
    ):
        with pytest.raises(Rejected, match="phrase_wrong") as rejected:
            linking.seed_of(" ".join(wrong))
        assert told in rejected.value.detail
        assert rejected.value.detail.endswith("; compare with the paper")


@given(st.binary(min_size=32, max_size=32))
def test_every_key_has_a_phrase(seed: bytes) -> None:
    identity = DeviceIdentity(USER, b"d" * 16, seed, bytes(32), 1)
    assert linking.seed_of(linking.phrase_of(identity)) == seed
