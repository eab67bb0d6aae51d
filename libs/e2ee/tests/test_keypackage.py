from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import (
    CHANNEL,
    GRANT_KEY,
    GRANT_LIFETIME_MS,
    NOW_MS,
    Drawn,
    admission,
    grant,
    own,
    person,
)
from sidetone.e2ee import keypackage
from sidetone.e2ee.grant import Grant, sign_grant, verify_grant
from sidetone.e2ee.identity import (
    DeviceIdentity,
    device_certificate_holds,
    link_device,
    safety_number,
)
from sidetone.e2ee.keypackage import KeyPackage, parse, validate
from sidetone.e2ee.primitives import leaf_public, signing_key
from sidetone.e2ee.rejected import Rejected

ALICE = person("alice")
LEAF = leaf_public(Drawn("leaf")(32))
OTHER_SEED = b"\x07" * 32
LOW_ORDER = (
    bytes(32),
    b"\x01" + bytes(31),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    b"\xec" + b"\xff" * 30 + b"\x7f",
    b"\xed" + b"\xff" * 30 + b"\x7f",
    b"\xee" + b"\xff" * 30 + b"\x7f",
)


def package(identity: DeviceIdentity = ALICE, leaf: bytes = LEAF, **claims: object) -> KeyPackage:
    return keypackage.build(identity, grant(identity, **claims), 3, leaf)  # type: ignore[arg-type]


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(Rejected) as refused:
        action()
    return refused.value.code


def test_a_good_package_has_358_bytes_and_is_accepted() -> None:
    good = package()
    assert len(good.wire) == keypackage.KEY_PACKAGE_LENGTH == 358
    assert parse(good.wire) == good
    assert (good.sender, good.user, good.device) == (3, ALICE.user, ALICE.device)
    validate(good, admission())


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("kp_size", lambda wire: wire[:-1]),
        ("kp_size", lambda wire: wire + b"\0"),
        ("kp_size", lambda _: b""),
        ("kp_version", lambda wire: b"\x02" + wire[1:]),
        ("kp_suite", lambda wire: wire[:1] + b"\x02" + wire[2:]),
        ("kp_flags", lambda wire: wire[:3] + b"\x01" + wire[4:]),
    ],
)
def test_a_malformed_package_is_refused(code: str, change: Callable[[bytes], bytes]) -> None:
    assert refusal(lambda: parse(change(package().wire))) == code


def test_a_package_for_another_channel_is_refused() -> None:
    elsewhere = package(channel=b"another channel!")
    assert refusal(lambda: validate(elsewhere, admission())) == "kp_channel"


def test_a_package_expires_ten_minutes_after_its_grant() -> None:
    late_ms = NOW_MS + GRANT_LIFETIME_MS + keypackage.EXPIRY_LENIENCE_MS
    validate(package(), admission(late_ms - 1))
    assert refusal(lambda: validate(package(), admission(late_ms))) == "kp_expired"


@pytest.mark.parametrize("leaf", LOW_ORDER)
def test_a_leaf_of_low_order_is_refused(leaf: bytes) -> None:
    assert refusal(lambda: validate(package(leaf=leaf), admission())) == "kp_leaf"


def test_a_device_that_the_user_did_not_certify_is_refused() -> None:
    mallory = person("mallory")
    forged = link_device(ALICE, b"m" * 16, 0, Drawn("m"))
    object.__setattr__(forged, "certificate", mallory.certificate)
    assert refusal(lambda: validate(package(forged), admission())) == "kp_certificate"


def test_a_package_without_the_auth_services_grant_is_refused() -> None:
    forged = package(seed=OTHER_SEED)
    assert refusal(lambda: validate(forged, admission())) == "kp_grant"
    both = keypackage.Admission(CHANNEL, NOW_MS, (GRANT_KEY, signing_key(OTHER_SEED)[0]))
    validate(forged, both)


def test_a_grant_for_another_device_is_refused() -> None:
    stolen = keypackage.build(person("mallory"), grant(ALICE), 3, LEAF)
    assert refusal(lambda: validate(stolen, admission())) == "kp_grant"


@given(st.integers(0, 357), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_refused(position: int, mask: int) -> None:
    wire = bytearray(package().wire)
    wire[position] ^= mask
    assert refusal(lambda: validate(parse(bytes(wire)), admission())).startswith("kp_")


@given(st.binary(max_size=400) | st.binary(min_size=354, max_size=354).map(b"\1\1\0\0".__add__))
def test_garbage_is_refused_and_nothing_else(wire: bytes) -> None:
    assert refusal(lambda: validate(parse(wire), admission())).startswith("kp_")


def test_secrets_stay_out_of_what_is_printed() -> None:
    shown = repr(ALICE) + repr(own(ALICE, 3))
    assert ALICE.user_seed.hex() not in shown
    assert repr(ALICE.user_seed) not in shown
    assert repr(ALICE.device_seed) not in shown
    assert repr(own(ALICE, 3).leaf_secret) not in shown


def test_a_grant_is_read_back_by_its_keys_only() -> None:
    wire = grant(ALICE)
    assert verify_grant(wire, [bytes(32), GRANT_KEY]).device == ALICE.device
    assert refusal(lambda: verify_grant(wire, [bytes(32)])) == "grant_signature"
    assert refusal(lambda: verify_grant(wire, [])) == "grant_signature"
    assert refusal(lambda: verify_grant(wire, [b"short"])) == "grant_signature"
    assert refusal(lambda: verify_grant(wire[:-1], [GRANT_KEY])) == "grant_size"
    short = Grant(b"short", ALICE.user, ALICE.device, ALICE.uik, ALICE.dk, NOW_MS)
    assert refusal(lambda: sign_grant(OTHER_SEED, short)) == "grant_size"


@given(st.integers(0, 183), st.integers(1, 255))
def test_a_changed_grant_is_refused(position: int, mask: int) -> None:
    wire = bytearray(grant(ALICE))
    wire[position] ^= mask
    assert refusal(lambda: verify_grant(bytes(wire), [GRANT_KEY])) == "grant_signature"


def test_a_certificate_holds_for_its_own_device_only() -> None:
    laptop = link_device(ALICE, b"l" * 16, 5, Drawn("laptop"))
    assert laptop.uik == ALICE.uik
    assert laptop.dk != ALICE.dk
    keys = (laptop.uik, laptop.dk)
    assert device_certificate_holds(laptop.user, laptop.device, keys, 5, laptop.certificate)
    for args in (
        (b"u" * 16, laptop.device, keys, 5),
        (laptop.user, ALICE.device, keys, 5),
        (laptop.user, laptop.device, (laptop.uik, ALICE.dk), 5),
        (laptop.user, laptop.device, (laptop.dk, laptop.dk), 5),
        (laptop.user, laptop.device, keys, 6),
    ):
        assert not device_certificate_holds(*args, laptop.certificate)
    assert not device_certificate_holds(laptop.user, laptop.device, keys, 5, b"short")


def test_a_safety_number_is_the_same_from_both_sides_and_only_for_these_keys() -> None:
    bob = person("bob")
    number = safety_number(ALICE.user, ALICE.uik, bob.user, bob.uik)
    assert number == safety_number(bob.user, bob.uik, ALICE.user, ALICE.uik)
    assert len(number.replace(" ", "")) == 60
    assert number != safety_number(ALICE.user, ALICE.uik, bob.user, ALICE.uik)
