"""Note in the audit log what other services let a member do."""

from dataclasses import dataclass

from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.audit import Deed
from sidetone.protocol import questions


@dataclass(frozen=True, slots=True)
class NoteDeed:
    """Whoever asks has found out that the member may, and does it once this is noted."""

    changes: Changes

    async def __call__(self, wish: questions.NoteDeed) -> None:
        """Add an entry to the log of the server. Raises ``Refusal``."""
        deed = Deed.between(wish.actor, wish.action, wish.target, (wish.before, wish.after))
        async with self.changes.of(wish.server) as change:
            change.draft.deeds.append(deed)
