"""Show people what is kept about them."""

from dataclasses import dataclass

from sidetone.auth.application.manage_bots import ManageBots
from sidetone.auth.application.manage_devices import ManageDevices
from sidetone.auth.application.manage_logins import ManageLogins
from sidetone.auth.application.ports import Accounts, Addresses
from sidetone.auth.application.proof_ports import Identities, Passkeys, SecondFactors
from sidetone.auth.domain.account import Account
from sidetone.protocol.accounts import Export, Me
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock

# Where the other services tell what they keep.
_ELSEWHERE = (
    "GET /chat/servers",
    "GET /chat/conversations",
    "GET /chat/channels/{channel}/messages",
    "GET /presence/relationships",
    "GET /media/files/{file}",
)


@dataclass(frozen=True)
class ShowAccount:
    """Show an account to its owner, short or whole."""

    accounts: Accounts
    addresses: Addresses
    second_factors: SecondFactors
    passkeys: Passkeys
    clock: Clock

    async def __call__(self, user: UserId) -> tuple[Me, int]:
        """Return the account, and the version of what others see. Raises ``NotFound``."""
        account = await self.accounts.get(user)
        if account is None:
            raise NotFound("user_unknown", "this account is closed")
        return await self.me(account), account.version

    async def me(self, account: Account) -> Me:
        """Return what only the owner may know."""
        verified, waiting = await self.addresses.of_user(account.id, self.clock.now_ms())
        totp = await self.second_factors.totp(account.id)
        return Me(
            user=account.user(),
            address=verified or waiting,
            address_verified=verified is not None,
            password=bool(account.password_hash),
            totp=totp is not None and totp.confirmed,
            recovery_codes=await self.second_factors.recovery_codes_left(account.id),
            passkeys=len(await self.passkeys.credentials(account.id)),
            created_at_ms=account.created_at_ms,
        )


@dataclass(frozen=True)
class ExportAccount:
    """Everything that auth keeps about a user, without the secrets and their hashes."""

    show_account: ShowAccount
    manage_logins: ManageLogins
    manage_bots: ManageBots
    manage_devices: ManageDevices
    passkeys: Passkeys
    identities: Identities

    async def __call__(self, user: UserId, login: LoginId) -> Export:
        """Return it as one document. Raises ``NotFound``."""
        me, _ = await self.show_account(user)
        return Export(
            exported_at_ms=self.show_account.clock.now_ms(),
            me=me,
            logins=await self.manage_logins.list(user, login),
            devices=await self.manage_devices.list(user),
            passkeys=await self.passkeys.of_user(user),
            identities=await self.identities.of_user(user),
            bots=await self.manage_bots.list(user),
            elsewhere=list(_ELSEWHERE),
        )
