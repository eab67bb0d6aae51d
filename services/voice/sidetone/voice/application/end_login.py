"""End the calls of a login that is over before its tokens are."""

from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.protocol.events import Fact, LoginEnded, MemberPutOut
from sidetone.voice.application.ports import Entries


@dataclass(frozen=True, slots=True)
class EndLogin:
    """Put out the devices that came in through the login; other logins of the user stay."""

    entries: Entries
    bus: Bus

    async def __call__(self, fact: Fact) -> None:
        """Hear one fact of the journal. Raises ``Unavailable``: it comes again."""
        match fact.event:
            case LoginEnded(user, login):
                for channel, device in await self.entries.of(login):
                    await self.bus.publish(MemberPutOut(channel, user, device))
            case _:
                pass
