"""A bot that plays clips in voice channels: ``/play clip:tada channel:Lounge``.

python docs/examples/clip_bot.py ADDRESS FOLDER < token

FOLDER holds the clips, each a WAV file. The bot's token, with the scopes read, write and voice,
comes from standard input. It joins the call, plays, and leaves; as everybody's its sound is
encrypted end to end.
"""

import asyncio
import contextlib
import sys
from pathlib import Path
from uuid import UUID

from sidetone.client.client import Client
from sidetone.client.commands import Answer, Private
from sidetone.protocol.commands import CommandOption, Invocation, NewCommand
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Refusal


def play_command(clips: dict[str, Path]) -> NewCommand:
    """Return what can be asked: one of *clips*, in a channel."""
    return NewCommand(
        "play",
        "Play a clip in a voice channel",
        [
            CommandOption("clip", "Which one", required=True, choices=sorted(clips)),
            CommandOption("channel", "Where", "channel", required=True),
        ],
    )


async def main(address: str, clips: dict[str, Path]) -> None:
    """Log in, say what can be asked, and play it."""
    # One call at a time: who asks meanwhile waits.
    turn = asyncio.Lock()

    async with Client(address) as client:

        async def play(asked: Invocation) -> Answer:
            channel = ChannelId(UUID(str(asked.options["channel"])))
            clip = str(asked.options["clip"])
            try:
                async with turn, client.join_voice(channel) as call:
                    await call.play(clips[clip])
            except Refusal as refusal:
                return Private(f"I cannot play there: {refusal.detail}.")
            return f"Played {clip}."

        await client.log_in_bot(sys.stdin.readline().strip())
        await client.commands.register([play_command(clips)])
        await client.commands.serve({"play": play})


if __name__ == "__main__":
    if len(sys.argv) != len(("program", "address", "folder")):
        sys.exit(__doc__)
    found = sorted(Path(sys.argv[2]).glob("*.wav"))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(main(sys.argv[1], {path.stem: path for path in found}))
    except* Refusal as refusals:
        sys.exit(str(refusals.exceptions[0]))
