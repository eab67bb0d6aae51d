"""The wire form: what the delivery service reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.e2ee.tests.stage import CHANNEL, Trio
from sidetone.e2ee.commit import COMMIT_LENGTH_MAX, Kind, parse
from sidetone.e2ee.group import Change
from sidetone.e2ee.rejected import Rejected

TRIO = Trio()
JOIN = TRIO.advance(TRIO.alice, "carol", "dave")
LEAVE = TRIO.rekey(JOIN.group, Change([1]))
WIRE = JOIN.commit.wire()
BODY_LENGTH = len(JOIN.commit.packed)
COUNTS_AT = 136


def test_a_commit_reads_as_it_was_made() -> None:
    commit = parse(WIRE)
    assert commit == JOIN.commit
    assert commit.wire() == WIRE
    assert commit.kind is Kind.ADVANCE
    assert commit.channel == CHANNEL
    assert (commit.epoch, commit.committer, commit.removes) == (2, 0, ())
    assert commit.adds == tuple(
        (i, TRIO.owns[n].package.hash) for i, n in ((2, "carol"), (3, "dave"))
    )
    assert commit.wraps.keys() == {2, 3}
    leave = parse(LEAVE.commit.wire())
    assert leave.prev == commit.transcript
    assert (leave.kind, leave.removes, leave.wraps.keys()) == (Kind.REKEY, (1,), {2, 3})


def test_a_member_gets_its_own_wrap_and_no_other() -> None:
    for sender in range(5):
        copy = parse(JOIN.commit.for_member(sender))
        assert copy.packed == JOIN.commit.packed
        assert copy.signature == JOIN.commit.signature
        assert copy.wraps == {s: w for s, w in JOIN.commit.wraps.items() if s == sender}


@pytest.mark.parametrize(
    ("code", "wire"),
    [
        ("commit_size", b""),
        ("commit_size", WIRE[:135]),
        ("commit_size", WIRE[: BODY_LENGTH + 95]),
        ("commit_size", WIRE[:-1]),
        ("commit_size", WIRE + bytes(COMMIT_LENGTH_MAX)),
        ("commit_version", b"\x02" + WIRE[1:]),
        ("commit_kind", WIRE[:1] + b"\x03" + WIRE[2:]),
        ("commit_size", WIRE[:COUNTS_AT] + b"\xff\xff" + WIRE[COUNTS_AT + 2 :]),
        ("commit_size", WIRE[: COUNTS_AT + 2] + b"\xff\xff" + WIRE[COUNTS_AT + 4 :]),
        ("commit_order", WIRE + WIRE[-50:]),
        ("commit_order", WIRE[:-100] + WIRE[-50:] + WIRE[-100:-50]),
    ],
)
def test_a_malformed_commit_is_refused(code: str, wire: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        parse(wire)
    assert refused.value.code == code


def test_unsorted_adds_and_removes_are_refused() -> None:
    adds_at = COUNTS_AT + 4
    first, second = WIRE[adds_at : adds_at + 34], WIRE[adds_at + 34 : adds_at + 68]
    for pair in (second + first, first + first):
        with pytest.raises(Rejected, match="commit_order"):
            parse(WIRE[:adds_at] + pair + WIRE[adds_at + 68 :])


@given(st.binary(max_size=600) | st.binary(max_size=500).map(WIRE[:140].__add__))
def test_garbage_is_refused_or_read_and_nothing_else(wire: bytes) -> None:
    try:
        commit = parse(wire)
    except Rejected:
        return
    assert commit.wire() == wire


@given(st.integers(0, len(WIRE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_read_as_another_commit(position: int, mask: int) -> None:
    wire = bytearray(WIRE)
    wire[position] ^= mask
    try:
        commit = parse(bytes(wire))
    except Rejected:
        return
    assert commit != JOIN.commit
    assert commit.wire() == wire
