"""People who use a cluster while it is being hurt, and what each of them notices.

They are clients of the SDK and do what a client does: what was not acknowledged is sent again
under its nonce, and after a session that could not be resumed the history is read.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from sidetone.audio.devices import FileMicrophone, NullSpeaker
from sidetone.audio.settings import Activation, VoiceSettings
from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.client.gateway_link import Happening
from sidetone.protocol.events import MessageSent
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Conflict, RateLimited, Unavailable

PASSWORD = "nine quiet otters hum"
SPEECH = Path("services/all_in_one/sidetone/all_in_one/demo/speech")
WRITERS = 4
LISTENERS = 2
_PAUSE_SECONDS = 0.2
_AGAIN_SECONDS = 0.2
# Frames come every 10 ms; a gap this long is heard.
GAP_SECONDS = 0.3
_LOOKS_EVERY_SECONDS = 0.5
_THERE_SECONDS = 12.0

A = TypeVar("A")


async def insist(ask: Callable[[], Awaitable[A]]) -> A:
    """Return the answer to what *ask* asks, asked again while the cluster cannot answer."""
    while True:
        try:
            return await ask()
        except (Unavailable, RateLimited):
            await asyncio.sleep(_AGAIN_SECONDS)


@dataclass
class Writer:
    """Writes five times a second, and keeps the id of what was acknowledged by its nonce."""

    client: Client
    channel: ChannelId
    acknowledged: dict[str, MessageId] = field(default_factory=dict[str, MessageId])
    slowest_seconds: float = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        """Write until *ended*."""
        while not ended.is_set():
            nonce, began = uuid4().hex, time.monotonic()

            async def send(nonce: str = nonce) -> Message:
                return await self.client.api.messages.send(self.channel, nonce, nonce=nonce)

            self.acknowledged[nonce] = (await insist(send)).id
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
            await asyncio.sleep(_PAUSE_SECONDS)


@dataclass(frozen=True)
class Repeat:
    """A message was heard once more, *late_seconds* after the time before."""

    at: float
    late_seconds: float
    in_one_session: bool


@dataclass
class Listener:
    """Hears what is written, and reads what happened while no session was there.

    *heard* has when, and in which session, each message was heard last.
    """

    client: Client
    channel: ChannelId
    heard: dict[MessageId, tuple[float, int]] = field(
        default_factory=dict[MessageId, tuple[float, int]]
    )
    repeats: list[Repeat] = field(default_factory=list[Repeat])
    read: set[MessageId] = field(default_factory=set[MessageId])
    sessions_at: list[float] = field(default_factory=list[float])

    async def run(self, happenings: AsyncIterator[Happening]) -> None:
        """Listen until cancelled."""
        async for happening in happenings:
            if isinstance(happening, MessageSent):
                self._hear(happening.message.id)
            elif isinstance(happening, Ready):
                self.sessions_at.append(time.monotonic())
                await self._catch_up()

    def _hear(self, message: MessageId) -> None:
        now, session = time.monotonic(), len(self.sessions_at)
        if message in self.heard:
            at, before = self.heard[message]
            self.repeats.append(Repeat(now, now - at, before == session))
        self.heard[message] = now, session

    def knows(self, message: MessageId) -> bool:
        """Tell whether the listener has seen *message*."""
        return message in self.heard or message in self.read

    async def _catch_up(self) -> None:
        async for page in history(self.client, self.channel):
            unknown = {one.id for one in page} - self.heard.keys() - self.read
            self.read |= unknown
            if not unknown:
                return


async def history(client: Client, channel: ChannelId) -> AsyncIterator[list[Message]]:
    """Yield the pages of what was written, newest first."""
    before: MessageId | None = None
    while True:

        async def ask(before: MessageId | None = before) -> list[Message]:
            page = await client.api.messages.history(channel, before=before, limit=100)
            return page.items

        page = await insist(ask)
        if not page:
            return
        yield page
        before = page[-1].id


@dataclass
class Talker:
    """Is in a call and takes note of the times at which another was not heard."""

    call: Call
    other: UserId
    gaps: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    async def run(self) -> None:
        """Listen until cancelled, or until the call is over for good."""
        last = time.monotonic()
        while True:
            try:
                await self.call.heard(self.other)
            except Conflict:
                return
            now = time.monotonic()
            if now - last >= GAP_SECONDS:
                self.gaps.append((last, now))
            last = now
            await asyncio.sleep(0.01)


@dataclass
class Watcher:
    """Asks how somebody is seen, and takes note of how long that was wrong.

    Whoever is watched comes and goes; *truth* says since when they are there, or are not.
    """

    client: Client
    watched: Client
    wrong_seconds: float = 0.0
    _there: bool = False
    _since: float = 0.0
    _right: float = 0.0

    async def run(self, ended: asyncio.Event) -> None:
        """Watch until *ended*."""
        coming = asyncio.create_task(self._come_and_go(ended))
        try:
            while not ended.is_set():
                await self._look()
                await asyncio.sleep(_LOOKS_EVERY_SECONDS)
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)

    async def _look(self) -> None:
        asked_at, there = time.monotonic(), self._there
        try:
            shown = await self.client.api.people.presence(self.watched.user.id)
        except (Unavailable, RateLimited):
            return
        if self._since > asked_at:
            return
        if (shown.status != "offline") != there:
            self.wrong_seconds = max(self.wrong_seconds, asked_at - max(self._since, self._right))
        else:
            self._right = asked_at

    async def _come_and_go(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            async with self.watched.events() as happenings:
                await anext(aiter(happenings))
                self._turn(there=True)
                await asyncio.sleep(_THERE_SECONDS)
            self._turn(there=False)
            await asyncio.sleep(_THERE_SECONDS)

    def _turn(self, *, there: bool) -> None:
        self._there, self._since = there, time.monotonic()


@dataclass
class Crowd:
    """All of them, in one server."""

    writers: list[Writer]
    listeners: list[Listener]
    talkers: list[Talker]
    watcher: Watcher
    channel: ChannelId


@asynccontextmanager
async def gather(address: str, folder: Path) -> AsyncGenerator[Crowd]:
    """Found a server at *address*, let everybody in, and begin a call of two."""
    async with AsyncExitStack() as stack:

        async def come(name: str) -> Client:
            client = Client(address, data_dir=folder / name)
            await stack.enter_async_context(client)
            await client.register(name, PASSWORD)
            return client

        founder = await come("founder")
        server = await founder.api.servers.create("The Tavern")
        invite = await founder.api.servers.invite(server.id)
        channels = await founder.api.channels.of(server.id)
        text = next(one.id for one in channels if one.kind == "text")
        voice = next(one.id for one in channels if one.kind == "voice")

        async def member(name: str) -> Client:
            client = await come(name)
            await client.api.servers.accept_invite(invite.code)
            return client

        writers = [Writer(await member(f"writer{n}"), text) for n in range(WRITERS)]
        listeners = [Listener(await member(f"listener{n}"), text) for n in range(LISTENERS)]
        watcher = Watcher(founder, await member("wanderer"))
        talking = [await member(name) for name in ("ada", "ben")]
        calls = [
            await stack.enter_async_context(
                one.join_voice(
                    voice,
                    microphone=FileMicrophone(SPEECH / f"{one.user.name}.wav", loop=True),
                    speaker=NullSpeaker(),
                    voice=VoiceSettings(activation=Activation.ALWAYS),
                )
            )
            for one in talking
        ]
        talkers = [
            Talker(call, other.user.id) for call, other in zip(calls, talking[::-1], strict=True)
        ]
        yield Crowd(writers, listeners, talkers, watcher, text)


@asynccontextmanager
async def at_work(crowd: Crowd) -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Let *crowd* do what it does; what is given ends the writing and the watching."""
    async with AsyncExitStack() as stack:
        ended = asyncio.Event()
        listening: list[asyncio.Task[None]] = []
        for listener in crowd.listeners:
            happenings = await stack.enter_async_context(listener.client.events())
            listening.append(asyncio.create_task(listener.run(happenings)))
        listening += [asyncio.create_task(talker.run()) for talker in crowd.talkers]
        working = [asyncio.create_task(one.run(ended)) for one in (*crowd.writers, crowd.watcher)]

        async def end() -> None:
            ended.set()
            await asyncio.gather(*working)

        try:
            yield end
        finally:
            for task in (*listening, *working):
                task.cancel()
            for result in await asyncio.gather(*listening, *working, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result
