"""A bot that tells a channel how a game server is: up, down, on another map. And ``/status``.

python docs/examples/status_bot.py ADDRESS CHANNEL HOST:PORT < token

CHANNEL is the id of a text channel. The game server is asked as Steam asks it (A2S_INFO), which
most understand. The bot's token, with the scopes read and write, comes from standard input.
"""

import asyncio
import contextlib
import struct
import sys
from typing import NamedTuple
from uuid import UUID

from sidetone.client.client import Client
from sidetone.protocol.commands import Invocation, NewCommand
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Refusal

ASK = b"\xff\xff\xff\xffTSource Engine Query\0"
EVERY_SECONDS = 5.0
ANSWER_SECONDS_MAX = 2.0


class Status(NamedTuple):
    """What a game server says of itself."""

    name: str
    map: str
    players: int
    players_max: int

    def __str__(self) -> str:
        """Return it in a line."""
        return f"{self.name} is up: {self.map}, {self.players}/{self.players_max} players"


class Replies(asyncio.DatagramProtocol):
    """Puts what comes from the game server into a queue; noise beyond its bound is dropped."""

    def __init__(self) -> None:
        self.packets: asyncio.Queue[bytes] = asyncio.Queue(16)

    def datagram_received(self, data: bytes, _: object) -> None:
        """Take a packet."""
        with contextlib.suppress(asyncio.QueueFull):
            self.packets.put_nowait(data)


async def ask(host: str, port: int) -> Status | None:
    """Return the status of the game server, None where it does not answer."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            transport, replies = await loop.create_datagram_endpoint(
                Replies, remote_addr=(host, port)
            )
            with contextlib.closing(transport):
                transport.sendto(ASK)
                packet = await replies.packets.get()
                if packet[4:5] == b"A":
                    # It wants to see that we are where we say we are.
                    transport.sendto(ASK + packet[5:9])
                    packet = await replies.packets.get()
                return read(packet)
    except (TimeoutError, OSError):
        return None


def read(packet: bytes) -> Status | None:
    """Return what an answer of kind I says, None for anything else."""
    if packet[:5] != b"\xff\xff\xff\xffI":
        return None
    name, place, _, _, rest = packet[6:].split(b"\0", 4)
    players, players_max = struct.unpack_from("<2xBB", rest)
    return Status(
        name.decode(errors="replace"), place.decode(errors="replace"), players, players_max
    )


async def watch(client: Client, channel: ChannelId, host: str, port: int) -> None:
    """Write in *channel* whenever the game server goes, comes, or changes its map."""
    known = "?"
    while True:
        status = await ask(host, port)
        now = "" if status is None else status.map
        if now != known:
            known = now
            line = "The game server is down." if status is None else str(status)
            await client.api.messages.send(channel, line)
        await asyncio.sleep(EVERY_SECONDS)


async def main(address: str, channel: str, game: str) -> None:
    """Log in, say what can be asked, and watch."""
    host, _, port = game.rpartition(":")

    async def status(_: Invocation) -> str:
        found = await ask(host, int(port))
        return "The game server is down." if found is None else str(found)

    async with Client(address) as client:
        await client.log_in_bot(sys.stdin.readline().strip())
        await client.commands.register([NewCommand("status", "How is the game server?")])
        async with asyncio.TaskGroup() as work:
            work.create_task(client.commands.serve({"status": status}))
            work.create_task(watch(client, ChannelId(UUID(channel)), host, int(port)))


if __name__ == "__main__":
    if len(sys.argv) != len(("program", "address", "channel", "game")):
        sys.exit(__doc__)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main(*sys.argv[1:]))
    except* Refusal as refusals:
        sys.exit(str(refusals.exceptions[0]))
