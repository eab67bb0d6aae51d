"""The commands by which an operator sets NATS up and lets integrators in."""

import asyncio
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidetone.all_in_one.__main__ import main
from sidetone.bus.access import Access
from sidetone.bus.nats import NatsBus
from sidetone.protocol.refusals import Unavailable
from tests import engines


def sidetone(*words: str) -> str:
    """Run the command, which succeeds; return what it says."""
    result = CliRunner().invoke(main, ["admin", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output + result.stderr
    return result.output


def configured(folder: Path, data: Path, port: int) -> str:
    return sidetone(
        *("nats-config", "--folder", str(folder), "--data", str(data)),
        *("--name", "127.0.0.1", "--host", "127.0.0.1", "--port", str(port)),
        *("--monitor", f"127.0.0.1:{engines.free_port()}", "--server", "2.9"),
    )


@contextmanager
def running(folder: Path, port: int) -> Generator[str]:
    program = engines._program("nats-server", "/usr/sbin")
    if program is None:
        engines.missing("NATS", "apt-get install nats-server")
    url = f"tls://127.0.0.1:{port}"
    command = [str(program), "-c", str(folder / "nats.conf")]
    place = engines.new_folder("nats")
    with engines.Engine(url, command, place, lambda: engines._greets(port, b"INFO")) as engine:
        engine.start()
        yield url


async def lets_in(url: str, credentials: Path, ca: Path) -> bool:
    try:
        bus = await NatsBus.connect(url, access=Access(credentials, ca))
    except Unavailable:
        return False
    await bus.close()
    return True


def test_nats_is_set_up_and_an_integrator_comes_and_goes(tmp_path: Path) -> None:
    folder, port = tmp_path / "nats", engines.free_port()
    ca = folder / "tls" / "ca.pem"
    said = configured(folder, tmp_path / "data", port)
    assert "SIDETONE_CHAT_NATS_CREDENTIALS" in said
    place = ("integrator", "--folder", str(folder), "--url", f"tls://127.0.0.1:{port}")
    with running(folder, port) as url:
        assert asyncio.run(lets_in(url, folder / "credentials" / "chat.creds", ca))
        said = sidetone(*place, "add", "archive", "--events", "message.*", "--days", "1")
        assert "events.*.message.*" in said
        credentials = folder / "credentials" / "integrator-archive.creds"
        assert asyncio.run(lets_in(url, credentials, ca))
        assert sidetone(*place, "list").startswith("archive: events.*.message.*, valid until 2")
        sidetone(*place, "replay", "archive")
        kept = tmp_path / "kept.creds"
        kept.write_bytes(credentials.read_bytes())
        sidetone(*place, "revoke", "archive")
        assert "revoked" in sidetone(*place, "list")
        assert not asyncio.run(lets_in(url, kept, ca))


def test_what_was_given_out_counts_after_the_configuration_is_written_again(
    tmp_path: Path,
) -> None:
    folder, port = tmp_path / "nats", engines.free_port()
    configured(folder, tmp_path / "data", port)
    before = tmp_path / "before.creds"
    before.write_bytes((folder / "credentials" / "media.creds").read_bytes())
    ca = (folder / "tls" / "ca.pem").read_bytes()
    configured(folder, tmp_path / "data", port)
    assert (folder / "tls" / "ca.pem").read_bytes() == ca
    with running(folder, port) as url:
        assert asyncio.run(lets_in(url, before, folder / "tls" / "ca.pem"))


def test_secrets_are_for_their_owner_and_stand_in_no_configuration(written: Path) -> None:
    folder = written
    secret = [*folder.glob("keys/*"), *folder.glob("credentials/*"), *folder.glob("tls/*-key.pem")]
    assert len(secret) > 20
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    served = (folder / "nats.conf").read_text()
    for key in folder.glob("keys/*"):
        assert key.read_text() not in served


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a configuration that no server runs on."""
    folder = tmp_path_factory.mktemp("nats")
    configured(folder, folder / "data", 4222)
    return folder


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("add", "archive", "--events", "everything"), "is no kind of event"),
        (("revoke", "nobody"), "there is no integrator nobody"),
        (("add", "archive"), "no NATS server lets us in"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    written: Path, words: tuple[str, ...], complaint: str
) -> None:
    place = ("integrator", "--folder", str(written), "--url", "tls://127.0.0.1:1")
    result = CliRunner().invoke(main, ["admin", *place, *words])
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_configuration_there_are_no_integrators(tmp_path: Path) -> None:
    place = ("integrator", "--folder", str(tmp_path), "add", "archive")
    result = CliRunner().invoke(main, ["admin", *place])
    assert result.exit_code == 1
    assert "sidetone admin nats-config" in result.stderr
