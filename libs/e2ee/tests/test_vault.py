import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import Drawn, person
from sidetone.e2ee import vault
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.trust import Pin

ALICE = person("alice")
PINS = (Pin(b"b" * 16, b"k" * 32, verified=True), Pin(b"c" * 16, b"l" * 32))
CONTENTS = vault.Contents(ALICE, PINS)
KEY = Drawn("key")(32)
SALT = Drawn("salt")(vault.SALT_LENGTH)
SEALED = vault.seal(CONTENTS, vault.lock_by_key(KEY, SALT), Drawn("seal"))
BY_PASSPHRASE = vault.seal(
    CONTENTS, vault.lock_by_passphrase("correct horse", SALT), Drawn("passphrase")
)


def open_with_key(sealed: bytes, key: bytes) -> vault.Contents:
    return vault.unseal(sealed, vault.lock_by_key(key, vault.salt_of(sealed)))


def open_with_passphrase(sealed: bytes, passphrase: str) -> vault.Contents:
    return vault.unseal(sealed, vault.lock_by_passphrase(passphrase, vault.salt_of(sealed)))


def test_a_vault_gives_back_what_it_was_given() -> None:
    assert open_with_key(SEALED, KEY) == CONTENTS
    assert open_with_key(SEALED, KEY).identity.certificate == ALICE.certificate
    assert open_with_passphrase(BY_PASSPHRASE, "correct horse") == CONTENTS


def test_nothing_of_the_contents_shows() -> None:
    for sealed in (SEALED, BY_PASSPHRASE):
        for secret in (ALICE.user_seed, ALICE.device_seed, ALICE.user, PINS[0].user, PINS[0].uik):
            assert secret not in sealed
    again = vault.seal(CONTENTS, vault.lock_by_key(KEY, SALT), Drawn("another time"))
    assert again != SEALED
    assert KEY.hex() not in repr(vault.lock_by_key(KEY, SALT))


def test_a_wrong_key_is_told_from_a_damaged_file() -> None:
    for wrong in (bytes(32), b"", KEY + b"\0"):
        with pytest.raises(Rejected, match="vault_wrong_key"):
            open_with_key(SEALED, wrong)
    with pytest.raises(Rejected, match="vault_wrong_passphrase"):
        open_with_passphrase(BY_PASSPHRASE, "incorrect horse")


def test_key_and_passphrase_are_not_confused() -> None:
    with pytest.raises(Rejected, match="vault_kind"):
        open_with_passphrase(SEALED, "correct horse")
    with pytest.raises(Rejected, match="vault_kind"):
        open_with_key(BY_PASSPHRASE, KEY)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_changed_byte_is_damage(position: int, mask: int) -> None:
    damaged = bytearray(SEALED)
    damaged[position] ^= mask
    with pytest.raises(Rejected, match="vault_corrupt"):
        open_with_key(bytes(damaged), KEY)


@given(st.integers(0, len(SEALED) - 1))
def test_a_vault_cut_off_anywhere_is_damage(length: int) -> None:
    with pytest.raises(Rejected, match="vault_corrupt"):
        open_with_key(SEALED[:length], KEY)


@given(st.integers(0, len(SEALED) - 17), st.integers(1, 255))
def test_a_forged_checksum_lets_nothing_changed_through(position: int, mask: int) -> None:
    forged = bytearray(SEALED[:-16])
    forged[position] ^= mask
    with pytest.raises(Rejected):
        open_with_key(bytes(forged) + vault._checksum(bytes(forged)), KEY)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else(garbage: bytes) -> None:
    for blob in (garbage, garbage + vault._checksum(garbage), b"vx1v\x01\0" + garbage):
        with pytest.raises(Rejected):
            open_with_key(blob, KEY)
    marked = b"vx1v\x01\0" + garbage
    with pytest.raises(Rejected):
        open_with_key(marked + vault._checksum(marked), KEY)


def test_an_unusual_passphrase_is_a_passphrase() -> None:
    for passphrase in ("", "\0", "käse 🧀", "\ud800"):
        sealed = vault.seal(CONTENTS, vault.lock_by_passphrase(passphrase, SALT), Drawn("again"))
        assert open_with_passphrase(sealed, passphrase) == CONTENTS
