"""Draw the consequences of what happened elsewhere."""

from dataclasses import dataclass

from sidetone.media.application.ports import Holdings
from sidetone.protocol.events import AccountClosed, Fact


@dataclass(frozen=True, slots=True)
class HearFact:
    """Drop what belonged to a closed account.

    Attachments stay: they are part of messages, and chat drops them with these.
    """

    holdings: Holdings

    async def __call__(self, fact: Fact) -> None:
        """Act on *fact*; hearing it twice does no harm."""
        if isinstance(fact.event, AccountClosed):
            await self.holdings.drop_of_user(fact.event.user)
