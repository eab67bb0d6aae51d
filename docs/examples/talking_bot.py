"""A bot that joins a voice channel and says a WAV file.

python docs/examples/talking_bot.py ADDRESS NAME PASSWORD CHANNEL FILE.wav

The account must exist and be a member of a server with that channel.
"""

import asyncio
import sys
from pathlib import Path

from sidetone.client.client import Client
from sidetone.protocol.refusals import Refusal


async def main(address: str, name: str, password: str, channel: str, wav: str) -> None:
    """Log in, find the channel, join it, speak, leave."""
    async with Client(address) as client:
        await client.log_in(name, password)
        lounge = await client.find_channel(channel)
        async with client.join_voice(lounge.id) as call:
            await call.play(Path(wav))


if __name__ == "__main__":
    if len(sys.argv) != len(("program", "address", "name", "password", "channel", "wav")):
        sys.exit(__doc__)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except Refusal as refusal:
        sys.exit(f"{refusal.detail} ({refusal.code})")
