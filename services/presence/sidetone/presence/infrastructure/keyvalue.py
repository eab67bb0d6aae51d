"""Sessions, and how users are shown, in the ephemeral store."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.presence.application.ports import Shown
from sidetone.protocol.ids import SessionId, UserId
from sidetone.protocol.social import Presence
from sidetone.runtime.clock import Clock
from sidetone.storage import KeyValue

# Renewed three times before it is over.
_SHOWN_SECONDS = 70.0
# As long as presence may be away and still tell afterwards who went meanwhile.
_LATELY_SECONDS = 600.0
_EVERYBODY = "presence:users"


class KeyValueSessions:
    """A set of sessions per user, and the shown presence as a value that is swapped.

    A version in the value makes each one unlike any other, so that of several replicas that show
    the same exactly one succeeds.
    """

    def __init__(self, store: KeyValue, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def renew(self, user: UserId, session: SessionId, lifetime_ms: int) -> None:
        """Count *session* for the time to come."""
        await self._store.add_member(_sessions(user), str(session), lifetime_ms / 1_000)

    async def end(self, user: UserId, session: SessionId) -> None:
        """Count *session* no more."""
        await self._store.remove_member(_sessions(user), str(session))

    async def there(self, user: UserId) -> bool:
        """Return whether *user* has a session that counts."""
        return bool(await self._store.members(_sessions(user)))

    async def shown(self, user: UserId) -> Shown | None:
        """Return how *user* is shown now; None: nothing is known, and that is offline."""
        value = await self._store.get(_shown(user))
        return None if value is None else msgspec.msgpack.decode(value, type=Shown)

    async def show(self, before: Shown | None, presence: Presence) -> bool:
        """Show *presence* from now on; False if another one was faster than *before*."""
        key = _shown(presence.user)
        value = msgspec.msgpack.encode(Shown(presence, self._clock.new_id().bytes))
        if before is None:
            won = await self._store.put_if_absent(key, value, _SHOWN_SECONDS) == value
        else:
            held = msgspec.msgpack.encode(before)
            won = await self._store.replace(key, held, value, _SHOWN_SECONDS)
        if won and presence.status == "offline":
            await self._store.remove_member(_EVERYBODY, str(presence.user))
        elif won:
            await self._store.add_member(_EVERYBODY, str(presence.user), _LATELY_SECONDS)
        return won

    async def keep(self, shown: Shown) -> None:
        """Go on showing what is shown."""
        value = msgspec.msgpack.encode(shown)
        user = shown.presence.user
        if await self._store.replace(_shown(user), value, value, _SHOWN_SECONDS):
            await self._store.add_member(_EVERYBODY, str(user), _LATELY_SECONDS)

    async def shown_of(self, users: Sequence[UserId]) -> list[Presence]:
        """Return how those of *users* are shown who are not offline."""
        values = await self._store.get_many([_shown(user) for user in users])
        presences = [
            msgspec.msgpack.decode(value, type=Shown).presence
            for value in values
            if value is not None
        ]
        return [presence for presence in presences if presence.status != "offline"]

    async def everybody(self) -> Sequence[UserId]:
        """Return all who were there lately."""
        return [UserId(UUID(member)) for member in await self._store.members(_EVERYBODY)]


def _sessions(user: UserId) -> str:
    return f"presence:sessions:{user}"


def _shown(user: UserId) -> str:
    return f"presence:shown:{user}"
