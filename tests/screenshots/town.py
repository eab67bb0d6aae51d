"""A server full of people: what they wrote, who they are, and what waits for the one who looks."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from sidetone.client.client import Client
from sidetone.permissions import Permission
from sidetone.protocol.accounts import EditMe
from sidetone.protocol.ids import ChannelId, FileId, MessageId, RoleId, ServerId, UserId
from sidetone.protocol.servers import CreateRole, EditMember, EditServer
from sidetone.protocol.social import SetPresence, WishedStatus
from tests.screenshots import paintings

PASSWORD: Final = "seven quiet herons at dawn"
HERO: Final = "nova"
HOME: Final = "Apex Squad"

_DISPLAYED = {
    "nova": "Nova", "astra": "Astra", "bolt": "Bolt", "cinder": "Cinder", "drift": "Drift",
    "echo": "Echo", "flux": "Flux", "halcyon": "Halcyon", "ion": "Ion", "jinx": "Jinx",
    "kestrel": "Kestrel",
}  # fmt: skip
_FACES = {
    "astra": ("#f5495d", "#ffb36b"), "cinder": ("#7c5cff", "#d28af5"),
    "echo": ("#0fb5ae", "#66ddcb"), "nova": ("#2f7bff", "#56c7f5"),
    "jinx": ("#3ddc97", "#1b6b56"),
}  # fmt: skip
_PRESENCES: dict[str, tuple[WishedStatus, str, str]] = {
    "astra": ("online", "", "Northern Gate"),
    "bolt": ("online", "warming up", ""),
    "cinder": ("idle", "back in ten", ""),
    "drift": ("online", "", "Counter-Clock 2"),
    "echo": ("dnd", "finals week", ""),
    "flux": ("online", "", ""),
    "halcyon": ("online", "listening", ""),
}
_ROLES = (
    (
        "Captains",
        0xF5B84B,
        ("astra", "bolt"),
        Permission.KICK_MEMBERS | Permission.MANAGE_MESSAGES,
    ),
    ("Scouts", 0x35D07F, ("cinder", "drift"), Permission.NONE),
    ("Coach", 0x56C7F5, ("echo",), Permission.NONE),
)
# Who says what in #general, and which emoji others answer with; `>` answers what stands before.
_TALK = (
    ("drift", "my ping is fine now, **23 ms** ✅", ""),
    ("drift", "let's queue again in 5 🎮", ""),
    ("astra", "gg everyone, **that last round** was unreal", "🔥 🎉"),
    ("astra", "who has the lineup for `B site`?", ""),
    ("flux", ">here:", ""),
    ("flux", "```py\nutil = ['smoke', 'flash', 'molly']\nfor each in util: throw(each)\n```", ""),
    ("bolt", "rotate earlier next time 😀", "👍"),
    ("cinder", "the view from round 12, before it all went wrong", "🔥 ❤️"),
    ("halcyon", "we should save, eco, then full buy\n> agreed, and nobody peeks mid", ""),
    ("echo", "review is tomorrow at *19:00*, bring your clips to #clips", ""),
    ("bolt", ">I will be late, start without me", "👍"),
    ("drift", "same map? https://example.org/maps/northern-gate", ""),
    ("astra", "yes. left path with Bolt, *quietly* this time", "😂"),
    ("bolt", "that was **one** time", ""),
)
_LATER = (
    ("halcyon", "the new patch halves the flash duration, I tried it this morning", "👀"),
    ("flux", "so the old lineup does not work any more?", ""),
    ("halcyon", ">it does, you only have to throw half a second later", ""),
    ("cinder", "recorded it, see the thread", ""),
)


async def stay(person: Client) -> None:
    """Hold the connection that makes somebody be there."""
    async with person.events() as happenings:
        async for _ in happenings:
            pass


class Town:
    """The people by name, and the places where they meet."""

    def __init__(self, address: str, folder: Path, stack: AsyncExitStack) -> None:
        self.address = address
        self.people: dict[str, Client] = {}
        self.channels: dict[str, ChannelId] = {}
        self.messages: list[MessageId] = []
        self._folder = folder
        self._stack = stack

    @property
    def hero(self) -> Client:
        """The one through whose window one looks."""
        return self.people[HERO]

    def user(self, name: str) -> UserId:
        """Return the id of somebody."""
        return self.people[name].user.id

    async def build(self) -> None:
        """Make all of it."""
        for name, displayed in _DISPLAYED.items():
            self.people[name] = await self.settler(name, displayed)
        server = await self.hero.api.servers.create(HOME)
        self.home = ServerId(server.id)
        await self._icon(self.home, ("#6c7bff", "#4353d9", 3))
        await self.hero.api.servers.edit(
            self.home, EditServer(description="Scrims, clips and bad calls, since 2019")
        )
        code = (await self.hero.api.servers.invite(self.home)).code
        for name in list(_DISPLAYED)[1:]:
            await self.people[name].api.servers.accept_invite(code)
        await self._rooms()
        await self._ranks()
        await self._say_all()
        await self._elsewhere()
        await self._friends()
        await self._trouble()
        for name, presence in _PRESENCES.items():
            await self.people[name].api.people.set_presence(SetPresence(*presence))
            self._stack.callback(asyncio.create_task(stay(self.people[name])).cancel)

    async def settler(self, name: str, displayed: str = "") -> Client:
        """Return a new account."""
        client = Client(self.address, data_dir=self._folder / "people")
        await self._stack.enter_async_context(client)
        await client.register(name, PASSWORD)
        avatar = None
        if name in _FACES:
            avatar = await self._file(client, paintings.face(*_FACES[name]), "me.png", "avatar")
        await client.api.accounts.edit_me(EditMe(displayed or name, avatar=avatar))
        return client

    async def _file(
        self, client: Client, content: bytes, name: str, purpose: str = "attachment"
    ) -> FileId:
        kind = "image/png" if name.endswith("png") else "application/pdf"
        return (await client.api.media.upload(content, name, kind, purpose)).id

    async def _icon(self, server: ServerId, shape: tuple[str, str, int]) -> None:
        icon = await self._file(self.hero, paintings.emblem(*shape), "icon.png", "icon")
        await self.hero.api.servers.edit(server, EditServer(icon=icon))

    async def _rooms(self) -> None:
        channels = self.hero.api.channels
        first = {each.name: ChannelId(each.id) for each in await channels.of(self.home)}
        await channels.delete(first["general"])
        await channels.delete(first["Lounge"])
        plan = (
            ("Text", (("general", "text", "Scrims, clips and bad calls"),
                      ("clips", "text", "The best ten seconds of the night"),
                      ("strategy", "text", "Plans, and why they failed"))),
            ("Voice", (("Ranked 5v5", "voice", ""), ("Chill lounge", "voice", ""))),
        )  # fmt: skip
        for category, rooms in plan:
            parent = ChannelId((await channels.create(self.home, category, "category")).id)
            self.channels[category] = parent
            for name, kind, topic in rooms:
                made = await channels.create(self.home, name, kind, parent=parent, topic=topic)
                self.channels[name] = ChannelId(made.id)

    async def _ranks(self) -> None:
        members = self.hero.api.members
        for name, color, who, may in reversed(_ROLES):
            wish = CreateRole(name, int(may), color, hoisted=True, mentionable=True)
            role = await members.create_role(self.home, wish)
            for each in who:
                await members.give_role(self.home, self.user(each), RoleId(role.id))

    async def _say_all(self) -> None:
        picture = await self._file(self.people["cinder"], paintings.landscape(), "round_12.png")
        paper = await self._file(self.people["echo"], b"%PDF-1.4\n" * 4096, "review_notes.pdf")
        files = {"the view from": [picture], "review is": [paper]}
        for name, text, emoji in _TALK:
            await self._say("general", name, text, emoji, files)
        general, messages = self.channels["general"], self.people["astra"].api.messages
        await messages.pin(general, self.messages[3])
        await messages.pin(general, self.messages[9])
        for line in _LATER:
            await self._say("general", *line)
        thread = await self.people["cinder"].api.messages.open_thread(
            general, self.messages[-1], "Flash timing"
        )
        self.channels["Flash timing"] = ChannelId(thread.id)
        for name in ("halcyon", "flux", "cinder"):
            text = {"halcyon": "0.4 s works on every spot that I tried", "flux": "trying now",
                    "cinder": "the **second** throw is the one to copy"}[name]  # fmt: skip
            await self.people[name].api.messages.send(self.channels["Flash timing"], text)
        await self._say("clips", "jinx", "my first ace, do not laugh", "")

    async def _say(
        self,
        channel: str,
        name: str,
        text: str,
        emoji: str,
        files: dict[str, list[FileId]] | None = None,
    ) -> None:
        to = self.messages[-1] if text.startswith(">") and not text.startswith("> ") else None
        words = text.removeprefix(">") if to is not None else text
        attached = next((f for start, f in (files or {}).items() if words.startswith(start)), None)
        place = self.channels[channel]
        sent = await self.people[name].api.messages.send(
            place, words, reply_to=to, attachments=attached
        )
        self.messages.append(MessageId(sent.id))
        others = [person for other, person in self.people.items() if other not in {name, "nova"}]
        for number, each in enumerate(emoji.split()):
            for other in others[: 3 - number]:
                await other.api.messages.react(place, MessageId(sent.id), each)

    async def _elsewhere(self) -> None:
        """Let the hero be on other servers too, and be called on one of them."""
        for founder, name, shape in (
            ("astra", "Rocket Lab", ("#f5495d", "#7c1f3c", 5)),
            ("echo", "Chess Society", None),
            ("flux", "Deep Rock", ("#ffb36b", "#8a4b12", 6)),
        ):
            api = self.people[founder].api
            server = ServerId((await api.servers.create(name)).id)
            if shape is not None:
                picture = paintings.emblem(*shape)
                icon = await self._file(self.people[founder], picture, "icon.png", "icon")
                await api.servers.edit(server, EditServer(icon=icon))
            await self.hero.api.servers.accept_invite((await api.servers.invite(server)).code)
            general = next(c for c in await api.channels.of(server) if c.kind == "text")
            if founder == "astra":
                await api.messages.send(
                    ChannelId(general.id), f"<@{self.user(HERO)}> launch at 8?"
                )

    async def _friends(self) -> None:
        hero = self.hero.api
        for name in ("astra", "bolt", "cinder", "drift", "kestrel"):
            await self.people[name].api.people.befriend(self.user(HERO))
            await hero.people.befriend(self.user(name))
        await self.people["halcyon"].api.people.befriend(self.user(HERO))
        await hero.people.befriend(self.user("ion"))
        await hero.people.block(self.user("jinx"))
        talk = await self.people["bolt"].api.people.open_conversation(self.user(HERO))
        place = ChannelId(talk.channels[0].id)
        for name, text in (
            ("bolt", "you around tonight?"),
            (HERO, "from eight on, yes"),
            ("bolt", "good. I have a plan for the bridge"),
            ("bolt", "it involves **no** horses this time"),
        ):
            await self.people[name].api.messages.send(place, text)
        group = await hero.people.open_conversation(
            self.user("astra"), self.user("drift"), name="Night shift"
        )
        await self.people["drift"].api.messages.send(
            ChannelId(group.channels[0].id), "who brings the snacks?"
        )

    async def _trouble(self) -> None:
        """Give moderators something to do, and the server what else it can have."""
        hero, pest = self.hero.api, await self.settler("pest", "Totally Not A Bot")
        code = (await hero.servers.invite(self.home, uses_max=5, lifetime_seconds=86_400)).code
        await pest.api.servers.accept_invite(code)
        spam = await pest.api.messages.send(self.channels["strategy"], "FREE SKINS, click here")
        for name, text in (("flux", "advertises skins"), ("halcyon", "writes to everybody")):
            await self.people[name].api.moderation.report(
                self.home, pest.user.id, text, channel=self.channels["strategy"], message=spam.id
            )
        await hero.moderation.ban(
            self.home, pest.user.id, reason="advertising", delete_messages_seconds=3_600
        )
        for name, color in (("apex_nice", "#3ddc97"), ("apex_rage", "#ff7b81")):
            file = await self._file(self.hero, paintings.sticker(color), "e.png", "emoji")
            await hero.servers.create_emoji(self.home, name, file)
        await hero.servers.save_template(self.home, "Squad starter")
        nickname = EditMember(nickname="Ion the Late")
        await hero.members.edit(self.home, self.user("ion"), nickname)
