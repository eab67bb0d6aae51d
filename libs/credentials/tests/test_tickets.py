"""Voice tickets: their bytes, and that only the signer makes them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sidetone.credentials.tickets import TICKET_BYTES, Perm, Ticket, sign, verify
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.refusals import Unauthenticated

KEY = SigningKey(bytes(range(32)))
KEYS = {7: KEY.verify_key.encode()}

uuids = st.uuids()
numbers = st.integers(0, 2**32 - 1)
tickets = st.builds(
    Ticket,
    kid=st.just(7),
    perms=st.integers(0, 127).map(Perm),
    user=uuids.map(UserId),
    device=uuids.map(DeviceId),
    channel=uuids.map(ChannelId),
    node=st.integers(0, 2**63 - 1).map(NodeId),
    jti=uuids,
    generation=numbers,
    issued_at=numbers,
    expires_at=numbers,
)


@given(tickets)
def test_a_ticket_comes_back_as_it_was_signed(ticket: Ticket) -> None:
    assert verify(sign(ticket, KEY), KEYS) == ticket


@given(tickets, st.integers(0, TICKET_BYTES * 8 - 1))
def test_a_flipped_bit_is_noticed(ticket: Ticket, bit: int) -> None:
    damaged = bytearray(sign(ticket, KEY))
    damaged[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unauthenticated, match="ticket_invalid"):
        verify(bytes(damaged), KEYS)


@given(st.binary(max_size=2 * TICKET_BYTES))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(Unauthenticated, match="ticket_invalid"):
        verify(garbage, KEYS)


def test_another_signer_is_refused() -> None:
    wire = sign(_ticket(), SigningKey(bytes(32)))
    with pytest.raises(Unauthenticated):
        verify(wire, KEYS)
    with pytest.raises(Unauthenticated):
        verify(sign(_ticket(), KEY), {8: KEYS[7]})


def test_the_bytes_are_those_of_the_documented_layout() -> None:
    """Version, key, permissions, user, device, channel, unit, id, generation, times."""
    body = (
        "01 07 0003"
        "00000000000000000000000000000001"
        "00000000000000000000000000000002"
        "00000000000000000000000000000003"
        "0000000000000004"
        "00000000000000000000000000000005"
        "00000006 00000007 00000008"
    )
    wire = sign(_ticket(), KEY)
    assert wire[:-64] == bytes.fromhex(body)
    assert KEY.verify_key.verify(b"vx1 sig ticket\0\0" + wire[:-64], wire[-64:])
    assert len(wire) == TICKET_BYTES == 152


def test_a_refusal_keeps_nothing_of_those_before_it() -> None:
    """One exception that were raised again and again would grow with every traceback."""
    depths: list[int] = []
    for _ in range(5):
        with pytest.raises(Unauthenticated) as refused:
            verify(b"", KEYS)
        depths.append(len(refused.traceback))
    assert len(set(depths)) == 1


def _ticket() -> Ticket:
    return Ticket(
        kid=7,
        perms=Perm.CONNECT | Perm.SPEAK,
        user=UserId(UUID(int=1)),
        device=DeviceId(UUID(int=2)),
        channel=ChannelId(UUID(int=3)),
        node=NodeId(4),
        jti=UUID(int=5),
        generation=6,
        issued_at=7,
        expires_at=8,
    )
