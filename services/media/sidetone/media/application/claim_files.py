"""Take checked files into use."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.media.application.ports import Holdings
from sidetone.media.domain.holding import require_channel
from sidetone.protocol.files import File
from sidetone.protocol.questions import MANY_MAX
from sidetone.protocol.questions import ClaimFiles as Question
from sidetone.protocol.refusals import Invalid


@dataclass(frozen=True, slots=True)
class ClaimFiles:
    """Make files belong to a message, a user or a server: all of those asked for, or none."""

    holdings: Holdings

    async def __call__(self, claim: Question) -> Sequence[File]:
        """Return the files in the order of the question. Raises ``Refusal``."""
        if len(claim.files) > MANY_MAX:
            raise Invalid("files_too_many", f"claim at most {MANY_MAX} files at once")
        require_channel(claim.purpose, claim.channel)
        claimed = await self.holdings.claim(claim.files, claim.user, claim.purpose, claim.channel)
        return [holding.file for holding in claimed]
