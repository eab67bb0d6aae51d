"""What one does about one's own account: profile, password, second factor, logins, devices."""

from unicodedata import normalize

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.accounts import (
    DeviceInfo,
    EditMe,
    LoginInfo,
    Me,
    Proof,
    TotpSecret,
)
from sidetone.protocol.ids import LoginId
from sidetone.protocol.refusals import Invalid

# Of the codes that authenticator apps show.
_DIGITS = 6


async def read_me(account: Account) -> Me:
    """Return what only we may know of ourselves."""
    return await account.client.api.accounts.me()


async def edit_profile(account: Account, display_name: str, bio: str) -> None:
    """Change what others read of us."""
    changes = EditMe(display_name=display_name.strip(), bio=bio.strip())
    account.learn(await account.client.api.accounts.edit_me(changes))


async def change_password(account: Account, old: str, new: str) -> None:
    """Change the password; every other login ends."""
    await account.client.api.accounts.change_password(new, Proof(password=old))


async def begin_second_factor(account: Account, password: str) -> TotpSecret:
    """Return what an authenticator app is told; nothing is asked for before it is confirmed."""
    return await account.client.api.accounts.begin_totp(Proof(password=password))


async def confirm_second_factor(account: Account, code: str) -> list[str]:
    """Ask for codes from now on; return the recovery codes, which are shown once."""
    # Who writes Chinese may have written them wide.
    digits = normalize("NFKC", "".join(code.split()))
    if len(digits) != _DIGITS or not (digits.isascii() and digits.isdecimal()):
        words = tr("The code that the app shows has {n} digits.", n=_DIGITS)
        raise Invalid("code_unreadable", words)
    return (await account.client.api.accounts.confirm_totp(digits)).codes


async def list_logins(account: Account) -> list[LoginInfo]:
    """Return where this account is signed in."""
    return await account.client.api.accounts.logins()


async def end_login(account: Account, login: LoginId) -> None:
    """Sign a device out."""
    await account.client.api.accounts.end_login(login)


async def end_other_logins(account: Account) -> None:
    """Sign all others out."""
    await account.client.api.accounts.end_other_logins()


async def list_devices(account: Account) -> list[DeviceInfo]:
    """Return the devices whose keys are known."""
    return await account.client.api.accounts.devices()
