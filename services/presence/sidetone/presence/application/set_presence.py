"""Change how one is seen, and read it back."""

from collections.abc import Callable
from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.presence.application.ports import Wishes
from sidetone.presence.domain.status import Wish, checked_wish, own
from sidetone.protocol.events import PresenceChanged, Signal, ToUsers
from sidetone.protocol.ids import UserId
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class SetPresence:
    """Store the wish, and let the watch look at the user.

    Their own devices are told in words of their own: only there is one invisible.
    """

    wishes: Wishes
    look: Callable[[UserId], None]
    bus: Bus
    clock: Clock

    async def __call__(self, user: UserId, wish: Wish) -> Wish:
        """Return the wish as it was stored. Raises ``Invalid``."""
        wish = checked_wish(wish, self.clock.now_ms())
        await self.wishes.put(user, wish)
        await self.bus.publish(Signal(ToUsers([user]), PresenceChanged(own(user, wish))))
        self.look(user)
        return wish

    async def read(self, user: UserId) -> Wish:
        """Return what *user* wishes now."""
        wish, _ = await self.wishes.of(user)
        return wish.at(self.clock.now_ms())
