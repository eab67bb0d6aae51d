"""On NATS each container is who it should be and nobody else, and no password opens anything."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest
from cryptography import x509
from nats.js import JetStreamContext

from sidetone.all_in_one.nats_config.folder import KEEPER, PUBLISHER, Folder
from sidetone.bus.access import Access, name_in
from sidetone.bus.facts_stream import STREAM
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from sidetone.protocol.refusals import Unavailable
from tests import engines
from tests.deploy.containers import COMPOSE, Container, containers, each_deployment
from tests.deploy.made import made, made_for, make
from tests.deploy.rendered import ROOT, settings_of
from tests.waiting import until

USER = "-----BEGIN NATS USER JWT-----"
# Who writes the public stream, which is in an account of its own.
ALSO = {"integrations": {PUBLISHER}}
CLUSTER = ROOT / "k8s" / "overlays" / "large" / "nats" / "cluster.conf"


def one(deployment: str, name: str) -> Container:
    (found,) = [each for each in containers(deployment) if each.name == name]
    return found


def signs_in_by(container: Container, folder: Path) -> tuple[str, Access]:
    """Return where NATS is for a program of ours, and the files that it is given for it."""
    assert container.program is not None
    _, prefix = settings_of(container.program)
    names = ("NATS_URL", "NATS_CREDENTIALS", "NATS_CA")
    if container.program == "sfu":
        names = ("BUS", "BUS_CREDENTIALS", "BUS_CA")
    url, credentials, ca = (container.variables[f"{prefix}_{name}"] for name in names)
    files = container.files(folder)
    return url, Access(files[credentials], files[ca])


@each_deployment
def test_each_program_signs_in_as_itself_and_knows_the_server(deployment: str) -> None:
    folder = made_for(deployment)
    pem = (folder / "nats" / "server.pem").read_bytes()
    names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    for container in containers(deployment):
        if container.program:
            url, (credentials, ca) = signs_in_by(container, folder)
            server = urlsplit(url)
            assert (server.scheme, server.username, server.port) == ("tls", None, 4222)
            assert server.hostname in names.value.get_values_for_type(x509.DNSName)
            assert credentials is not None
            assert name_in(credentials.read_text()) == container.program
            assert ca is not None
            assert ca.read_bytes() == (folder / "nats-operator" / "tls" / "ca.pem").read_bytes()


@each_deployment
def test_the_public_stream_is_written_by_a_user_of_its_own(deployment: str) -> None:
    container = one(deployment, "integrations")
    path = container.variables["SIDETONE_INTEGRATIONS_EVENTS_CREDENTIALS"]
    assert name_in(container.files(made_for(deployment))[path].read_text()) == PUBLISHER


@each_deployment
def test_nobody_holds_what_another_signs_in_with(deployment: str) -> None:
    for container in containers(deployment):
        texts = [file.read_text() for file in container.files(made_for(deployment)).values()]
        own = {container.program} if container.program else set()
        held = {name_in(text) for text in texts if USER in text}
        assert held == own | ALSO.get(container.name, set()), container.name


@each_deployment
def test_no_container_can_sign_for_others(deployment: str) -> None:
    folder = made_for(deployment)
    operator = folder / "nats-operator"
    signers = [file.read_text() for file in (operator / "keys").glob("[!u]*.seed")]
    signers.append((operator / "tls" / "ca-key.pem").read_text())
    assert len(signers) == 5
    for container in containers(deployment):
        for file in container.files(folder).values():
            assert not any(signer in file.read_text() for signer in signers), file


@each_deployment
def test_the_server_knows_nobody_by_a_password(deployment: str) -> None:
    text = (made_for(deployment) / "nats" / "nats.conf").read_text() + CLUSTER.read_text()
    said = set(re.findall(r"^\s*(\w+)\s*[:{]", text, re.MULTILINE))
    assert {"operator", "resolver", "tls", "cluster"} <= said
    assert not said & {"accounts", "authorization", "no_auth_user", "users"}


def here(text: str, at: Path, ports: dict[str, int]) -> str:
    """Return what a server is told, for one that runs outside of its container, in *at*."""
    text = text.replace("/etc/nats", str(at)).replace('"/data', f'"{at}/data')
    text = text.replace("$(POD_NAME)", at.name)
    for place, port in ports.items():
        text = text.replace(place, f"127.0.0.1:{port}")
    # Debian's server is older than this word.
    return text.replace("\n  sync_interval: always", "")


@contextmanager
def started(
    container: Container, folder: Path, at: Path, routes: dict[str, int]
) -> Generator[engines.Engine]:
    """Run the server of *container* with what it mounts; *routes* is where others have theirs."""
    program = engines._program("nats-server", "/usr/sbin")
    if program is None:
        engines.missing("NATS", "apt-get install nats-server")
    ports = {"0.0.0.0:4222": engines.free_port(), "0.0.0.0:8222": engines.free_port()} | routes
    seen = {path: file.read_text() for path, file in container.files(folder).items()}
    seen["/etc/nats/cluster.conf"] = CLUSTER.read_text().replace(
        "port: 6222", f"listen: {at.name}.nats-nodes:6222"
    )
    for path, text in seen.items():
        file = Path(here(path, at, ports))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(here(text, at, ports))
    words = [here(word, at, ports) for word in container.words]
    port = ports["0.0.0.0:4222"]
    url = f"tls://localhost:{port}"
    engine = engines.Engine(url, [program, *words], at, lambda: engines._greets(port, b"INFO"))
    engine.start()
    engines.versions["NATS"] = engines.version_of([program, "--version"])
    with engine:
        yield engine


async def test_the_server_of_compose_lets_services_in_and_nobody_else(tmp_path: Path) -> None:
    folder = made_for(COMPOSE)
    with started(one(COMPOSE, "nats"), folder, tmp_path / "nats", {}) as engine:
        for name in ("chat", "search-indexer", "voice-node"):
            _, access = signs_in_by(one(COMPOSE, name), folder)
            await (await NatsBus.connect(engine.url, access=access)).close()
        _, access = signs_in_by(one(COMPOSE, "chat"), folder)
        await (await NatsJournal.connect(engine.url, access)).close()
        with pytest.raises(Unavailable, match="lets us in"):
            await NatsBus.connect(engine.url, access=access._replace(credentials=None))
    assert "Violation" not in (tmp_path / "nats" / "log").read_text()


async def test_three_servers_are_one_and_keep_three_copies(tmp_path: Path) -> None:
    folder = made("--nats", "127.0.0.1")
    server = one("large", "nats")
    routes = {f"nats-{index}.nats-nodes:6222": engines.free_port() for index in range(3)}
    chat = signs_in_by(one("large", "chat"), folder)[1]
    keeper = Folder(folder / "nats-operator").access(KEEPER)
    with (
        started(server, folder, tmp_path / "nats-0", routes) as first,
        started(server, folder, tmp_path / "nats-1", routes) as second,
        started(server, folder, tmp_path / "nats-2", routes),
    ):
        # They have to agree first who leads.
        await until(partial(keeps_a_journal, first.url, chat), 60)
        client = await nats.connect(second.url, **keeper.options())
        try:
            streams = client.jetstream()
            config = (await streams.stream_info(STREAM)).config
            await streams.update_stream(config, num_replicas=3)
            await until(partial(has_three_copies, streams))
        finally:
            await client.close()


async def test_who_has_a_certificate_of_others_is_no_server_of_ours(tmp_path: Path) -> None:
    folder, other = made("--nats", "127.0.0.1"), tmp_path / "other"
    make(other, "--nats", "127.0.0.1")
    # It takes us for what we are, so that we are the ones who refuse.
    (other / "nats" / "ca.pem").write_text((folder / "nats" / "ca.pem").read_text())
    server = one("large", "nats")
    routes = {f"nats-{index}.nats-nodes:6222": engines.free_port() for index in range(3)}
    with (
        started(server, folder, tmp_path / "nats-0", routes),
        started(server, other, tmp_path / "nats-1", routes),
    ):
        log = tmp_path / "nats-0" / "log"
        await until(lambda: "failed to verify client" in log.read_text())


async def keeps_a_journal(url: str, access: Access) -> bool:
    try:
        journal = await NatsJournal.connect(url, access)
    except Unavailable:
        return False
    await journal.close()
    return True


async def has_three_copies(streams: JetStreamContext) -> bool:
    cluster = (await streams.stream_info(STREAM)).cluster
    return cluster is not None and len(cluster.replicas or []) == 2
