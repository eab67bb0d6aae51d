"""Placements, and who is shown in rooms, in the ephemeral store."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, DeviceId, LoginId
from sidetone.runtime.clock import Clock
from sidetone.storage import KeyValue
from sidetone.voice.application.ports import ShownRoom

# Longer than a ticket lives: by then the room is reported by its unit, or nobody came.
LEASE_SECONDS = 60.0
_HOPS_MAX = 8
# Renewed three times before it is over.
_SHOWN_SECONDS = 70.0
_ENTRIES_SECONDS = 86_400.0


class KeyValuePlacements:
    """One key per room; it is renewed by each claim.

    A dead unit's place is not overwritten, because two services could then write differently.
    Who comes after it is agreed upon under a further key, which names the dead one.
    """

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def claim(
        self, room: ChannelId, wanted: NodeAlive, nodes: Sequence[NodeAlive]
    ) -> NodeAlive:
        """Return the unit among *nodes* that has the room: *wanted*, unless one was earlier."""
        open_nodes = {_value(node): node for node in nodes}
        key = f"voice:room:{room}"
        for _ in range(_HOPS_MAX):
            value = await self._store.put_if_absent(key, _value(wanted), LEASE_SECONDS)
            if value in open_nodes:
                await self._store.put(key, value, LEASE_SECONDS)
                return open_nodes[value]
            key = f"voice:room:{room}:after:{value.hex()}"
        return wanted


def _value(node: NodeAlive) -> bytes:
    return node.node.to_bytes(8, "big")


class KeyValueEntries:
    """One set per login."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def add(self, login: LoginId, channel: ChannelId, device: DeviceId) -> None:
        """Remember that *device* got a ticket for *channel* through *login*."""
        await self._store.add_member(_entries(login), f"{channel} {device}", _ENTRIES_SECONDS)

    async def of(self, login: LoginId) -> Sequence[tuple[ChannelId, DeviceId]]:
        """Return the rooms and devices of *login*."""
        entries = [entry.split() for entry in await self._store.members(_entries(login))]
        return [(ChannelId(UUID(channel)), DeviceId(UUID(device))) for channel, device in entries]


class KeyValueShownRooms:
    """One value per room, which is swapped.

    A version in the value makes each one unlike any other, so that of several replicas that show
    the same exactly one succeeds.
    """

    def __init__(self, store: KeyValue, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, channel: ChannelId) -> ShownRoom | None:
        """Return who is shown in *channel*; None: nothing is known, and that is nobody."""
        value = await self._store.get(_shown(channel))
        return None if value is None else msgspec.msgpack.decode(value, type=ShownRoom)

    async def show(
        self, channel: ChannelId, before: ShownRoom | None, states: list[VoiceState]
    ) -> bool:
        """Show *states* from now on; False if another one was faster than *before*."""
        key = _shown(channel)
        if before is not None and before.states == states:
            value = msgspec.msgpack.encode(before)
        else:
            value = msgspec.msgpack.encode(ShownRoom(states, self._clock.new_id().bytes))
        if before is None:
            return await self._store.put_if_absent(key, value, _SHOWN_SECONDS) == value
        held = msgspec.msgpack.encode(before)
        return await self._store.replace(key, held, value, _SHOWN_SECONDS)


def _entries(login: LoginId) -> str:
    return f"voice:entries:{login}"


def _shown(channel: ChannelId) -> str:
    return f"voice:shown:{channel}"
