"""Change what others see of a user."""

from dataclasses import dataclass
from functools import partial

import msgspec

from sidetone.auth.application.ports import Accounts, Errands
from sidetone.auth.domain.account import Account
from sidetone.auth.domain.profile import bio_of, display_name_of
from sidetone.bus import Bus
from sidetone.protocol.accounts import EditMe
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.questions import ClaimFiles, DropFiles
from sidetone.protocol.refusals import Conflict, NotFound

# How often an edit that names no version is tried again when another one was faster.
_TRIES = 3


@dataclass(frozen=True)
class EditProfile:
    """Edit display name, bio and avatar; a file becomes an avatar by being claimed for it."""

    accounts: Accounts
    bus: Bus
    errands: Errands

    async def __call__(self, user: UserId, changes: EditMe, version: int | None) -> Account:
        """Return the account as it is now.

        Raises ``Conflict`` with code ``stale_version`` where it is no longer *version*; None edits
        whatever is there.
        """
        for _ in range(_TRIES):
            account = await self.accounts.get(user)
            if account is None:
                raise NotFound("user_unknown", "this account is closed")
            if version is not None and account.version != version:
                break
            edited = _edited(account, changes)
            if edited == account:
                return account
            if edited.avatar != account.avatar and edited.avatar is not None:
                await self.bus.ask(ClaimFiles(user, "avatar", [edited.avatar]))
            if await self.accounts.edit(edited, account.version):
                self._drop(account.avatar, edited.avatar)
                return msgspec.structs.replace(edited, version=account.version + 1)
        raise Conflict(
            "stale_version", "your profile was changed meanwhile; read it again, then repeat"
        )

    def _drop(self, before: FileId | None, after: FileId | None) -> None:
        if before is not None and before != after:
            self.errands.add(partial(self.bus.ask, DropFiles([before])))


def _edited(account: Account, changes: EditMe) -> Account:
    if isinstance(changes.display_name, str):
        account = msgspec.structs.replace(
            account, display_name=display_name_of(changes.display_name)
        )
    if isinstance(changes.bio, str):
        account = msgspec.structs.replace(account, bio=bio_of(changes.bio))
    if changes.avatar is not msgspec.UNSET:
        account = msgspec.structs.replace(account, avatar=changes.avatar)
    return account
