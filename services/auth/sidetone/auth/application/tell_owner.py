"""Tell the owner of an account by mail what happened to it."""

from dataclasses import dataclass
from functools import partial

from sidetone.auth.application.ports import Addresses, Errands, Mail, Mailer
from sidetone.auth.domain.account import Account
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class TellOwner:
    """Send a notice, so that who did not do it themselves learns of it."""

    addresses: Addresses
    mailer: Mailer
    errands: Errands
    clock: Clock

    def __call__(self, account: Account, what: str) -> None:
        """Tell that *what* happened; nobody is told who has no verified address."""
        self.errands.add(partial(self._send, account, what))

    async def _send(self, account: Account, what: str) -> None:
        address, _ = await self.addresses.of_user(account.id, self.clock.now_ms())
        if address is not None:
            text = (
                f"Hello {account.name},\n\n{what}\n\n"
                "If this was you, all is well. If not, reset your password and end the logins "
                "that you do not know.\n"
            )
            await self.mailer.send(Mail(address, "Your account has changed", text))
