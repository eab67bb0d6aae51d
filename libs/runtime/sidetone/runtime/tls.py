"""A server's TLS identity: one long-lived key in a folder, and short-lived certificates for it.

Native clients pin the key (``spki_sha256``), so it is made once and never replaced. Browsers pin
certificates, ECDSA P-256 and valid for at most 14 days, and must learn the next one before it is
used: the next one is therefore always prepared, and takes over half-way through the life of the
current one. Nothing here is signed by an authority; trust comes from the pin.
"""

import contextlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sidetone.credentials.pins import spki_sha256
from sidetone.runtime.files import create_once, write_atomically
from sidetone.runtime.start import StartError

_LIFETIME = timedelta(days=14) - timedelta(seconds=1)
_IN_USE = timedelta(days=7)
# Certificates are valid a little before they are used, for clients whose clock is behind.
_BACKDATED = timedelta(hours=1)
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class Identity:
    """The key and the certificates of one server, in one folder.

    One process owns the folder (``open``) and rotates; others that share it (``read``) follow.
    """

    def __init__(self, folder: Path, names: Sequence[str] | None) -> None:
        self.key_file = folder / "key.pem"
        self.certificate_file = folder / "certificate.pem"
        self._next_file = folder / "certificate-next.pem"
        self._names = names
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_3
        self._seen: tuple[object, ...] = ()
        self._certificates: tuple[x509.Certificate, ...] = ()
        self.spki_sha256 = b""

    @classmethod
    def open(cls, folder: Path, names: Sequence[str], now_ms: int) -> "Identity":
        """Open the identity in *folder* as its owner, making what is missing.

        *names* are the host names and addresses that the server is reached by; localhost is
        always among them. Raises ``StartError`` for files that cannot be read or written.
        """
        identity = cls(folder, sorted({*names, *_LOCAL_NAMES}))
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not identity.key_file.exists():
                create_once(identity.key_file, _new_key(), mode=0o600)
            identity.refresh(now_ms)
        except OSError as error:
            raise StartError(
                f"the TLS identity in {folder} cannot be used: {error}; "
                "make the folder writable for this user"
            ) from None
        return identity

    @classmethod
    def read(cls, folder: Path) -> "Identity":
        """Read the identity that another process owns; never writes. Raises ``StartError``."""
        identity = cls(folder, None)
        identity._reload()
        return identity

    def certificate_sha256(self) -> list[bytes]:
        """Return the SHA-256 of the current certificate and of the one that will follow it."""
        return [certificate.fingerprint(hashes.SHA256()) for certificate in self._certificates]

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context of every handshake; ``refresh`` changes its chain in place."""
        return self._context

    def refresh(self, now_ms: int) -> bool:
        """Rotate if it is time, or follow the owner; True if the current certificate changed.

        Meant to be called every minute or so. Raises ``StartError`` for damaged files.
        """
        before = self.certificate_sha256()[:1]
        if self._names is not None:
            self._rotate(self._names, datetime.fromtimestamp(now_ms / 1000, UTC))
        if self._stamps() != self._seen:
            self._reload()
        return self.certificate_sha256()[:1] != before

    def _rotate(self, names: Sequence[str], now: datetime) -> None:
        key = _read_key(self.key_file)
        current = _read_own_certificate(self.certificate_file, key, names)
        following = _read_own_certificate(self._next_file, key, names)
        if current is not None and _in_use(current, now):
            if following is None:
                self._write(self._next_file, _certificate(key, names, _end_of_use(current)))
            return
        if following is None or not _in_use(following, now):
            following = _certificate(key, names, now)
        self._write(self.certificate_file, following)
        self._write(self._next_file, _certificate(key, names, _end_of_use(following)))

    def _write(self, path: Path, certificate: x509.Certificate) -> None:
        write_atomically(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)

    def _reload(self) -> None:
        seen = self._stamps()
        found = [_read_certificate(path) for path in (self.certificate_file, self._next_file)]
        if found[0] is None:
            raise StartError(f"{self.certificate_file} is missing; start its owner first")
        try:
            self._context.load_cert_chain(self.certificate_file, self.key_file)
        except ssl.SSLError:
            raise StartError(
                f"{self.certificate_file} does not belong to {self.key_file}; "
                "delete the certificate and it will be made again"
            ) from None
        self.spki_sha256 = spki_sha256(found[0].public_bytes(serialization.Encoding.DER))
        self._certificates = tuple(certificate for certificate in found if certificate)
        self._seen = seen

    def _stamps(self) -> tuple[object, ...]:
        paths = (self.key_file, self.certificate_file, self._next_file)
        return tuple(_stamp(path) for path in paths)


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey, names: Sequence[str], use_from: datetime
) -> x509.Certificate:
    valid_from = use_from - _BACKDATED
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sidetone")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_from + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_general_names(names)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_names(names: Sequence[str]) -> list[x509.GeneralName]:
    return [_general_name(name) for name in names]


def _general_name(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ip_address(name))
    with contextlib.suppress(UnicodeError):
        ascii_name = name.encode("idna").decode("ascii")
        if ascii_name:
            return x509.DNSName(ascii_name)
    raise StartError(f"{name!r} is not a host name or an IP address; correct it")


def _in_use(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now < _end_of_use(certificate)


def _end_of_use(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_before_utc + _BACKDATED + _IN_USE


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StartError(
            f"the TLS key {path} cannot be read: {error}; restore it from a backup (a new key "
            "changes the pin in every address that was given out)"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise StartError(f"the TLS key {path} is not an elliptic-curve key; restore the old one")
    return key


def _read_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StartError(
            f"the TLS certificate {path} cannot be read: {error}; delete it and it is made again"
        ) from None


def _read_own_certificate(
    path: Path, key: ec.EllipticCurvePrivateKey, names: Sequence[str]
) -> x509.Certificate | None:
    """Return the certificate in *path* if it is for *key* and for all of *names*."""
    certificate = _read_certificate(path)
    if certificate is None or certificate.public_key() != key.public_key():
        return None
    covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return certificate if set(_general_names(names)) <= set(covered) else None


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
