"""Draw the consequences of what happened elsewhere."""

from dataclasses import dataclass

from sidetone.media.application.ports import Holdings
from sidetone.protocol.events import AccountClosed, Fact, ServerChanged
from sidetone.protocol.ids import ChannelId


@dataclass(frozen=True, slots=True)
class HearFact:
    """Drop what belonged to a closed account, and the attachments of channels that are gone."""

    holdings: Holdings

    async def __call__(self, fact: Fact) -> None:
        """Act on *fact*; hearing it twice does no harm."""
        match fact.event:
            case AccountClosed(user):
                await self.holdings.drop_of_user(user)
            case ServerChanged(gone=gone) if gone:
                # Ids of roles and members are among them, and no file is in one of those.
                await self.holdings.drop_in_channels([ChannelId(piece) for piece in gone])
            case _:
                pass
