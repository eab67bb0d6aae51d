"""Say how somebody is there, and when they were seen last, to who may know it."""

from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.presence.application.ports import Relations, Sessions, Wishes
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import ServersOf
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.social import Presence


@dataclass(frozen=True, slots=True)
class FindPresence:
    """Friends may know, and who shares a server with the user; to others they do not exist."""

    relations: Relations
    wishes: Wishes
    sessions: Sessions
    bus: Bus

    async def __call__(self, asker: UserId, user: UserId) -> Presence:
        """Return how *user* is seen. Raises ``NotFound``."""
        if asker != user and not await self._near(asker, user):
            raise NotFound("user_unknown", "there is no such user among those around you")
        shown = await self.sessions.shown_of([user])
        if shown:
            return shown[0]
        _, last_seen_ms = await self.wishes.of(user)
        return Presence(user, "offline", last_seen_ms=last_seen_ms)

    async def _near(self, asker: UserId, user: UserId) -> bool:
        contact = (await self.relations.contacts(asker, [user]))[user]
        if contact.friends:
            return True
        servers = set(await self.bus.ask(ServersOf(asker)))
        return bool(servers) and not servers.isdisjoint(await self.bus.ask(ServersOf(user)))
