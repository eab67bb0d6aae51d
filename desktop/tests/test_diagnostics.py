"""The log stays small and private, and nothing of anybody leaves in a file of diagnostics."""

import base64
import json
import logging
import secrets
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials.pins import Address
from sidetone.desktop.domain.diagnostics import scrubbed
from sidetone.desktop.domain.invite_link import link_of
from sidetone.desktop.domain.preferences import (
    Keys,
    KnownServer,
    Layout,
    Notifications,
    Preferences,
    Voice,
)
from sidetone.desktop.infrastructure.diagnostics_file import DiagnosticsFile
from sidetone.desktop.infrastructure.keyring_secrets import FileSecrets
from sidetone.desktop.infrastructure.log_file import (
    FILE_BYTES_MAX,
    OLD_FILES_MAX,
    last_lines,
    log_to,
    set_level,
)
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.messages import SendMessage
from sidetone.protocol.refusals import Unavailable


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # Pytest's own handlers are put back behind our back otherwise.
    log_to(tmp_path / "data", "info")
    yield tmp_path / "data"
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_full_log_is_replaced_and_only_a_few_are_kept(folder: Path) -> None:
    log = logging.getLogger("sidetone.test")
    line = "x" * 9_000
    for number in range(5 * FILE_BYTES_MAX // len(line)):
        log.info("%d %s", number, line)
    files = sorted(folder.iterdir())
    assert len(files) == 1 + OLD_FILES_MAX
    assert all(path.stat().st_size <= FILE_BYTES_MAX for path in files)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    numbers = [
        int(json.loads(each)["event"].split()[0]) for each in last_lines(folder).splitlines()
    ]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))


def test_the_level_changes_at_once(folder: Path) -> None:
    logging.getLogger("sidetone.test").debug("before")
    set_level("debug")
    logging.getLogger("sidetone.test").debug("after")
    logging.getLogger("pynput.keyboard").debug("a key")
    assert [json.loads(each)["event"] for each in last_lines(folder).splitlines()] == ["after"]


def test_a_folder_that_cannot_hold_a_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        log_to(tmp_path / "file", "info")
    assert str(tmp_path / "file") in caught.value.detail


def test_nothing_of_anybody_leaves_in_diagnostics(folder: Path) -> None:
    """Canaries in every place where a client keeps or logs something, and none in the file."""
    pin = secrets.token_bytes(32)
    address = str(Address("hideout.example", 8443, pin))
    code = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    token, key, hexed = secrets.token_urlsafe(32), secrets.token_bytes(32), secrets.token_hex(32)
    jwt = (
        f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIx{secrets.token_urlsafe(9)}.{secrets.token_urlsafe(40)}"
    )
    password, said = "Correct Horse Canary", "meet me by the canary"
    friend, server, channel = UserId(uuid4()), ServerId(uuid4()), ChannelId(uuid4())

    FileSecrets(folder / "secrets.json").put("login", token.encode())
    log = structlog.get_logger("sidetone.test")
    log.info("signed_in", refresh_token=token, password=password, key=key, body=said.encode())
    log.info("sent", request=SendMessage(said), link=link_of(address, code))
    log.info("could not join", reason=f"the server {address} refused {code}")
    logging.getLogger("sidetone.test").warning("header Bearer %s, key %s", jwt, hexed)
    logging.getLogger("sidetone.test").info("kept in %s", Path.home() / "sidetone")

    preferences = Preferences(
        voice=Voice(microphone="Yeti", volumes={friend: 20}),
        keys=Keys({"mute": "ctrl+m"}, {server: {"mute": "f9"}}),
        notifications=Notifications(servers={server: "all"}, channels={channel: "nothing"}),
        layout=Layout(servers=(server,), collapsed=frozenset({channel})),
        servers=(KnownServer(address, "The hideout"),),
    )
    path = folder / "diagnostics.zip"
    DiagnosticsFile(folder).write(path, preferences, (["Yeti"], ["Headphones"]), {"resumes": 3})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}

    everything = "\n".join(files.values())
    canaries = [
        address, "hideout", code, token, key.hex(), base64.b64encode(key).decode(), hexed, jwt,
        *jwt.split("."), password, said, "canary", str(friend), str(server), str(channel),
        str(Path.home()), Address("x", 1, pin).__str__().partition("#")[2],
    ]  # fmt: skip
    assert [canary for canary in canaries if canary.lower() in everything.lower()] == []


def test_what_explains_a_fault_is_there(folder: Path) -> None:
    log = logging.getLogger("sidetone.test")
    log.warning("could not join %s, in wait_until_somebody_answers", UUID(int=7))
    path = folder / "diagnostics.zip"
    preferences = Preferences(
        voice=Voice(microphone="Yeti"), servers=(KnownServer("sidetone://a"),)
    )
    DiagnosticsFile(folder).write(path, preferences, (["Yeti"], ["Headphones"]), {"resumes": 3})
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    settings = json.loads(files.pop("settings.json"))
    assert (settings["voice"]["microphone"], settings["servers"]) == ("Yeti", 1)
    assert json.loads(files.pop("devices.json"))["speakers"] == ["Headphones"]
    assert json.loads(files.pop("counters.json")) == {"resumes": 3}
    assert "python" in json.loads(files.pop("versions.json"))
    said = files.pop("client.log")
    assert f"could not join {UUID(int=7)}, in wait_until_somebody_answers" in said
    assert files == {}


def test_a_place_that_cannot_be_written_is_named(folder: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        DiagnosticsFile(folder).write(folder / "no" / "d.zip", Preferences(), ([], []), {})
    assert str(folder / "no" / "d.zip") in caught.value.detail


@given(st.binary(min_size=24, max_size=64), st.sampled_from(["url", "hex"]))
def test_no_key_is_left_in_a_text(key: bytes, form: str) -> None:
    text = key.hex() if form == "hex" else base64.urlsafe_b64encode(key).decode().rstrip("=")
    assert text not in scrubbed(f"the key {text}, said somebody", "")
