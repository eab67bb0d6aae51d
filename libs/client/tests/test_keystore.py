import asyncio
import stat
from pathlib import Path
from uuid import UUID

import pytest

from sidetone.client.keystore import KeyStore
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid, Unauthenticated, Unavailable

ADA, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
PASSPHRASE = "correct horse battery staple"


class Ring:
    """A keyring in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def put(self, name: str, secret: bytes) -> None:
        self.kept[name] = secret


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_device_is_the_same_after_a_restart(tmp_path: Path) -> None:
    first = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    again = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    assert again.identity == first.identity
    assert again.device == first.device
    assert again.public_keys() == first.public_keys()


async def test_accounts_have_vaults_of_their_own(tmp_path: Path) -> None:
    ada = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    ben = await KeyStore.open(tmp_path, BEN, PASSPHRASE)
    assert ada.identity.uik != ben.identity.uik


async def test_the_vault_is_for_its_owner_alone_and_leaves_no_other_file(tmp_path: Path) -> None:
    await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    (vault,) = files(tmp_path)
    assert stat.S_IMODE(vault.stat().st_mode) == 0o600
    assert stat.S_IMODE(vault.parent.stat().st_mode) == 0o700


async def test_what_is_trusted_is_kept(tmp_path: Path) -> None:
    keys = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    keys.trust.verify(BEN.bytes, bytes(range(32)))
    keys.save_soon()
    await keys.close()
    again = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    assert again.trust.pins() == keys.trust.pins() != ()


async def test_another_passphrase_opens_nothing_and_changes_nothing(tmp_path: Path) -> None:
    await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    (vault,) = files(tmp_path)
    before = vault.read_bytes()
    with pytest.raises(Unauthenticated) as caught:
        await KeyStore.open(tmp_path, ADA, "another one altogether")
    assert str(vault) in caught.value.detail
    assert vault.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 4096])
async def test_a_damaged_vault_is_reported_in_one_line_and_left_alone(
    tmp_path: Path, damage: bytes
) -> None:
    await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    (vault,) = files(tmp_path)
    vault.write_bytes(damage)
    with pytest.raises(Invalid) as caught:
        await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    assert str(vault) in caught.value.detail
    assert "\n" not in caught.value.detail
    assert vault.read_bytes() == damage


async def test_a_vault_of_another_account_is_refused(tmp_path: Path) -> None:
    await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    (tmp_path / str(ADA)).rename(tmp_path / str(BEN))
    with pytest.raises(Invalid) as caught:
        await KeyStore.open(tmp_path, BEN, PASSPHRASE)
    assert caught.value.code == "vault_foreign"


async def test_a_keyring_holds_the_key_of_the_vault(tmp_path: Path) -> None:
    ring = Ring()
    first = await KeyStore.open(tmp_path, ADA, PASSPHRASE, ring)
    again = await KeyStore.open(tmp_path, ADA, "not needed", ring)
    assert again.identity == first.identity
    (key,) = ring.kept.values()
    assert len(key) == 32


async def test_a_vault_whose_key_is_gone_from_the_keyring_is_not_replaced(tmp_path: Path) -> None:
    ring = Ring()
    await KeyStore.open(tmp_path, ADA, PASSPHRASE, ring)
    (vault,) = files(tmp_path)
    before = vault.read_bytes()
    with pytest.raises(Unauthenticated) as caught:
        await KeyStore.open(tmp_path, ADA, PASSPHRASE, Ring())
    assert caught.value.code == "vault_key_missing"
    assert vault.read_bytes() == before


async def test_a_vault_sealed_by_passphrase_is_not_opened_by_keyring(tmp_path: Path) -> None:
    await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    ring = Ring()
    ring.put(f"sidetone vault {tmp_path.name} {ADA}", bytes(32))
    with pytest.raises((Invalid, Unauthenticated)) as caught:
        await KeyStore.open(tmp_path, ADA, PASSPHRASE, ring)
    assert caught.value.code in {"vault_kind", "vault_wrong_key"}


async def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / str(ADA)).write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    assert caught.value.code == "vault_unusable"


async def test_a_burst_of_changes_is_kept_once(tmp_path: Path) -> None:
    keys = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    for n in range(50):
        keys.trust.meet(UUID(int=n).bytes, bytes(32))
        keys.save_soon()
        await asyncio.sleep(0)
    await keys.close()
    again = await KeyStore.open(tmp_path, ADA, PASSPHRASE)
    assert len(again.trust.pins()) == 50


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    keys = asyncio.run(KeyStore.open(tmp_path, ADA, PASSPHRASE))
    shown = f"{keys!r} {keys.identity!r} {keys.__dict__!r}"
    assert keys.identity.user_seed.hex() not in shown
    assert repr(keys.identity.user_seed) not in shown
