"""Both places for secrets behave the same; a keyring in memory stands for a system's."""

import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from typing_extensions import override

from sidetone.client.keystore import KeyStore
from sidetone.desktop.application.logins import Keyring
from sidetone.desktop.infrastructure.keyring_secrets import (
    FileSecrets,
    SystemKeyring,
    open_secrets,
)
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Unavailable

SECRET = bytes(range(256))


class MemoryBackend(KeyringBackend):
    """What a system's keyring is to `keyring`."""

    priority = 0.5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    @override
    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    @override
    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.kept[service, username] = password

    @override
    def delete_password(self, service: str, username: str) -> None:
        self._check()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError(username)

    def _check(self) -> None:
        if self.locked:
            raise KeyringLocked


@pytest.fixture(params=["file", "keyring"])
def secrets(request: pytest.FixtureRequest, tmp_path: Path) -> Keyring:
    if request.param == "file":
        return FileSecrets(tmp_path / "data" / "secrets.json")
    return SystemKeyring(MemoryBackend())


def test_a_secret_is_kept_replaced_and_forgotten(secrets: Keyring) -> None:
    assert secrets.get("login-1") is None
    secrets.put("login-1", b"old")
    secrets.put("login-2", b"")
    secrets.put("login-1", SECRET)
    assert (secrets.get("login-1"), secrets.get("login-2")) == (SECRET, b"")
    secrets.forget("login-1")
    secrets.forget("login-1")
    assert (secrets.get("login-1"), secrets.get("login-2")) == (None, b"")


async def test_a_vault_is_sealed_by_a_key_that_is_kept(secrets: Keyring, tmp_path: Path) -> None:
    first = await KeyStore.open(tmp_path, UserId(UUID(int=1)), "", secrets)
    again = await KeyStore.open(tmp_path, UserId(UUID(int=1)), "", secrets)
    assert again.identity == first.identity


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secrets.json"
    FileSecrets(path).put("a", SECRET)
    FileSecrets(path).put("b", b"2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [p.name for p in path.parent.iterdir()] == ["secrets.json"]
    assert FileSecrets(path).get("a") == SECRET


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"a": "***"}'])
def test_a_damaged_file_is_said_and_left_alone(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "secrets.json"
    path.write_bytes(damage)
    for attempt in (lambda s: s.get("a"), lambda s: s.put("a", b"1"), lambda s: s.forget("a")):
        with pytest.raises(Unavailable) as caught:
            attempt(FileSecrets(path))
        assert str(path) in caught.value.detail
    assert path.read_bytes() == damage


def test_a_locked_keyring_is_said_in_one_line() -> None:
    backend = MemoryBackend()
    ring = SystemKeyring(backend)
    ring.put("a", SECRET)
    backend.locked = True
    for attempt in (lambda: ring.get("a"), lambda: ring.put("a", b""), lambda: ring.forget("a")):
        with pytest.raises(Unavailable, match="unlock it"):
            attempt()
    backend.locked = False
    assert ring.get("a") == SECRET


@pytest.fixture
def backend() -> Iterator[MemoryBackend]:
    before = keyring.get_keyring()
    backend = MemoryBackend()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_without_a_keyring_a_file_has_to_do_and_is_said_once(
    backend: MemoryBackend, tmp_path: Path
) -> None:
    secrets, notice = open_secrets(tmp_path)
    assert str(tmp_path) in notice
    secrets.put("a", SECRET)
    again, silence = open_secrets(tmp_path)
    assert again.get("a") == SECRET
    assert silence == ""
    assert backend.kept == {}


def test_what_was_begun_in_a_file_goes_on_in_it(backend: MemoryBackend, tmp_path: Path) -> None:
    open_secrets(tmp_path)[0].put("a", SECRET)
    type(backend).priority = 5
    try:
        assert open_secrets(tmp_path)[0].get("a") == SECRET
        elsewhere, notice = open_secrets(tmp_path / "elsewhere")
        elsewhere.put("a", SECRET)
        assert notice == ""
        assert len(backend.kept) == 1
    finally:
        type(backend).priority = 0.5
