"""The TLS identity: made once, rotated, shared, and refused when damaged."""

import hashlib
import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from sidetone.credentials.pins import spki_sha256
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity

NOW_MS = 1_750_000_000_000
DAY_MS = 24 * 3_600_000


def opened(folder: Path, now_ms: int = NOW_MS) -> Identity:
    return Identity.open(folder, ["play.example", "192.0.2.7"], now_ms)


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_first_start_makes_a_private_key_and_two_certificates(tmp_path: Path) -> None:
    identity = opened(tmp_path / "new" / "tls")
    if os.name == "posix":
        assert identity.key_file.stat().st_mode & 0o777 == 0o600
        assert identity.key_file.parent.stat().st_mode & 0o777 == 0o700
    current = certificate(identity.certificate_file)
    key = current.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    der = ssl.PEM_cert_to_DER_cert(identity.certificate_file.read_text())
    assert identity.spki_sha256 == spki_sha256(der)
    assert identity.certificate_sha256()[0] == hashlib.sha256(der).digest()
    assert len(set(identity.certificate_sha256())) == 2


def test_a_certificate_names_the_server_and_lives_two_weeks_at_most(tmp_path: Path) -> None:
    identity = opened(tmp_path)
    for path in (identity.certificate_file, tmp_path / "certificate-next.pem"):
        found = certificate(path)
        assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=14)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert set(names.get_values_for_type(x509.DNSName)) == {"play.example", "localhost"}
        assert {str(name) for name in names.get_values_for_type(x509.IPAddress)} == {
            "127.0.0.1",
            "::1",
            "192.0.2.7",
        }


def test_a_restart_changes_nothing(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path, NOW_MS + DAY_MS)
    assert first.spki_sha256 == second.spki_sha256
    assert first.certificate_sha256() == second.certificate_sha256()


def test_the_next_certificate_takes_over_half_way_through(tmp_path: Path) -> None:
    identity = opened(tmp_path)
    pin, (current, following) = identity.spki_sha256, identity.certificate_sha256()
    assert not identity.refresh(NOW_MS + 7 * DAY_MS - 1)
    assert identity.certificate_sha256() == [current, following]
    assert identity.refresh(NOW_MS + 7 * DAY_MS)
    assert identity.certificate_sha256()[0] == following
    assert identity.certificate_sha256()[1] not in {current, following}
    assert identity.spki_sha256 == pin


def test_through_a_year_a_valid_announced_certificate_is_always_in_use(tmp_path: Path) -> None:
    identity = opened(tmp_path)
    announced = set(identity.certificate_sha256())
    for day in range(365):
        now_ms = NOW_MS + day * DAY_MS
        identity.refresh(now_ms)
        assert identity.certificate_sha256()[0] in announced
        announced |= set(identity.certificate_sha256())
        found = certificate(identity.certificate_file)
        now = datetime.fromtimestamp(now_ms / 1000, UTC)
        assert found.not_valid_before_utc <= now < found.not_valid_after_utc


@pytest.mark.parametrize("days", [16, 40, 4000, -30])
def test_after_a_long_absence_the_certificates_are_valid_again(tmp_path: Path, days: int) -> None:
    pin = opened(tmp_path).spki_sha256
    now_ms = NOW_MS + days * DAY_MS
    identity = opened(tmp_path, now_ms)
    found = certificate(identity.certificate_file)
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    assert found.not_valid_before_utc <= now < found.not_valid_after_utc
    assert identity.spki_sha256 == pin


def test_a_new_name_makes_new_certificates_for_the_same_key(tmp_path: Path) -> None:
    first = opened(tmp_path)
    second = Identity.open(tmp_path, ["other.example"], NOW_MS)
    assert first.spki_sha256 == second.spki_sha256
    assert not set(first.certificate_sha256()) & set(second.certificate_sha256())


def test_a_reader_follows_the_owner_and_never_writes(tmp_path: Path) -> None:
    owner = opened(tmp_path)
    reader = Identity.read(tmp_path)
    assert reader.spki_sha256 == owner.spki_sha256
    assert reader.certificate_sha256() == owner.certificate_sha256()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert not reader.refresh(NOW_MS + 7 * DAY_MS)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    owner.refresh(NOW_MS + 7 * DAY_MS)
    assert reader.refresh(NOW_MS)
    assert reader.certificate_sha256() == owner.certificate_sha256()


def test_owners_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        pins = list(pool.map(lambda _: opened(tmp_path).spki_sha256, range(8)))
    assert set(pins) == {Identity.read(tmp_path).spki_sha256}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "certificate-next.pem",
        "certificate.pem",
        "key.pem",
    ]


@pytest.mark.parametrize("name", ["key.pem", "certificate.pem", "certificate-next.pem"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, name: str, content: bytes) -> None:
    opened(tmp_path)
    (tmp_path / name).write_bytes(content)
    for start in (opened, Identity.read):
        with pytest.raises(StartError) as error:
            start(tmp_path)
        assert name in str(error.value)
        assert "\n" not in str(error.value)


def test_a_certificate_of_another_key_is_made_again(tmp_path: Path) -> None:
    pin = opened(tmp_path / "a").spki_sha256
    opened(tmp_path / "b")
    (tmp_path / "a" / "certificate.pem").write_bytes(
        (tmp_path / "b" / "certificate.pem").read_bytes()
    )
    with pytest.raises(StartError, match="does not belong"):
        Identity.read(tmp_path / "a")
    assert opened(tmp_path / "a").spki_sha256 == pin


def test_a_folder_that_cannot_be_used_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartError, match="cannot be used"):
        opened(tmp_path / "file" / "tls")
    with pytest.raises(StartError, match="is missing"):
        Identity.read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["", "a..b", "x" * 300, "\u2603" * 80])
def test_a_name_that_is_none_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(StartError, match="not a host name"):
        Identity.open(tmp_path, [name], NOW_MS)
