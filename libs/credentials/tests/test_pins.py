"""Addresses that carry a pin."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials.pins import Address, parse_address, spki_sha256
from sidetone.protocol.refusals import Invalid

PIN = "A" * 43
# Its pin: openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBfTCCASOgAwIBAgIUW9tUMcyNJN8pHxul8UiAgruuOTEwCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIU2lkZXRvbmUwIBcNMjYxMTIxMDAyNzE0WhgPMjEyNjEwMjgw
MDI3MTRaMBMxETAPBgNVBAMMCFNpZGV0b25lMFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEDuxoDLK+FgCYRtr+t9UZkmsdVVPpJHyFPRscbOiWBm6IG6aKWeorL2zw
0vijwS9f0LpiFG5UoxLVSvJFJ2v6sqNTMFEwHQYDVR0OBBYEFEihc5NqtDkAYBXh
tIH5tZGAmyV3MB8GA1UdIwQYMBaAFEihc5NqtDkAYBXhtIH5tZGAmyV3MA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgXz8UBdjHsdUBKrms19MeJLgh
xdusViPYrT1lcUkC90YCIQCZh60rQq3IF5yOw+pglSPeD3nZnNduQuxRIoNg6Ttq
MQ==
-----END CERTIFICATE-----
"""

hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,8})?", fullmatch=True)
addresses = st.one_of(hosts, st.ip_addresses().map(str)).filter(lambda host: "%" not in host)


@given(addresses, st.integers(1, 65535), st.binary(min_size=32, max_size=32))
def test_an_address_survives_being_pasted(host: str, port: int, pin: bytes) -> None:
    address = Address(host, port, pin)
    assert parse_address(f"  {address}\n") == address


def test_an_ipv6_host_stands_in_brackets() -> None:
    address = parse_address(f"sidetone://[2001:db8::1]:8443#{PIN}")
    assert address.host == "2001:db8::1"
    assert address.url == "https://[2001:db8::1]:8443"
    assert str(address) == f"sidetone://[2001:db8::1]:8443#{PIN}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must begin with"),
        ("play.example:8443", "must begin with"),
        (f"https://play.example:8443#{PIN}", "must begin with"),
        (f"sidetone://#{PIN}", "name one host"),
        (f"sidetone://:8443#{PIN}", "name one host"),
        (f"sidetone://ada@play.example:8443#{PIN}", "name one host"),
        (f"sidetone://play example:8443#{PIN}", "name one host"),
        (f"sidetone://play.example#{PIN}", "name a port"),
        (f"sidetone://play.example:0#{PIN}", "name a port"),
        (f"sidetone://play.example:99999#{PIN}", "cannot be read"),
        (f"sidetone://play.example:https#{PIN}", "cannot be read"),
        (f"sidetone://[::1:8443#{PIN}", "cannot be read"),
        (f"sidetone://play.example:8443/path#{PIN}", "nothing but"),
        (f"sidetone://play.example:8443?a=b#{PIN}", "nothing but"),
        ("sidetone://play.example:8443", "43 characters"),
        (f"sidetone://play.example:8443#{PIN[:-1]}", "43 characters"),
        (f"sidetone://play.example:8443#{PIN}=", "43 characters"),
        (f"sidetone://play.example:8443#{PIN[:-1]}B", "damaged"),
    ],
)
def test_a_bad_address_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as refusal:
        parse_address(text)
    assert refusal.value.code == "address_invalid"


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for candidate in (text, f"sidetone://{text}", f"sidetone://h:1#{text}"):
        try:
            address = parse_address(candidate)
        except Invalid:
            continue
        assert parse_address(str(address)) == address


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_refused(garbage: bytes) -> None:
    with pytest.raises(Invalid):
        spki_sha256(garbage)


def test_the_pin_is_what_openssl_computes() -> None:
    certificate = x509.load_pem_x509_certificate(CERTIFICATE.encode())
    assert spki_sha256(certificate.public_bytes(Encoding.DER)).hex() == (
        "acd15a249f671ff0eb3cdad5fef430f72ab58398d6cb2297beded85551732da9"
    )
