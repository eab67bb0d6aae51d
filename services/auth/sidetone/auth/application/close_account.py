"""Close an account for ever, in two steps."""

from dataclasses import dataclass
from functools import partial

from sidetone.auth.application.ports import Accounts, Denials, Errands
from sidetone.auth.application.proof_ports import Challenges
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.bus import Bus
from sidetone.protocol.accounts import Deletion, Proof
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.questions import DropFiles
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock

CONFIRMED_WITHIN_MS = 10 * 60_000

_DELETION = "deletion"


@dataclass(frozen=True)
class CloseAccount:
    """The first step wants proof, the second shows that the first was meant."""

    accounts: Accounts
    challenges: Challenges
    denials: Denials
    prove_identity: ProveIdentity
    bus: Bus
    errands: Errands
    clock: Clock

    async def begin(self, user: UserId, login: LoginId, proof: Proof) -> Deletion:
        """Return what confirms it. Raises ``Forbidden`` without proof."""
        await self.prove_identity(user, login, proof)
        token = await self.challenges.put(_DELETION, user.bytes, CONFIRMED_WITHIN_MS)
        return Deletion(token, self.clock.now_ms() + CONFIRMED_WITHIN_MS)

    async def confirm(self, user: UserId, token: str) -> None:
        """Forget the person; the name is kept, so that nobody can pass for them.

        Raises ``NotFound`` where nothing was begun. The other services forget what is theirs when
        they hear of it.
        """
        if await self.challenges.take(_DELETION, token) != user.bytes:
            raise NotFound("deletion_unknown", "this took too long; begin it again")
        account = await self.accounts.get(user)
        await self.denials.deny(await self.accounts.close(user, self.clock.now_ms()))
        if account is not None and account.avatar is not None:
            self.errands.add(partial(self.bus.ask, DropFiles([account.avatar])))
