"""Those who are there when the demo is looked at: a populated server whose members go on talking.

They use the same SDK as everybody. Two speak in turn into the Lounge, a third listens, all write,
react and change what they do, until the block ends.
"""

import asyncio
import itertools
import wave
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from sidetone.all_in_one.demo.cast import SPEECH
from sidetone.audio.devices import FileMicrophone
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId, MessageId, RoleId, ServerId
from sidetone.protocol.refusals import Refusal
from sidetone.protocol.servers import CreateRole, Server
from sidetone.protocol.social import SetPresence, WishedStatus

# Between two lines, and how long somebody is seen typing one of them.
_PAUSE_SECONDS = 6.0
_TYPING_SECONDS = 1.5
_GAP_SECONDS = 0.5

# Who says what, and which emoji the next one answers with.
_LINES = (
    ("Ada", "anyone up for **capture the flag** tonight?", "🔥"),
    ("Ben", "count me in, warm up in the Lounge first", ""),
    ("Cho", "I can keep watch over the bridge again", "👍"),
    ("Ada", "northern gate it is. left path with Ben, *quietly* this time", ""),
    ("Ben", "that was one time", "😂"),
    ("Dan", "running late, save me a slot", "👍"),
    ("Cho", "the map: `gate > village > tower > harbor`", ""),
    ("Ben", "five of them crossed the river last round, three with shields", ""),
    ("Ada", "so we wait until they turn around", "❤️"),
    ("Eve", "good luck everyone, watching from the roof", "🎉"),
    ("Cho", "who has the blue potion?", ""),
    ("Ben", "me. for the final fight, not for your horse", "😂"),
    ("Ada", "meet at the lighthouse", ""),
    ("Dan", "here now, joining voice in a minute", "👋"),
)
_ROLES = (("Scout", 0x35D07F, ["Cho", "Eve"]), ("Captain", 0xF5B84B, ["Ada"]))
_PRESENCES: dict[str, tuple[WishedStatus, str, str]] = {
    "Ada": ("online", "calling the shots", "Northern Gate"),
    "Ben": ("online", "", "Northern Gate"),
    "Cho": ("dnd", "on the bridge", ""),
    "Dan": ("idle", "back in ten", ""),
    "Eve": ("online", "on the roof", ""),
}


class Company:
    """The members by name, and where they meet."""

    def __init__(self, members: dict[str, Client], home: Server) -> None:
        self.members = members
        self.home = ServerId(home.id)
        self.founder = members["Ada"]
        self._channels: dict[str, ChannelId] = {}

    async def furnish(self) -> None:
        """Give the server channels, roles, and something to read."""
        api = self.founder.api
        for channel in await api.channels.of(self.home):
            self._channels[channel.name] = ChannelId(channel.id)
        await api.channels.create(self.home, "strategy", topic="Plans, and why they failed")
        await api.channels.create(self.home, "clips", topic="The best ten seconds of the night")
        await api.channels.create(self.home, "Second squad", "voice")
        for name, color, who in _ROLES:
            wish = CreateRole(name, color=color, hoisted=True)
            role = await api.members.create_role(self.home, wish)
            for member in who:
                user = self.members[member].user.id
                await api.members.give_role(self.home, user, RoleId(role.id))
        for line in _LINES:
            await self._say(*line)

    async def welcome(self, guest: Client) -> None:
        """Let *guest* in, as a friend who has been written to."""
        invite = await self.founder.api.servers.invite(self.home)
        await guest.api.servers.accept_invite(invite.code)
        me = guest.user.id
        for name in ("Ada", "Ben"):
            await self.members[name].api.people.befriend(me)
            await guest.api.people.befriend(self.members[name].user.id)
        await self.members["Cho"].api.people.befriend(me)
        talk = await self.members["Ben"].api.people.open_conversation(me)
        greeting = "welcome! join us in the Lounge: one click on it, and you hear Ada and me"
        await self.members["Ben"].api.messages.send(ChannelId(talk.channels[0].id), greeting)

    @asynccontextmanager
    async def alive(self, folder: Path) -> AsyncGenerator[None]:
        """Talk and write while the block runs; speech in turns is put together in *folder*."""
        ada, ben = await asyncio.to_thread(_in_turns, folder)
        lounge = self._channels["Lounge"]
        async with AsyncExitStack() as stack:
            await asyncio.gather(*map(self._be_there, _PRESENCES))
            for name, speech in (("Ada", ada), ("Ben", ben), ("Cho", None)):
                microphone = FileMicrophone(speech, loop=True) if speech is not None else None
                call = self.members[name].join_voice(lounge, microphone=microphone)
                await stack.enter_async_context(call)
            for work in (self._write(), *map(self._stay, self.members.values())):
                stack.callback(asyncio.create_task(work).cancel)
            yield

    async def _be_there(self, name: str) -> None:
        await self.members[name].api.people.set_presence(SetPresence(*_PRESENCES[name]))

    async def _stay(self, member: Client) -> None:
        """Hold the gateway connection that makes a member be there."""
        async with member.events() as happenings:
            async for _ in happenings:
                pass

    async def _write(self) -> None:
        for name, text, emoji in itertools.cycle(_LINES):
            await asyncio.sleep(_PAUSE_SECONDS - _TYPING_SECONDS)
            try:
                await self.members[name].api.messages.typing(self._channels["general"])
                await asyncio.sleep(_TYPING_SECONDS)
                await self._say(name, text, emoji)
            except Refusal:
                # Somebody may try out on them what moderators can do.
                continue

    async def _say(self, name: str, text: str, emoji: str) -> None:
        general = self._channels["general"]
        sent = await self.members[name].api.messages.send(general, text)
        if emoji:
            others = [member for other, member in self.members.items() if other != name]
            for other in others[:2]:
                await other.api.messages.react(general, MessageId(sent.id), emoji)


def _in_turns(folder: Path) -> tuple[Path, Path]:
    """Return the two speeches, each with silence while the other is spoken."""
    with _speech("ada") as first, _speech("ben") as second:
        shape = first.getparams()
        ada, ben = (file.readframes(file.getnframes()) for file in (first, second))
    gap = bytes(int(_GAP_SECONDS * shape.framerate) * shape.sampwidth * shape.nchannels)
    turns = (ada + gap + bytes(len(ben)) + gap, bytes(len(ada)) + gap + ben + gap)
    made = (folder / "ada.wav", folder / "ben.wav")
    for path, samples in zip(made, turns, strict=True):
        with wave.open(str(path), "wb") as file:
            file.setparams(shape)
            file.writeframes(samples)
    return made


def _speech(name: str) -> wave.Wave_read:
    return wave.open(str(SPEECH / f"{name}.wav"), "rb")
