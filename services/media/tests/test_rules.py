"""The pure rules hold for everything anybody can send."""

from ipaddress import ip_address, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from sidetone.media.domain.byte_range import span_of
from sidetone.media.domain.file_name import clean_name, disposition
from sidetone.media.domain.links import public_link
from sidetone.media.domain.media_types import UNKNOWN, clean_type, download_type, picture_type
from sidetone.media.domain.texts import one_line
from sidetone.runtime.public_addresses import is_public

PRIVATE = [
    ip_network(block)
    for block in ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
]


@given(st.text())
@example("../..")
@example("CON\x00")
def test_a_name_is_one_shown_line_and_no_path(name: str) -> None:
    shown = clean_name(name)
    assert 0 < len(shown) <= 120
    assert not set(shown) & set("/\\\r\n\x00\u202e\u2066")
    assert shown not in {".", ".."}
    assert clean_name(shown) == shown
    header = disposition("attachment", shown)
    assert header.isascii()
    assert not set(header) & set('\r\n"')


@given(st.text(), st.integers(1, 300))
def test_a_line_has_an_end(text: str, length_max: int) -> None:
    line = one_line(text, length_max)
    assert len(line) <= length_max
    assert "\n" not in line
    assert line == line.strip()


@given(st.text(alphabet="bytes=-0123456789, ") | st.text(), st.integers(0, 1000))
@example("bytes=0-0", 1)
@example("bytes=0-0", 0)
def test_a_part_lies_within_the_file(header: str, size_bytes: int) -> None:
    span = span_of(header, size_bytes)
    if span is not None:
        assert 0 <= span.start < span.start + span.length <= size_bytes


@given(st.text() | st.text(alphabet="htps:/@[].%0123456789abcdefäx#?&\\ "))
@example("http://[fe80::1%25eth0]/")
@example("http://a.example\\@b.example/")
def test_a_link_is_none_or_fit_to_be_asked(url: str) -> None:
    link = public_link(url)
    if link is not None:
        assert link.scheme in {"http", "https"}
        assert link.port in {80, 443}
        assert link.host.isascii()
        assert not set(link.host) & set("@/\\%# \r\n")
        assert link.target.startswith("/")
        assert link.target.isascii()
        assert not set(link.target) & set(" \r\n#\\")


@given(st.ip_addresses(v=4))
def test_no_private_address_is_public_however_it_is_written(address: object) -> None:
    inside = any(ip_address(str(address)) in block for block in PRIVATE)
    number = int(ip_address(str(address)))
    assert not (inside and is_public(str(address)))
    for hidden in (
        f"::ffff:{address}",
        f"64:ff9b::{address}",
        str(ip_address((0x2002 << 112) | (number << 80))),
        str(ip_address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),
    ):
        assert not is_public(hidden)


@given(st.ip_addresses(v=6))
def test_what_this_python_knows_to_be_private_is_not_public(address: object) -> None:
    if not ip_address(str(address)).is_global:
        assert not is_public(str(address))


@given(
    st.text(), st.sampled_from([None, "image/png", "text/html", "application/zip"]), st.binary()
)
def test_no_page_and_no_graphic_is_handed_out_as_one(
    claimed: str, sniffed: str | None, head: bytes
) -> None:
    for name in (clean_type(claimed), "text/html", "image/svg+xml", "application/xhtml+xml"):
        shown = download_type(name, sniffed, head)
        assert shown in {UNKNOWN, "text/plain"} or shown == sniffed == "application/zip"
    assert picture_type("text/plain", "image/png") is None
