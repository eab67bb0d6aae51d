"""When a room that two units hold grows together again; pure: the time is an argument.

A heartbeat that comes late looks like a unit that died: who joins then is sent elsewhere, while
the others stay. A room that several units hold is kept by the one with the lowest id, where the
voice service sends newcomers.
"""

from collections.abc import Collection

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, NodeId

# Two heartbeats in a row: one may cross with the last member's goodbye.
_CERTAIN_AFTER_MS = 400
# Whoever is sent back here all the same would be sent away again and again.
_AGAIN_AFTER_MS = 10_000


class Splits:
    """The rooms of *node* that units with lower ids report too."""

    def __init__(self, node: NodeId) -> None:
        self._node = node
        self._seen: dict[tuple[NodeId, ChannelId], float] = {}

    def hear(self, alive: NodeAlive, held: Collection[ChannelId], now_ms: int) -> list[ChannelId]:
        """Take a unit's heartbeat; return which rooms of those *held* are to move there now."""
        if alive.node >= self._node:
            return []
        rooms = [] if alive.draining else alive.rooms
        shared = {room for room in rooms if room in held}
        self._seen = {
            (node, room): at_ms
            for (node, room), at_ms in self._seen.items()
            if room in (shared if node == alive.node else held)
        }
        due: list[ChannelId] = []
        for room in sorted(shared):
            at_ms = self._seen.setdefault((alive.node, room), now_ms)
            if now_ms - at_ms >= _CERTAIN_AFTER_MS:
                self._seen[alive.node, room] = now_ms + _AGAIN_AFTER_MS
                due.append(room)
        return due
