import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

from libs.client.tests.stage import PASSWORD, Home
from sidetone.protocol.events import MessageSent
from sidetone.protocol.frames import Ready

BOT = Path(__file__).parents[3] / "docs" / "examples" / "listening_bot.py"
WAIT_SECONDS = 60.0


async def test_the_example_bot_prints_what_is_written(home: Home, tmp_path: Path) -> None:
    ada, bot = await home.client(), await home.client(data_dir=tmp_path / "sidetone" / "client")
    lounge = await home.lounge(ada, bot)
    channels = await ada.api.channels.of(lounge.server)
    text = next(channel for channel in channels if channel.kind == "text")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(BOT),
        home.address,
        bot.user.name,
        PASSWORD,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_SECONDS), ada.events() as happenings:
            assert isinstance(await anext(happenings), Ready)
            saying = asyncio.create_task(process.stdout.readline())
            # The bot says nothing when it is there, so it is told until it says something.
            while not saying.done():
                sent = await ada.api.messages.send(text.id, "hello there")
                happening = await anext(happenings)
                while not (isinstance(happening, MessageSent) and happening.message == sent):
                    happening = await anext(happenings)
                await asyncio.wait([saying], timeout=0.5)
            assert (await saying).decode() == f"Crew/{text.name}: hello there\n"
    finally:
        process.kill()
        await process.communicate()
