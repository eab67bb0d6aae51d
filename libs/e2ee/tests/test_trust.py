import pytest

from sidetone.e2ee.trust import Pin, Shield, Trust

USER, KEY, OTHER = b"u" * 16, b"k" * 32, b"o" * 32


def test_a_user_is_pinned_at_first_sight() -> None:
    trust = Trust()
    assert trust.shield(USER, KEY) is Shield.KNOWN
    assert trust.meet(USER, KEY)
    assert not trust.meet(USER, KEY)
    assert trust.pins() == (Pin(USER, KEY),)


def test_another_key_is_changed_until_confirmed() -> None:
    trust = Trust([Pin(USER, KEY, verified=True)])
    assert not trust.meet(USER, OTHER)
    assert trust.shield(USER, OTHER) is Shield.CHANGED
    assert trust.shield(USER, KEY) is Shield.VERIFIED
    trust.confirm(USER, OTHER)
    assert trust.shield(USER, OTHER) is Shield.KNOWN
    assert trust.shield(USER, KEY) is Shield.CHANGED


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_a_compared_safety_number_verifies(key: bytes) -> None:
    trust = Trust([Pin(USER, KEY)])
    trust.verify(USER, key)
    assert trust.shield(USER, key) is Shield.VERIFIED
    trust.confirm(USER, key)
    assert trust.shield(USER, key) is Shield.VERIFIED
