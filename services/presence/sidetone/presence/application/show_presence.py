"""See how somebody is there, and tell those around them when it changed."""

from dataclasses import dataclass

import msgspec

from sidetone.bus import Bus
from sidetone.presence.application.ports import Relations, Sessions, Wishes
from sidetone.presence.domain.status import Wish, coarse, own, seen
from sidetone.protocol.events import Around, PresenceChanged, Signal, ToUsers
from sidetone.protocol.ids import UserId
from sidetone.protocol.social import Presence
from sidetone.runtime.clock import Clock
from sidetone.telemetry.metrics import counter

_TRIES_MAX = 8
_CHANGES = counter(
    "sidetone_presence_changes_total", "Changes of how users are shown, by the new one.", "status"
)
for _status in ("online", "idle", "dnd", "offline"):
    _CHANGES.labels(_status)


@dataclass(frozen=True, slots=True)
class ShowPresence:
    """Compare how a user is to be shown with how they are shown, and change it once.

    All replicas look. Who swaps the shown presence first tells the others, so that one change
    makes one signal; and then looks again, since what it saw may be old by then.
    """

    relations: Relations
    wishes: Wishes
    sessions: Sessions
    bus: Bus
    clock: Clock

    async def __call__(self, user: UserId) -> tuple[bool, Wish]:
        """Return whether *user* is there, and what they wish. Raises ``Unavailable``."""
        there, wish = False, Wish()
        for _ in range(_TRIES_MAX):
            shown = await self.sessions.shown(user)
            there = await self.sessions.there(user)
            stored, last_seen_ms = await self.wishes.of(user)
            now_ms = self.clock.now_ms()
            wish = stored.at(now_ms)
            before = shown.presence if shown else Presence(user, "offline")
            if before.status != "offline":
                last_seen_ms = coarse(now_ms)
            after = seen(user, wish, last_seen_ms, there=there)
            if _alike(before, after):
                if shown and after.status != "offline":
                    await self.sessions.keep(shown)
                break
            if await self.sessions.show(shown, after):
                _CHANGES.labels(after.status).inc()
                await self._tell(after)
                if there and after.status == "offline":
                    await self._tell_themselves(own(user, wish))
        return there, wish

    async def _tell_themselves(self, presence: Presence) -> None:
        """Tell those who went invisible that they did: they hear what the others hear, too."""
        await self.bus.publish(Signal(ToUsers([presence.user]), PresenceChanged(presence)))

    async def _tell(self, presence: Presence) -> None:
        if presence.last_seen_ms is not None:
            await self.wishes.seen(presence.user, presence.last_seen_ms)
        friends = await self.relations.friends(presence.user)
        await self.bus.publish(Signal(Around(presence.user, friends), PresenceChanged(presence)))


def _alike(one: Presence, other: Presence) -> bool:
    """Return whether the two look alike; when somebody was last seen is no change by itself."""
    return one == msgspec.structs.replace(other, last_seen_ms=one.last_seen_ms)
