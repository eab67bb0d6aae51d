"""Every ticket that must not open the door, and the one that must."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sidetone.credentials.tickets import LIFETIME_SECONDS, TICKET_BYTES, Perm, Ticket, sign
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.refusals import Refusal
from sidetone.voice_sfu.domain.admission import (
    BRIEFING_SECONDS,
    SKEW_SECONDS,
    WATERMARK_SECONDS,
    Admission,
)

NOW = 1_800_000_000
NODE = NodeId(77)
KEY = SigningKey(bytes(32))
OTHER_KEY = SigningKey(bytes(31) + b"\x01")
USER, CHANNEL = UserId(UUID(int=2)), ChannelId(UUID(int=3))


def wire(key: SigningKey = KEY, **changes: object) -> bytes:
    fields: dict[str, object] = {
        "kid": 1,
        "perms": Perm.CONNECT | Perm.SPEAK,
        "user": USER,
        "device": DeviceId(UUID(int=4)),
        "channel": CHANNEL,
        "node": NODE,
        "jti": uuid4(),
        "generation": 10,
        "issued_at": NOW,
        "expires_at": NOW + LIFETIME_SECONDS,
    }
    return sign(Ticket(**(fields | changes)), key)  # pyright: ignore[reportArgumentType]


def briefed(*rights: VoiceRights) -> Admission:
    admission = Admission(NODE)
    keys = {1: KEY.verify_key.encode(), 2: OTHER_KEY.verify_key.encode()}
    admission.brief(keys, rights, NOW)
    return admission


def code_of(admission: Admission, shown: bytes, now: float = NOW) -> str:
    with pytest.raises(Refusal) as refused:
        admission.admit(shown, now)
    return refused.value.code


def test_a_good_ticket_opens_the_door_once() -> None:
    admission, shown = briefed(), wire()
    assert admission.admit(shown, NOW).channel == CHANNEL
    assert code_of(admission, shown) == "ticket_reused"
    last_moment = NOW + LIFETIME_SECONDS + SKEW_SECONDS
    admission.brief({1: KEY.verify_key.encode()}, (), last_moment)
    assert code_of(admission, shown, last_moment) == "ticket_reused"
    assert code_of(admission, shown, last_moment + 0.1) == "ticket_expired"


def test_the_clocks_may_differ_a_little() -> None:
    admission = briefed()
    early = wire(issued_at=NOW + SKEW_SECONDS, expires_at=NOW + SKEW_SECONDS + LIFETIME_SECONDS)
    assert admission.admit(early, NOW)
    assert admission.admit(wire(issued_at=NOW - 35, expires_at=NOW - SKEW_SECONDS), NOW)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"node": NodeId(78)}, "ticket_elsewhere"),
        ({"issued_at": NOW - 36, "expires_at": NOW - 6}, "ticket_expired"),
        ({"issued_at": NOW + 6, "expires_at": NOW + 20}, "ticket_invalid"),
        ({"expires_at": NOW + 3600}, "ticket_invalid"),
        ({"kid": 3}, "ticket_invalid"),
        ({"kid": 2}, "ticket_invalid"),
        ({"perms": Perm.SPEAK}, "ticket_revoked"),
    ],
)
def test_a_ticket_with_a_flaw_is_refused(changes: dict[str, object], code: str) -> None:
    admission = briefed()
    assert code_of(admission, wire(**changes)) == code
    assert admission.admit(wire(), NOW)


def test_a_refused_ticket_is_not_used_up() -> None:
    admission, shown = briefed(), wire(issued_at=NOW + 10, expires_at=NOW + 40)
    assert code_of(admission, shown) == "ticket_invalid"
    assert admission.admit(shown, NOW + 6)


def test_every_bit_is_signed() -> None:
    """A flipped permission, another channel, another user: all are bits."""
    admission, shown = briefed(), wire()
    for bit in range(TICKET_BYTES * 8):
        flipped = bytearray(shown)
        flipped[bit // 8] ^= 1 << bit % 8
        assert code_of(admission, bytes(flipped)) == "ticket_invalid"
    assert admission.admit(shown, NOW)


def test_a_ticket_of_another_signer_is_refused() -> None:
    assert code_of(briefed(), wire(SigningKey.generate())) == "ticket_invalid"


@pytest.mark.parametrize(("generation", "passes"), [(9, False), (10, True), (11, True)])
def test_tickets_below_the_watermark_are_void(generation: int, *, passes: bool) -> None:
    rights = VoiceRights(CHANNEL, USER, 3, 10)
    for admission in (briefed(rights), briefed()):
        admission.revoke(rights, NOW)
        shown = wire(generation=generation)
        if passes:
            assert admission.admit(shown, NOW)
        else:
            assert code_of(admission, shown) == "ticket_revoked"


def test_an_older_change_does_not_lower_the_watermark() -> None:
    admission = briefed()
    admission.revoke(VoiceRights(CHANNEL, USER, 0, 11), NOW)
    admission.revoke(VoiceRights(CHANNEL, USER, 3, 5), NOW)
    assert code_of(admission, wire(generation=10)) == "ticket_revoked"


def test_a_watermark_is_for_one_user_in_one_channel() -> None:
    admission = briefed(
        VoiceRights(ChannelId(UUID(int=9)), USER, 0, 99),
        VoiceRights(CHANNEL, UserId(UUID(int=9)), 0, 99),
    )
    assert admission.admit(wire(), NOW)


def test_a_watermark_outlives_every_ticket_before_it() -> None:
    admission = briefed(VoiceRights(CHANNEL, USER, 0, 11))
    later = NOW + LIFETIME_SECONDS + SKEW_SECONDS
    admission.brief({1: KEY.verify_key.encode()}, (), later)
    assert code_of(admission, wire(issued_at=NOW + SKEW_SECONDS), later) == "ticket_revoked"
    assert WATERMARK_SECONDS >= LIFETIME_SECONDS + SKEW_SECONDS


def test_nobody_comes_in_before_the_briefing_or_long_after_it() -> None:
    assert code_of(Admission(NODE), wire()) == "not_briefed"
    admission = briefed()
    assert admission.admit(wire(), NOW + BRIEFING_SECONDS)
    assert code_of(admission, wire(), NOW + BRIEFING_SECONDS + 0.1) == "not_briefed"
    admission.brief({1: KEY.verify_key.encode()}, (), NOW + 20)
    assert admission.admit(wire(), NOW + 20)


def test_what_is_remembered_is_forgotten_in_time() -> None:
    admission = briefed()
    for _ in range(100):
        admission.admit(wire(), NOW)
        admission.revoke(VoiceRights(ChannelId(uuid4()), USER, 0, 1), NOW)
    admission.brief({1: KEY.verify_key.encode()}, (), NOW + WATERMARK_SECONDS + 1)
    assert (len(admission._used), len(admission._watermarks)) == (0, 0)


def test_a_change_that_is_told_again_keeps_no_other_one() -> None:
    admission = briefed()
    other = UserId(UUID(int=9))
    for user, at in ((USER, 0), (other, 1), (USER, 2)):
        admission.revoke(VoiceRights(CHANNEL, user, 0, 1), NOW + at)
    admission.brief({1: KEY.verify_key.encode()}, (), NOW + 1 + WATERMARK_SECONDS + 0.5)
    assert list(admission._watermarks) == [(CHANNEL, USER)]


@given(st.binary(max_size=400) | st.binary(min_size=TICKET_BYTES, max_size=TICKET_BYTES))
def test_garbage_is_refused_as_a_ticket(garbage: bytes) -> None:
    assert code_of(briefed(), garbage) == "ticket_invalid"


def test_ten_thousand_damaged_tickets_are_refused_alike() -> None:
    import random

    randomness, admission, good = random.Random(5), briefed(), wire()
    for _ in range(10_000):
        damaged = bytearray(good)
        for _ in range(randomness.randrange(1, 6)):
            damaged[randomness.randrange(2, len(good))] ^= randomness.randrange(1, 256)
        cut = randomness.randrange(len(good)) if randomness.random() < 0.2 else len(good)
        if bytes(damaged) != good:
            assert code_of(admission, bytes(damaged[:cut])) == "ticket_invalid"
    assert admission.admit(good, NOW)
