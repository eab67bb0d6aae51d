"""Which logins are remembered, where a keyring takes small things only, as that of Windows."""

import stat
from pathlib import Path
from uuid import UUID

import pytest

from sidetone.desktop.application.logins import ACCOUNTS_MAX, Logins
from sidetone.desktop.infrastructure.logins_file import LoginsFile
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid, Unavailable

# `CRED_MAX_CREDENTIAL_BLOB_SIZE`, and its text is UTF-16.
_WINDOWS_BYTES_MAX = 2_560


class SmallKeyring:
    """Takes what Windows would take."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def put(self, name: str, secret: bytes) -> None:
        # As `SystemKeyring` has it: base64, in two bytes a letter.
        assert 2 * (-(-len(secret) // 3) * 4) <= _WINDOWS_BYTES_MAX
        self.kept[name] = secret

    def forget(self, name: str) -> None:
        self.kept.pop(name, None)


def login(number: int) -> LoggedIn:
    return LoggedIn(UserId(UUID(int=number)), f"nova {number} {'x' * 20}", "access", "r" * 64, 60)


async def test_as_many_logins_as_there_may_be_fit(tmp_path: Path) -> None:
    keyring, index = SmallKeyring(), LoginsFile(tmp_path / "client" / "logins.json")
    logins = Logins(keyring, index)
    address = f"sidetone://{'long-name.' * 20}example.org:8443#{'A' * 43}"
    for number in range(ACCOUNTS_MAX):
        await logins.keep(address, login(number))
    with pytest.raises(Invalid, match="sign out"):
        await logins.keep(address, login(ACCOUNTS_MAX))
    again = Logins(keyring, index)
    remembered = await again.all()
    assert [each.user.int for each in remembered] == list(range(ACCOUNTS_MAX))
    assert await again.token(remembered[3]) == "r" * 64
    await again.order([remembered[5].user, remembered[3].user])
    assert [each.user.int for each in await again.all()][:3] == [5, 3, 0]
    await again.forget(remembered[3].user)
    assert await again.token(remembered[3]) is None
    assert remembered[3] not in await again.all()


def test_the_list_holds_no_secret_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    assert LoginsFile(path).read() == []
    LoginsFile(path).write([])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_token_is_in_no_file(tmp_path: Path) -> None:
    index = LoginsFile(tmp_path / "logins.json")
    await Logins(SmallKeyring(), index).keep("sidetone://a", login(1))
    assert b"rrrr" not in (tmp_path / "logins.json").read_bytes()


def test_a_damaged_list_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    path.write_bytes(b"[{]")
    assert LoginsFile(path).read() == []
    assert (tmp_path / "logins.damaged.json").read_bytes() == b"[{]"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be remembered"):
        LoginsFile(tmp_path / "file" / "logins.json").write([])
