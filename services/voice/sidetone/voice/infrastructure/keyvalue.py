"""Placements in the ephemeral store."""

from collections.abc import Sequence

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId
from sidetone.storage import KeyValue

# Longer than a ticket lives: by then the room is reported by its unit, or nobody came.
LEASE_SECONDS = 60.0
_HOPS_MAX = 8


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
