"""The secrets that ``./just secrets`` makes are those that containers mount, and they work."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import valkey

from sidetone.client.pinned import holds_key
from sidetone.credentials.pins import parse_address
from tests import engines
from tests.deploy.containers import COMPOSE, containers, each_deployment
from tests.deploy.made import FOR_COMPOSE, made_for, make
from tests.deploy.rendered import ROOT, compose

# What is made anew each time: rights, and a certificate that ends.
RENEWED = re.compile(r".*\.creds|nats\.conf|server\.pem")


@pytest.fixture
def folder() -> Path:
    return made_for(COMPOSE)


def contents(folder: Path) -> dict[Path, str]:
    return {file: file.read_text() for file in folder.rglob("*") if file.is_file()}


@each_deployment
def test_what_containers_are_told_to_read_is_made_and_mounted(deployment: str) -> None:
    for container in containers(deployment):
        files = container.files(made_for(deployment))
        assert all(file.is_file() for file in files.values())
        told = " ".join([*container.words, *container.variables.values()])
        assert set(re.findall(r"/run/secrets/[\w./-]+", told)) <= set(files), container.name


def test_compose_declares_what_it_mounts_and_nothing_else() -> None:
    used = {
        entry["source"]
        for service in compose()["services"].values()
        for entry in service.get("secrets", [])
    }
    assert used == set(compose()["secrets"])


def test_what_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "made", *FOR_COMPOSE)
    before = contents(tmp_path)
    make(tmp_path / "made", *FOR_COMPOSE)
    after = contents(tmp_path)
    assert set(after) == set(before)
    for file, content in before.items():
        if file.suffix == ".creds":
            # New rights, for the same key.
            assert after[file].splitlines()[4:] == content.splitlines()[4:]
        elif not RENEWED.fullmatch(file.name):
            assert after[file] == content, file
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_the_address_carries_the_pin_of_the_proxys_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    make(tmp_path / "made", *FOR_COMPOSE)
    address = parse_address(capsys.readouterr().out)
    pem = (tmp_path / "made" / "proxy" / "certificate.pem").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert holds_key(der, address.spki_sha256)
    assert (address.host, address.port) == ("voice.example.org", 7700)


def test_only_their_owner_enters_the_folder(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "nats-operator").stat().st_mode & 0o077 == 0


def test_the_store_lets_services_do_what_they_do_and_no_more(folder: Path) -> None:
    users = str(folder / "valkey" / "users.acl")
    with engines.start_valkey("--aclfile", users) as engine:
        client = valkey.Valkey.from_url(at(folder / "chat" / "valkey-url", engine))
        with client:
            assert client.ping()
            assert client.eval("return redis.call('SET', KEYS[1], 'x', 'PX', 1000)", 1, "key")
            with pytest.raises(valkey.exceptions.NoPermissionError):
                client.flushall()
        refused = pytest.raises(valkey.exceptions.AuthenticationError)
        with valkey.Valkey.from_url(engine.url) as stranger, refused:
            stranger.ping()


def test_services_own_their_database_and_nothing_else(folder: Path) -> None:
    with engines.start_postgres() as engine:
        here = urlsplit(engine.url)
        programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        subprocess.run(
            ["sh", str(ROOT / "k8s" / "engines" / "postgres" / "role.sh")],
            check=True,
            env={
                "PATH": f"{programs}:/usr/bin:/bin",
                "PGHOST": "127.0.0.1",
                "PGPORT": str(here.port),
                "SIDETONE_PASSWORD_FILE": str(folder / "postgres" / "password"),
            },
        )
        with psycopg.connect(at(folder / "migrate" / "database-url", engine)) as connection:
            connection.execute("CREATE TABLE owned (id int)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("CREATE ROLE other")


def at(file: Path, engine: engines.Engine) -> str:
    """Return the URL in *file*, at the engine that runs here."""
    url, here = urlsplit(file.read_text()), urlsplit(engine.url)
    netloc = f"{url.username}:{url.password}@{here.hostname}:{here.port}"
    return url._replace(netloc=netloc).geturl()
