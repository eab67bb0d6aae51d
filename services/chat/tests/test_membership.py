"""What overwrites do, and who may write them."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.chat.domain.channel import Membership, checked_overwrite
from sidetone.permissions import ALL, NO_OVERWRITE, Overwrite, Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound, Refusal
from sidetone.protocol.servers import Channel, ChannelKind

OWNER, ADA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2)), UserId(UUID(int=3))
CALL = (
    Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.PRIORITY_SPEAKER
    | Permission.MUTE_MEMBERS
    | Permission.MOVE_MEMBERS
)

masks = st.integers(0, int(ALL)).map(Permission)
overwrites = st.builds(Overwrite, masks, masks)
kinds: st.SearchStrategy[ChannelKind] = st.sampled_from(["text", "voice"])


def membership(
    user: UserId = ADA,
    kind: ChannelKind = "voice",
    everyone: Overwrite = NO_OVERWRITE,
    member: Overwrite = NO_OVERWRITE,
) -> Membership:
    channel = Channel(ChannelId(UUID(int=8)), ServerId(UUID(int=9)), "Lounge", kind)
    return Membership(channel, OWNER, user, 1, everyone, member)


MODERATOR = membership(member=Overwrite(Permission.MANAGE_PERMISSIONS, Permission.NONE))


@given(kinds, overwrites, overwrites)
def test_who_cannot_see_a_channel_can_do_nothing_in_it(
    kind: ChannelKind, everyone: Overwrite, member: Overwrite
) -> None:
    asked = membership(ADA, kind, everyone, member)
    assert asked.sees or asked.permissions == Permission.NONE


@given(overwrites, overwrites, st.sampled_from([OWNER, ADA]))
def test_no_overwrite_makes_a_call_in_a_text_channel(
    everyone: Overwrite, member: Overwrite, user: UserId
) -> None:
    assert not membership(user, "text", everyone, member).permissions & CALL


@given(overwrites, overwrites)
def test_nothing_takes_a_voice_channel_from_the_owner(
    everyone: Overwrite, member: Overwrite
) -> None:
    assert membership(OWNER, "voice", everyone, member).permissions == ALL


@given(overwrites, overwrites, overwrites, overwrites, st.sampled_from([None, BEN, ADA]))
def test_nobody_changes_a_bit_that_they_lack(
    everyone: Overwrite, member: Overwrite, old: Overwrite, new: Overwrite, subject: UserId | None
) -> None:
    asked = membership(ADA, "voice", everyone, member)
    try:
        asked.require_may_change(subject, old, new)
    except Refusal:
        return
    for bit in Permission:
        if bit not in asked.permissions:
            assert (bit in old.allow, bit in old.deny) == (bit in new.allow, bit in new.deny)


def test_a_moderator_gives_and_takes_what_they_have() -> None:
    mute = Overwrite(Permission.NONE, Permission.SPEAK)
    MODERATOR.require_may_change(BEN, NO_OVERWRITE, mute)
    MODERATOR.require_may_change(BEN, mute, NO_OVERWRITE)


def test_a_moderator_cannot_allow_what_they_lack() -> None:
    loud = Overwrite(Permission.PRIORITY_SPEAKER, Permission.NONE)
    with pytest.raises(Forbidden, match=r"permission_lacking.*PRIORITY_SPEAKER"):
        MODERATOR.require_may_change(ADA, NO_OVERWRITE, loud)


def test_a_muted_moderator_cannot_unmute_themselves() -> None:
    muted = Overwrite(Permission.MANAGE_PERMISSIONS, Permission.SPEAK)
    asked = membership(member=muted)
    with pytest.raises(Forbidden, match=r"permission_lacking.*SPEAK"):
        asked.require_may_change(ADA, muted, Overwrite(Permission.MANAGE_PERMISSIONS, NOTHING))


def test_the_owner_is_above_overwrites() -> None:
    with pytest.raises(Forbidden, match="owner_above_overwrites"):
        MODERATOR.require_may_change(OWNER, NO_OVERWRITE, Overwrite(NOTHING, Permission.SPEAK))


def test_a_plain_member_changes_no_overwrite() -> None:
    with pytest.raises(Forbidden, match=r"permission_missing.*MANAGE_PERMISSIONS"):
        membership().require_may_change(BEN, NO_OVERWRITE, NO_OVERWRITE)


def test_a_hidden_channel_is_unknown_even_to_a_moderator_of_it() -> None:
    hidden = Overwrite(Permission.MANAGE_PERMISSIONS, Permission.VIEW_CHANNEL)
    with pytest.raises(NotFound, match="channel_unknown"):
        membership(member=hidden).require_may_change(BEN, NO_OVERWRITE, NO_OVERWRITE)


@pytest.mark.parametrize("bit", [Permission.KICK_MEMBERS, Permission.CREATE_INVITE])
def test_powers_over_the_server_are_no_channels_to_give(bit: Permission) -> None:
    with pytest.raises(Invalid, match="permission_unsettable"):
        checked_overwrite("voice", int(bit), 0)


@given(kinds, st.integers(), st.integers())
def test_any_numbers_make_an_overwrite_of_known_bits_or_a_refusal(
    kind: ChannelKind, allow: int, deny: int
) -> None:
    try:
        overwrite = checked_overwrite(kind, allow, deny)
    except Invalid:
        return
    assert (overwrite.allow | overwrite.deny) & ~ALL == Permission.NONE
    assert kind == "voice" or not (overwrite.allow | overwrite.deny) & CALL


NOTHING = Permission.NONE
