"""How long it takes to decide what a member may do in a channel, from memory.

Run it with ``python -m tests.load.bench_permissions [--json FILE]``. The server has 2,000 members
with three of 20 roles each, and 20 channels with overwrites for everyone, two roles and a member.
*permission_us* is a decision as messages and deliveries ask for it, of which one in a hundred was
not made before; *first_permission_us* is one that was not.
"""

import argparse
import json
import time
from pathlib import Path
from uuid import UUID

from sidetone.community import Community
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId
from sidetone.protocol.servers import Channel, Member, Overwrite, Role, Server, ServerState

_MEMBERS, _ROLES, _CHANNELS = 2_000, 20, 20
_ROUNDS = 5


def server_of_many() -> ServerState:
    """Return a server of the size that is measured."""
    server = ServerId(UUID(int=1))
    roles = [RoleId(UUID(int=1_000 + number)) for number in range(_ROLES)]
    users = [UserId(UUID(int=10_000 + number)) for number in range(_MEMBERS)]
    speak, send = int(Permission.SPEAK), int(Permission.SEND_MESSAGES)
    return ServerState(
        Server(server, "tavern", users[0]),
        1,
        [
            Role(RoleId(server), "everyone", 0, int(EVERYONE)),
            *(Role(role, "role", number, 1 << number) for number, role in enumerate(roles, 1)),
        ],
        [
            Channel(
                ChannelId(UUID(int=100 + number)),
                server,
                "place",
                "voice" if number % 2 else "text",
                overwrites=[
                    Overwrite(server, "role", 0, speak | send),
                    Overwrite(roles[number % _ROLES], "role", speak, 0),
                    Overwrite(roles[(number + 1) % _ROLES], "role", send, 0),
                    Overwrite(users[number], "member", speak | send, 0),
                ],
            )
            for number in range(_CHANNELS)
        ],
        [
            Member(user, 0, roles=[roles[(number + step) % _ROLES] for step in (0, 5, 11)])
            for number, user in enumerate(users)
        ],
    )


def measure() -> dict[str, float]:
    """Return microseconds per decision, of the best of some rounds."""
    first_us, mixed_us = [], []
    for _ in range(_ROUNDS):
        community = Community(server_of_many())
        first_us.append(_decide_all(community, times=1))
        community = Community(server_of_many())
        mixed_us.append(_decide_all(community, times=100))
    return {
        "permission_us": round(min(mixed_us), 3),
        "first_permission_us": round(min(first_us), 3),
    }


def _decide_all(community: Community, times: int) -> float:
    asked = [
        (UserId(user), ChannelId(channel))
        for user in list(community.members)[: _MEMBERS // 10]
        for channel in community.channels
    ]
    began = time.perf_counter()
    for _ in range(times):
        for user, channel in asked:
            community.permissions(user, channel, 0)
    return (time.perf_counter() - began) / (len(asked) * times) * 1e6


def main() -> None:
    """Measure, print, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    figures = measure()
    print(" ".join(f"{name} {value}" for name, value in figures.items()))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
