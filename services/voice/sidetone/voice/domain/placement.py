"""Which forwarding unit gets a call: weighted rendezvous hashing.

Each unit draws a score for each room; the highest one gets it. When a unit goes, only its own
rooms move, because the scores of the others do not change, and two services that see the same
units choose alike without talking. Source: Thaler and Ravishankar, "Using name-based mappings to
increase hit rates" (1998), with the logarithmic weights of Schindelhauer and Schomaker (2005).
"""

import math
from collections.abc import Iterable
from hashlib import blake2b

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId

# A unit with this many connections gets half of the rooms that an idle one gets.
_CONNECTIONS_AT_HALF_WEIGHT = 100
# Even one whose core has no time left gets some: it may be the only one.
_FREE_MIN = 0.05


def choose(room: ChannelId, nodes: Iterable[NodeAlive]) -> NodeAlive | None:
    """Return the unit for a new room, or None when there is none that takes rooms."""
    return max(
        (node for node in nodes if not node.draining),
        key=lambda node: (_score(room, node), node.node),
        default=None,
    )


def weight(node: NodeAlive) -> float:
    """Return how many rooms a unit gets, where an idle one gets 1: fewer with more load.

    Connections are what it promised; the CPU shows what they cost, which video and speakers
    multiply.
    """
    free = min(max(1 - node.cpu_percent / 100, _FREE_MIN), 1.0)
    return free / (1 + max(node.connections, 0) / _CONNECTIONS_AT_HALF_WEIGHT)


def _score(room: ChannelId, node: NodeAlive) -> float:
    """Return a positive number: exponentially distributed with the inverse weight as its rate."""
    digest = blake2b(room.bytes + node.node.to_bytes(8, "big"), digest_size=8).digest()
    # The top 53 bits, moved off both ends: strictly between zero and one.
    uniform = ((int.from_bytes(digest, "big") >> 11) + 0.5) / 2**53
    return -weight(node) / math.log(uniform)
