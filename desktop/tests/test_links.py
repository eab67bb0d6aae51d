import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials.pins import Address
from sidetone.desktop.domain.invite_link import InviteLink, link_of
from sidetone.desktop.domain.links import PlaceLink, ServerLink, place_link, read_link
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Invalid

PIN = "A" * 43
ADDRESS = f"sidetone://play.example:8443#{PIN}"
ONE, TWO = ChannelId(UUID(int=1)), MessageId(UUID(int=2))
CODE = "abcdefgh234567aa"

addresses = st.builds(
    lambda host, port, pin: str(Address(host, port, pin)),
    st.sampled_from(["play.example", "192.0.2.7", "::1", "localhost"]),
    st.integers(1, 65_535),
    st.binary(min_size=32, max_size=32),
)


@given(addresses, st.uuids(), st.none() | st.uuids())
def test_a_place_comes_back_from_its_link(
    address: str, channel: UUID, message: UUID | None
) -> None:
    place = PlaceLink(address, ChannelId(channel), MessageId(message) if message else None)
    assert read_link(place_link(address, place.channel, place.message)) == place


@given(addresses, st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=16, max_size=16))
def test_an_invite_comes_back_from_its_link(address: str, code: str) -> None:
    assert read_link(link_of(address, code)) == InviteLink(address, code)
    assert read_link(address) == ServerLink(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://play.example",
        "sidetone://play.example:8443",
        f"SIDETONE://play.example:8443#{PIN}",
        f"sidetone://play.example#{PIN}",
        f"sidetone://user@play.example:8443#{PIN}",
        f"sidetone://play.example:8443/?x=1#{PIN}",
        f"sidetone://play.example:8443/invite/#{PIN}",
        f"sidetone://play.example:8443/invite/{CODE}",
        f"sidetone://play.example:8443/invite/{CODE}/more#{PIN}",
        f"sidetone://play.example:8443/invite/..#{PIN}",
        f"sidetone://play.example:8443/run/calc.exe#{PIN}",
        f"sidetone://play.example:8443/channel/{ONE}/message/#{PIN}",
        f"sidetone://play.example:8443/channel/{ONE.hex}#{PIN}",
        f"sidetone://play.example:8443/channel/x#{PIN}",
        f"sidetone://play.example:8443//channel/{ONE}#{PIN}",
        f" {ADDRESS}",
        f"{ADDRESS}\n",
        f"{ADDRESS} --flag",
        ADDRESS + "B" * 600,
    ],
)
def test_what_is_not_exactly_a_link_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_link(text)
    assert "\n" not in caught.value.detail


@given(
    st.text(max_size=80)
    | st.from_regex(re.compile(r"sidetone://[a-z.:\d/#\[\]@?%-]{0,90}"), fullmatch=True)
)
def test_any_text_is_a_link_or_refused(text: str) -> None:
    try:
        link = read_link(text)
    except Invalid:
        return
    assert read_link(text) == link
