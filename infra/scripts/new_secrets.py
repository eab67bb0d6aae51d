"""Make every secret of a deployment: passwords, the engines' configurations, the server's key.

    python infra/scripts/new_secrets.py infra/compose/secrets --public-host voice.example.org

writes a folder for each container, with a file for each secret, and prints the address that
members are given. Each container mounts its own folder and no other; ``nats-operator``, which
signs who the services are on NATS, is mounted by none. What is there already stays as it is, but
for what services may do on NATS and that server's certificate, which are made anew.
``--postgres`` and the like name the engines where they are not called so.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sidetone.all_in_one.commands.service import SERVICES
from sidetone.all_in_one.nats_config.folder import PUBLISHER, Folder, Listening
from sidetone.credentials.pins import Address, spki_sha256
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.start import StartError

# Who each container is on NATS.
BUS_USERS = {service: service for service in SERVICES} | {"voice-node": "sfu"}
ENGINES = ("postgres", "valkey", "s3")
PORT = 7700


def main(arguments: list[str]) -> None:
    """Write what is missing; whatever keeps it from that is one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--public-host", help="also make a TLS key, and print its address")
    parser.add_argument("--public-port", type=int, default=PORT)
    for engine in ENGINES:
        parser.add_argument(f"--{engine}", default=engine, metavar="HOST")
    parser.add_argument("--nats", default=["nats"], nargs="+", metavar="HOST")
    wish = parser.parse_args(arguments)
    try:
        folder = Secrets(wish.folder)
        write_secrets(folder, {engine: getattr(wish, engine) for engine in ENGINES})
        write_nats(folder, wish.nats)
        if wish.public_host:
            print(write_key(folder, wish.public_host, wish.public_port))
    except OSError as error:
        sys.exit(f"the secrets cannot be written: {error}; choose another folder")
    except StartError as error:
        sys.exit(str(error))


class Secrets:
    """Files in a folder that only its owner enters."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, name: str, content: str) -> str:
        """Write *content* into the file *name* if it is missing; return what is in it."""
        path = self.path / name
        if not path.exists():
            self.write(name, content)
        return path.read_text("utf-8")

    def write(self, name: str, content: str) -> None:
        """Write *content* into the file *name*, the same file where a container mounts it."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        # The folder keeps others out; users inside containers have other numbers than we.
        path.chmod(0o644)


def write_secrets(folder: Secrets, hosts: Mapping[str, str]) -> None:
    """Write the secrets of all services and engines, which name each other by *hosts*."""
    postgres = folder.keep("postgres/password", _password())
    folder.keep("postgres/superuser-password", _password())
    # The operator of PostgreSQL wants the name beside it.
    folder.keep("postgres/username", "sidetone")
    valkey = folder.keep("valkey/password", _password())
    folder.keep("valkey/users.acl", _valkey_users(valkey))
    typesense = folder.keep("typesense/api-key", _password())
    folder.keep("typesense/typesense.ini", f"[server]\napi-key={typesense}\ndata-dir=/data\n")
    files = folder.keep("s3/secret-key", _password())
    folder.keep("s3/s3.json", _s3_users(files))
    folder.keep("grafana/password", _password())
    database = f"postgresql://sidetone:{postgres}@{hosts['postgres']}:5432/sidetone"
    for service in SERVICES:
        folder.keep(f"{service}/database-url", database)
        folder.keep(
            f"{service}/valkey-url", f"valkey://sidetone:{valkey}@{hosts['valkey']}:6379/0"
        )
    folder.keep("migrate/database-url", database)
    folder.keep("search-indexer/typesense-api-key", typesense)
    # The indexer lets it search, and no more.
    search = folder.keep("chat/typesense-api-key", _password())
    folder.write("search-indexer/typesense-search-key", search)
    folder.keep("media/s3-secret-key", files)


def write_nats(folder: Secrets, names: list[str]) -> None:
    """Write NATS' configuration, and for each service who it is there; *names* are the server's.

    Raises ``StartError`` for a folder that cannot be used.
    """
    operator = Folder(folder.path / "nats-operator")
    # Whoever comes through a tunnel calls the server localhost.
    listening = Listening(
        names=[*names, "localhost"], folder="/etc/nats", data="/data", monitor="0.0.0.0:8222"
    )
    operator.write(listening, SystemClock().now_ms())
    tls = operator.path / "tls"
    handed = {f"nats/{name}": tls / name for name in ("ca.pem", "server.pem", "server-key.pem")}
    handed["nats/nats.conf"] = operator.path / "nats.conf"
    for container, user in BUS_USERS.items():
        handed[f"{container}/nats.creds"] = operator.credentials_of(user)
        handed[f"{container}/nats-ca.pem"] = tls / "ca.pem"
    handed["integrations/publisher.creds"] = operator.credentials_of(PUBLISHER)
    for name, source in handed.items():
        folder.write(name, source.read_text("utf-8"))


def write_key(folder: Secrets, host: str, port: int) -> str:
    """Write the key that members pin, and a certificate for it; return the server's address.

    Members check the key and nothing else, so the certificate may be as old as the server.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    folder.keep("proxy/key.pem", _pem(key))
    kept = (folder.path / "proxy/key.pem").read_bytes()
    key = serialization.load_pem_private_key(kept, password=None)
    pem = folder.keep("proxy/certificate.pem", _certificate(key, host))
    certificate = x509.load_pem_x509_certificate(pem.encode())
    der = certificate.public_bytes(serialization.Encoding.DER)
    return str(Address(host, port, spki_sha256(der)))


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encoded.decode()


def _certificate(key: Any, host: str) -> str:  # noqa: ANN401 - any kind of key that somebody put there
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sidetone")])
    now = datetime.now(UTC)
    try:
        known_as: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        known_as = x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _password() -> str:
    return secrets.token_urlsafe(24)


def _valkey_users(password: str) -> str:
    return (
        "user default off\n"
        f"user sidetone on >{password} ~* &* +@all -@admin -@dangerous +info +client|setinfo\n"
    )


def _s3_users(secret_key: str) -> str:
    credentials = [{"accessKey": "sidetone", "secretKey": secret_key}]
    actions = ["Read", "Write", "List", "Tagging", "Admin"]
    user = {"name": "sidetone", "credentials": credentials, "actions": actions}
    return json.dumps({"identities": [user]}, indent=1) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
