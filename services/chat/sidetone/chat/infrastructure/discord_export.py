"""What DiscordChatExporter writes as JSON: a file for each channel, or several for a long one.

Its form is that of ``JsonMessageWriter.cs`` in Tyrrrz/DiscordChatExporter. Files are read as
streams, one message after the other, so that their size does not matter.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import ijson  # pyright: ignore[reportMissingTypeStubs]
import msgspec

from sidetone.chat.application.archive import Skipped
from sidetone.chat.domain.imported import (
    ForeignChannel,
    ForeignFile,
    ForeignMessage,
    ForeignReaction,
    ForeignRole,
    shown_name,
    shown_text,
)
from sidetone.chat.domain.reaction import checked_form
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import ChannelKind

ROLES_SEEN_MAX = 1_000

_HEADER_FIELDS_MAX = 100
# Numbers are kinds that DiscordChatExporter has no name for: answers to commands of programs.
_SAID = frozenset({"Default", "Reply", "20", "23"})
_KINDS: dict[str, ChannelKind] = {
    "GuildTextChat": "text",
    "GuildNews": "text",
    "GuildVoiceChat": "voice",
    "GuildStageVoice": "voice",
    "GuildPublicThread": "thread",
    "GuildNewsThread": "thread",
}


class _Form(msgspec.Struct, frozen=True, rename="camel"):
    """A part of the document; what we do not know is left aside."""


class _Role(_Form, frozen=True):
    id: str
    name: str = ""
    color: str | None = None
    position: int = 0


class _User(_Form, frozen=True):
    id: str
    name: str = ""
    nickname: str | None = None
    roles: list[_Role] = []


class _Emoji(_Form, frozen=True):
    id: str | None = None
    name: str = ""


class _Reaction(_Form, frozen=True):
    emoji: _Emoji
    count: int = 0
    users: list[_User] = []


class _Attachment(_Form, frozen=True):
    id: str = ""
    url: str = ""
    file_name: str = ""


class _Embed(_Form, frozen=True):
    title: str | None = None
    url: str | None = None
    description: str | None = None


class _Sticker(_Form, frozen=True):
    name: str = ""


class _Reference(_Form, frozen=True):
    message_id: str | None = None
    channel_id: str | None = None
    type: str | None = None


class _Forwarded(_Form, frozen=True):
    content: str = ""
    attachments: list[_Attachment] = []


class _Message(_Form, frozen=True):
    id: str
    author: _User
    type: str = "Default"
    content: str = ""
    timestamp_edited: str | None = None
    is_pinned: bool = False
    attachments: list[_Attachment] = []
    embeds: list[_Embed] = []
    stickers: list[_Sticker] = []
    reactions: list[_Reaction] = []
    mentions: list[_User] = []
    reference: _Reference | None = None
    forwarded_message: _Forwarded | None = None


class _Header(msgspec.Struct, frozen=True):
    file: Path
    guild: int
    guild_name: str
    channel: ForeignChannel
    parent_name: str


class DiscordExport:
    """The files of one server."""

    def __init__(self, root: Path, headers: Sequence[_Header]) -> None:
        self._root = root
        self._headers = headers
        self._roles: dict[int, ForeignRole] = {}

    @classmethod
    def open(cls, path: Path, skipped: Skipped) -> "DiscordExport":
        """Find the channels in the folder, or the file, *path*. Raises ``Invalid``."""
        files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
        headers = [header for file in files if (header := _header_of(file, skipped))]
        guilds = {header.guild for header in headers}
        if not headers:
            raise Invalid(
                "export_empty", f"{path} holds no channel in the JSON form of DiscordChatExporter"
            )
        if len(guilds) > 1:
            raise Invalid(
                "export_mixed", f"{path} holds {len(guilds)} servers: import one folder for each"
            )
        return cls((path if path.is_dir() else path.parent).resolve(), headers)

    @property
    def guild(self) -> int:
        """Return the id of the server there."""
        return self._headers[0].guild

    @property
    def name(self) -> str:
        """Return what the server is called there."""
        return self._headers[0].guild_name

    def channels(self) -> Sequence[ForeignChannel]:
        """Return the channels, each behind its category, then the threads."""
        found = {header.channel.id: header.channel for header in self._headers}
        parents = dict[int, ForeignChannel]()
        for header in self._headers:
            parent = header.channel.parent
            if parent is not None and parent not in found:
                # Of a forum nothing is exported but its threads.
                kind: ChannelKind = "text" if header.channel.kind == "thread" else "category"
                parents[parent] = ForeignChannel(parent, header.parent_name, kind)
        everything = sorted({**found, **parents}.values(), key=lambda each: each.id)
        tops = [each for each in everything if each.kind != "thread" and each.parent is None]
        tops.sort(key=lambda each: each.kind == "category")
        ordered: list[ForeignChannel] = []
        for top in tops:
            ordered.append(top)
            inside = (one for one in everything if one.parent == top.id and one.kind != "thread")
            ordered += inside if top.kind == "category" else ()
        return [*ordered, *(each for each in everything if each.kind == "thread")]

    def messages(self, channel: int, skipped: Skipped) -> Iterator[ForeignMessage]:
        """Yield the messages of *channel*, and count what is left out. Raises ``Invalid``."""
        for header in self._headers:
            if header.channel.id == channel:
                yield from self._messages_in(header.file, channel, skipped)

    def roles(self) -> Sequence[ForeignRole]:
        """Return the roles that authors of the messages read so far had, the lowest first."""
        return sorted(self._roles.values(), key=lambda role: (role.position, role.id))

    def _messages_in(self, file: Path, channel: int, skipped: Skipped) -> Iterator[ForeignMessage]:
        try:
            with file.open("rb") as stream:
                for raw in ijson.items(stream, "messages.item", use_float=True):
                    message = self._message(raw, file, channel, skipped)
                    if message is not None:
                        yield message
        except (OSError, ijson.JSONError) as error:
            raise Invalid(
                "export_broken",
                f"{file} cannot be read to its end ({error}): export this channel again, then "
                "import once more; what was imported stays",
            ) from error

    def _message(
        self, raw: object, file: Path, channel: int, skipped: Skipped
    ) -> ForeignMessage | None:
        try:
            message = msgspec.convert(raw, _Message, strict=False)
            id_, author = int(message.id), int(message.author.id)
        except (msgspec.ValidationError, ValueError):
            count(skipped, "messages that cannot be read")
            return None
        self._note_roles(message.author)
        if message.type not in _SAID:
            count(skipped, f"lines of the platform ({message.type})")
            return None
        names = {int(user.id): _name(user) for user in message.mentions if user.id.isdigit()}
        text, is_cut = shown_text(_text(message, skipped), names)
        if is_cut:
            count(skipped, "ends of long texts")
        files = _files(message, file, self._root)
        if not text and not files:
            count(skipped, "messages without any text")
            return None
        return ForeignMessage(
            id_,
            author,
            _name(message.author),
            text,
            _milliseconds(message.timestamp_edited),
            _answered(message, channel),
            message.is_pinned,
            _reactions(message, skipped),
            files,
        )

    def _note_roles(self, author: _User) -> None:
        for role in author.roles:
            if role.id.isdigit() and len(self._roles) < ROLES_SEEN_MAX:
                self._roles[int(role.id)] = ForeignRole(
                    int(role.id), role.name, role.position, _color(role.color)
                )


def count(skipped: Skipped, what: str, times: int = 1) -> None:
    """Note that *what* was left out."""
    skipped[what] = skipped.get(what, 0) + times


def _header_of(file: Path, skipped: Skipped) -> _Header | None:
    """Return what stands before the messages; None for files that are something else."""
    fields: dict[str, Any] = {}
    try:
        with file.open("rb") as stream:
            for prefix, _, value in ijson.parse(stream):
                if prefix == "messages" or len(fields) > _HEADER_FIELDS_MAX:
                    break
                fields[prefix] = value
        guild, channel = int(fields["guild.id"]), int(fields["channel.id"])
        parent = int(fields.get("channel.categoryId") or 0)
    except (OSError, ijson.JSONError, KeyError, ValueError):
        count(skipped, "files that are no channel of an export")
        return None
    kind = _KINDS.get(str(fields.get("channel.type")))
    if kind is None or not guild or (kind == "thread" and not parent):
        # Whoever was let into a private thread, or a conversation, is in no export.
        count(skipped, f"channels of the kind {fields.get('channel.type')}")
        return None
    topic = " ".join(str(fields.get("channel.topic") or "").split())
    return _Header(
        file,
        guild,
        str(fields.get("guild.name") or ""),
        ForeignChannel(
            channel, str(fields.get("channel.name") or ""), kind, parent or None, topic
        ),
        str(fields.get("channel.category") or ""),
    )


def _text(message: _Message, skipped: Skipped) -> str:
    """Return what was said, and in words what cannot be kept otherwise."""
    parts = [message.content]
    if message.forwarded_message is not None:
        parts += [f"> {line}" for line in message.forwarded_message.content.splitlines()]
    parts += [f"[sticker: {sticker.name}]" for sticker in message.stickers]
    if message.embeds:
        count(skipped, "embeds", len(message.embeds))
    if not any(part.strip() for part in parts):
        parts += [
            line
            for embed in message.embeds
            for line in (embed.title, embed.description, embed.url)
            if line
        ]
    return "\n".join(part for part in parts if part.strip())


def _files(message: _Message, file: Path, root: Path) -> list[ForeignFile]:
    """Return the files at a message; what lies outside of the export is none of it."""
    attachments = list(message.attachments)
    if message.forwarded_message is not None:
        attachments += message.forwarded_message.attachments
    found: list[ForeignFile] = []
    for each in attachments:
        name = shown_name(each.file_name, "file")
        id_ = int(each.id) if each.id.isdigit() else int(message.id) + len(found)
        if each.url.startswith(("http://", "https://")):
            found.append(ForeignFile(id_, name, link=each.url))
            continue
        place = (file.parent / unquote(each.url.replace("\\", "/"))).resolve()
        is_there = place.is_relative_to(root) and place.is_file()
        found.append(ForeignFile(id_, name, place=str(place) if is_there else ""))
    return found


def _reactions(message: _Message, skipped: Skipped) -> list[ForeignReaction]:
    found: list[ForeignReaction] = []
    for reaction in message.reactions:
        try:
            emoji = None if reaction.emoji.id else checked_form(reaction.emoji.name)
        except Invalid:
            emoji = None
        if emoji is None:
            count(skipped, "reactions with emoji of the server")
            continue
        users = [int(user.id) for user in reaction.users if user.id.isdigit()]
        found.append(ForeignReaction(emoji, max(reaction.count, len(users), 1), users))
    return found


def _answered(message: _Message, channel: int) -> int | None:
    """Return what a message answers; what was forwarded from elsewhere is no answer."""
    reference = message.reference
    if message.type != "Reply" or reference is None or not reference.message_id:
        return None
    is_here = reference.channel_id in {None, str(channel)}
    return int(reference.message_id) if is_here and reference.message_id.isdigit() else None


def _name(user: _User) -> str:
    return user.nickname or user.name


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000)
    except ValueError:
        return None


def _color(text: str | None) -> int | None:
    try:
        return None if text is None else int(text.removeprefix("#"), 16)
    except ValueError:
        return None
