"""What the tests of voice share: forwarding units that report, and a clock that the test moves."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, NodeId


@dataclass
class MovedClock:
    """Stands still until the test moves it."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def new_id(self) -> UUID:
        return uuid7()


def node(
    number: int, *rooms: ChannelId, connections: int = 0, draining: bool = False
) -> NodeAlive:
    """Return a heartbeat of unit *number*."""
    return NodeAlive(
        NodeId(number),
        "voice.example",
        1 + number % 65_000,
        b"p" * 32,
        [b"c" * 32],
        connections,
        list(rooms),
        draining,
    )


def room(number: int) -> ChannelId:
    return ChannelId(UUID(int=number))
