"""A bot that prints what is written where it may read.

python docs/examples/listening_bot.py ADDRESS NAME PASSWORD

The account must exist. It runs until it is interrupted; drops of the connection are repaired by
the SDK, and nothing is printed twice.
"""

import asyncio
import contextlib
import sys
from uuid import UUID

from sidetone.client.client import Client
from sidetone.community import Community
from sidetone.protocol.events import MessageSent, ServerChanged, ServerClosed, ServerOpened
from sidetone.protocol.frames import Ready
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Refusal


class Servers:
    """The servers that the account is in, kept up to date by what happens."""

    def __init__(self) -> None:
        self._servers: dict[UUID, Community] = {}

    def hear(self, happening: object) -> None:
        """Change what *happening* changes."""
        match happening:
            case Ready(servers=servers):
                self._servers = {state.server.id: Community(state) for state in servers}
            case ServerOpened(state):
                self._servers[state.server.id] = Community(state)
            case ServerClosed(server):
                self._servers.pop(server, None)
            case ServerChanged(server) if server in self._servers:
                self._servers[server].apply(happening)
            case _:
                pass

    def place_of(self, message: Message) -> str:
        """Return the names of where *message* was written."""
        server = self._servers[message.server]
        return f"{server.server.name}/{server.channels[message.channel].name}"


async def main(address: str, name: str, password: str) -> None:
    """Log in and print every message."""
    servers = Servers()
    async with Client(address) as client:
        await client.log_in(name, password)
        async with client.events() as happenings:
            async for happening in happenings:
                servers.hear(happening)
                if isinstance(happening, MessageSent):
                    message = happening.message
                    print(f"{servers.place_of(message)}: {message.text}", flush=True)  # noqa: T201


if __name__ == "__main__":
    if len(sys.argv) != len(("program", "address", "name", "password")):
        sys.exit(__doc__)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main(*sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(f"{refusal.detail} ({refusal.code})")
