"""The bots of the guide, each as a program of its own against a real server."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from libs.client.tests.stage import Home, pitch
from libs.client.tests.test_talking_bot import write_wav
from sidetone.client.client import Client
from sidetone.client.commands import Private
from sidetone.client.recording import Recording
from sidetone.protocol.bots import BotScope, BotToken
from sidetone.protocol.commands import (
    Command,
    CommandAnswered,
    CommandOption,
    Invocation,
    NewCommand,
)
from sidetone.protocol.events import MessageSent
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import ServerId
from tests.waiting import until

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
E = TypeVar("E")


@asynccontextmanager
async def running(name: str, folder: Path, token: str, *arguments: str) -> AsyncGenerator[Process]:
    """Run the example *name* with its data under *folder*."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / name),
        *arguments,
        env={**os.environ, "XDG_DATA_HOME": str(folder)},
        stdin=PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(f"{token}\n".encode())
    await process.stdin.drain()
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def new_bot(owner: Client, server: ServerId, home: Home, *scopes: BotScope) -> BotToken:
    """Make a bot and let it into *server*."""
    made = await owner.api.accounts.create_bot("Robo", list(scopes))
    invite = await owner.api.servers.invite(server)
    async with Client(home.address, data_dir=home.folder / "robo") as bot:
        await bot.api.accounts.log_in_bot(made.token)
        await bot.api.servers.accept_invite(invite.code)
    return made


async def next_of(
    happenings: AsyncIterator[Any], kind: type[E], which: Callable[[E], bool] = lambda _: True
) -> E:
    async with asyncio.timeout(60):
        async for happening in happenings:
            if isinstance(happening, kind) and which(happening):
                return happening
    raise AssertionError("the events ended")


async def command_of(client: Client, server: ServerId, name: str) -> Command:
    """Return the command when the bot has registered it."""
    async with asyncio.timeout(60):
        while True:
            for command in await client.commands.of(server):
                if command.name == name:
                    return command
            await asyncio.sleep(0.05)


class GameServer(asyncio.DatagramProtocol):
    """Answers as Steam's servers do, after it has seen that who asks is there."""

    map = "de_dust2"

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        if not data.endswith(b"\x01\x02\x03\x04"):
            self.transport.sendto(b"\xff\xff\xff\xffA\x01\x02\x03\x04", address)
            return
        names = b"\0".join((b"Friday", self.map.encode(), b"csgo", b"Counter-Strike", b""))
        reply = b"\xff\xff\xff\xffI\x11" + names + b"\xda\x02\x07\x10\x00dl\x00\x01"
        self.transport.sendto(reply, address)


@asynccontextmanager
async def game_server() -> AsyncGenerator[tuple[GameServer, int]]:
    loop = asyncio.get_running_loop()
    transport, game = await loop.create_datagram_endpoint(GameServer, local_addr=("127.0.0.1", 0))
    yield game, transport.get_extra_info("sockname")[1]
    transport.close()


async def test_the_status_bot_tells_and_answers(home: Home, tmp_path: Path) -> None:
    ada = await home.client()
    server = (await home.lounge(ada)).server
    text = next(each for each in await ada.api.channels.of(server) if each.kind == "text")
    bot = await new_bot(ada, server, home, "read", "write")
    up = "Friday is up: de_dust2, 7/16 players"
    async with game_server() as (game, port), ada.events() as happenings:
        assert isinstance(await anext(happenings), Ready)
        arguments = (home.address, str(text.id), f"127.0.0.1:{port}")
        async with running("status_bot.py", tmp_path, bot.token, *arguments):
            told = await next_of(
                happenings, MessageSent, lambda one: one.message.author == bot.bot.user
                and one.message.kind == "text",
            )  # fmt: skip
            assert told.message.text == up
            command = await command_of(ada, server, "status")
            invocation = await ada.commands.invoke(text.id, command.id, {})
            answered = await next_of(
                happenings, CommandAnswered, lambda one: one.invocation == invocation.id
            )
            assert answered.state == "answered"
            assert answered.message is not None
            written = await ada.api.messages.read(text.id, answered.message)
            assert (written.text, written.author) == (up, bot.bot.user)
            game.map = "de_nuke"
            await next_of(happenings, MessageSent, lambda one: "de_nuke" in one.message.text)


async def test_the_clip_bot_is_heard_where_it_was_asked_to_play(
    home: Home, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    await asyncio.to_thread(write_wav, clips / "tada.wav")
    async with home.unit():
        ada = await home.client()
        lounge = await home.lounge(ada)
        channels = await ada.api.channels.of(lounge.server)
        text = next(each for each in channels if each.kind == "text")
        bot = await new_bot(ada, lounge.server, home, "read", "write", "voice")
        heard = Recording()
        arguments = (home.address, str(clips))
        async with (
            running("clip_bot.py", tmp_path, bot.token, *arguments),
            ada.events() as happenings,
            ada.join_voice(lounge.id, hear=heard) as call,
        ):
            assert isinstance(await anext(happenings), Ready)
            command = await command_of(ada, lounge.server, "play")
            assert [option.choices for option in command.options] == [["tada"], []]
            options = {"clip": "tada", "channel": str(lounge.id)}
            await ada.commands.invoke(text.id, command.id, options)
            states = [await next_of(happenings, CommandAnswered) for _ in range(2)]
            assert [each.state for each in states] == ["deferred", "answered"]
            await until(lambda: not call.peers)
    assert pitch(heard.of(bot.bot.user)) == pytest.approx(440, abs=6)


async def test_a_private_answer_reaches_who_asked_alone(home: Home, tmp_path: Path) -> None:
    ada, ben = await home.client(), await home.client()
    server = (await home.lounge(ada, ben)).server
    text = next(each for each in await ada.api.channels.of(server) if each.kind == "text")
    bot = await new_bot(ada, server, home, "read", "write")

    async def roll(asked: Invocation) -> Private:
        assert asked.user == ada.user.id
        return Private(f"a {asked.options['sides']}")

    async def fail(_: Invocation) -> str:
        raise ValueError("a bug of the bot")

    async with Client(home.address, data_dir=tmp_path) as robo:
        await robo.log_in_bot(bot.token)
        sides = CommandOption("sides", "How many", "integer", required=True)
        await robo.commands.register(
            [NewCommand("roll", "Roll a die", [sides]), NewCommand("fail", "Fail")]
        )
        serving = asyncio.create_task(robo.commands.serve({"roll": roll, "fail": fail}))
        async with ada.events() as happenings, ben.events() as others:
            await anext(happenings)
            await anext(others)
            failing = await command_of(ada, server, "fail")
            rolling = await command_of(ada, server, "roll")
            await ada.commands.invoke(text.id, failing.id, {})
            await ada.commands.invoke(text.id, rolling.id, {"sides": 6})
            answered = await next_of(happenings, CommandAnswered)
            assert (answered.state, answered.text, answered.message) == ("answered", "a 6", None)
            late = await next_of(happenings, CommandAnswered)
            assert late.state == "late"
            sent = await ada.api.messages.send(text.id, "the end")
            while (happening := await anext(others)) != MessageSent(sent):
                assert not isinstance(happening, CommandAnswered)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
