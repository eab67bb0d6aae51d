"""The secrets that ``./just secrets`` makes are those that containers mount, and they work."""

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import nats
import psycopg
import pytest
import valkey

from sidetone.bus.nats import NatsBus
from sidetone.client.pinned import holds_key
from sidetone.credentials.pins import parse_address
from sidetone.protocol.refusals import Unavailable
from tests import engines
from tests.deploy.rendered import OVERLAYS, ROOT, compose, pods, rendered


def script() -> ModuleType:
    path = ROOT / "infra" / "scripts" / "new_secrets.py"
    spec = importlib.util.spec_from_file_location("new_secrets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(tmp_path / "secrets")
    return tmp_path / "secrets"


def make(folder: Path) -> None:
    script().main([str(folder), "--public-host", "voice.example.org"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_pods_mount_is_made(overlay: str, folder: Path) -> None:
    for pod in pods(rendered(overlay)):
        volumes = pod.spec.get("volumes", [])
        projected = [s for v in volumes for s in v.get("projected", {}).get("sources", [])]
        names = [v["secret"]["secretName"] for v in volumes if "secret" in v]
        names += [source["secret"]["name"] for source in projected if "secret" in source]
        made = {file.name for name in names for file in (folder / name).iterdir()}
        for container in pod.containers:
            words = [*container.get("args", []), *(str(e) for e in container.get("env", []))]
            asked = {
                word.rsplit("/", 1)[1].rstrip("'}")
                for word in words
                if "/run/secrets/" in word and "kubernetes.io" not in word
            }
            assert asked <= made


def test_what_compose_mounts_is_made(folder: Path) -> None:
    files = {entry["file"] for entry in compose()["secrets"].values()}
    prefix = "./compose/secrets/"
    assert all((folder / file.removeprefix(prefix)).is_file() for file in files)
    used = {
        entry["source"]
        for service in compose()["services"].values()
        for entry in service.get("secrets", [])
    }
    assert used == set(compose()["secrets"])


def test_what_is_there_stays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    make(folder)
    make(folder)
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_the_address_carries_the_pin_of_the_proxys_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    make(folder)
    address = parse_address(capsys.readouterr().out)
    pem = (folder / "proxy" / "certificate.pem").read_bytes()
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    assert holds_key(der, address.spki_sha256)
    assert (address.host, address.port) == ("voice.example.org", 7700)


def test_only_their_owner_enters_the_folder(folder: Path) -> None:
    assert folder.stat().st_mode & 0o077 == 0


async def test_the_bus_knows_each_service_and_nobody_else(folder: Path, tmp_path: Path) -> None:
    text = (ROOT / "k8s" / "engines" / "nats" / "nats.conf").read_text()
    # Any port for the monitoring; and Debian's server is older than the word "always".
    text = text.replace("http: 8222", "http: -1").replace("sync_interval: always", "")
    text = text.replace("store_dir: /data", "")
    (tmp_path / "nats.conf").write_text(text)
    (tmp_path / "users.conf").write_text((folder / "nats" / "users.conf").read_text())
    with engines.start_nats("--config", str(tmp_path / "nats.conf")) as engine:
        for user in ("auth", "voice-node"):
            client = await nats.connect(at(folder / user / "nats-url", engine))
            await client.jetstream().account_info()
            await client.close()
        with pytest.raises(Unavailable):
            await NatsBus.connect(engine.url)


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
