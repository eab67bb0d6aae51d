"""The forwarding units, as their heartbeats tell."""

from collections.abc import Sequence

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, NodeId

# A unit reports every half second: two reports may be lost. Callers who lost a dead unit notice it
# within 2 s and ask again; by then it must not be handed out any more.
HEALTHY_MS = 1_600
NODES_MAX = 1_000
# A unit reports within this time.
SETTLE_MS = 600


class Fleet:
    """Which units live, and which rooms they hold.

    At most ``NODES_MAX`` are remembered; beyond that the one that was silent longest is forgotten.

    Who has heard of none for a while, at its start or without the bus, hears of some before it
    hears of others: then all have *settle_ms* to report before any is handed out. Else a call
    whose unit just had not reported yet would go on in two places.
    """

    def __init__(self, settle_ms: int = 0) -> None:
        self._settle_ms = settle_ms
        self._settled_at_ms = 0
        self._last_heard_ms: int | None = None
        # In the order of their last heartbeats: the first is the one that was silent longest.
        self._heard: dict[NodeId, tuple[NodeAlive, int]] = {}
        self._lost: dict[NodeId, None] = {}

    def hear(self, alive: NodeAlive, now_ms: int) -> None:
        """Take a heartbeat; it replaces the unit's last one.

        A new unit at the address of another one is that unit's successor: two cannot have one
        port. One whose id or port no ticket could carry is not heard, nor one that was lost.
        """
        if not (0 <= alive.node < 1 << 63 and 0 < alive.port < 1 << 16):
            return
        if alive.node in self._lost:
            return
        if self._last_heard_ms is None or now_ms - self._last_heard_ms >= HEALTHY_MS:
            self._settled_at_ms = now_ms + self._settle_ms
        self._last_heard_ms = now_ms
        address = (alive.host, alive.port)
        for node, (before, _) in list(self._heard.items()):
            if node == alive.node or (before.host, before.port) == address:
                del self._heard[node]
        self._heard[alive.node] = (alive, now_ms)
        while len(self._heard) > NODES_MAX:
            del self._heard[next(iter(self._heard))]

    def lose(self, node: NodeId) -> None:
        """Forget a unit that died, for good: its last heartbeat may still be on its way.

        No unit has the id of an earlier one.
        """
        self._heard.pop(node, None)
        self._lost[node] = None
        while len(self._lost) > NODES_MAX:
            del self._lost[next(iter(self._lost))]

    def open_nodes(self, now_ms: int) -> Sequence[NodeAlive]:
        """Return the units that live and are not draining; none while reports come in anew."""
        if now_ms < self._settled_at_ms:
            return []
        return [alive for alive in self.living(now_ms) if not alive.draining]

    def living(self, now_ms: int) -> Sequence[NodeAlive]:
        """Return the units that live."""
        return [
            alive
            for alive, heard_at_ms in self._heard.values()
            if now_ms - heard_at_ms < HEALTHY_MS
        ]


def holder_of(room: ChannelId, nodes: Sequence[NodeAlive]) -> NodeAlive | None:
    """Return the unit that reports *room*, or None.

    Should two report it, all services agree on the one with the lowest id, so that the call grows
    together again as members join anew.
    """
    return min(
        (node for node in nodes if room in node.rooms), key=lambda node: node.node, default=None
    )
