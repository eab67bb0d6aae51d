"""Make a server out of what another platform gave out: channels, roles, and all that was said."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import msgspec

from sidetone.chat.application.archive import (
    Archive,
    Export,
    Luggage,
    OldMessage,
    OldReaction,
    Skipped,
)
from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.domain.audit import OPERATOR
from sidetone.chat.domain.imported import (
    ForeignChannel,
    ForeignMessage,
    author_id,
    channel_id,
    file_id,
    message_id,
    role_id,
    server_id,
    shown_name,
)
from sidetone.chat.domain.message import ATTACHMENTS_MAX, PINS_MAX, TEXT_LENGTH_MAX
from sidetone.chat.domain.reaction import KINDS_MAX
from sidetone.chat.domain.server import CHANNELS_MAX, ROLES_MAX, everyone
from sidetone.protocol.files import File
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.messages import Message, Persona
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel, Member, Role, Server, ServerState
from sidetone.runtime.clock import Clock

_AT_ONCE = 500
_PIECES_AT_ONCE = 200
T = TypeVar("T")


class Report(msgspec.Struct):
    """What an import did: all there is now, how much of it is new, and what was left out."""

    server: ServerId
    channels: int = 0
    threads: int = 0
    roles: int = 0
    messages: int = 0
    new_messages: int = 0
    skipped: Skipped = {}


@dataclass(frozen=True, slots=True)
class ImportServer:
    """Whatever is there already stays as it is, so to import again goes on where it ended."""

    servers: Servers
    changes: Changes
    archive: Archive
    luggage: Luggage
    clock: Clock

    async def __call__(self, export: Export, owner: UserId, skipped: Skipped) -> Report:
        """Return what was done; *owner* gets the server. Raises ``Invalid``, ``Unavailable``.

        What could not even be opened stands in *skipped* already.
        """
        report = Report(server_id(export.guild), skipped=skipped)
        await self._found(report.server, export, owner)
        places = _within_bounds(export.channels(), report)
        await self._put_channels(report, export.guild, places)
        threads = {place.id for place in places if place.kind == "thread"}
        for place in places:
            if place.kind != "category":
                await self._put_messages(report, export, place, threads)
        await self._put_roles(report, export)
        return report

    async def _found(self, server: ServerId, export: Export, owner: UserId) -> None:
        try:
            await self.servers.generation(server)
        except NotFound:
            found = Server(server, shown_name(export.name, "imported"), owner)
            member = Member(owner, self.clock.now_ms())
            await self.changes.create(ServerState(found, 1, [everyone(found)], [], [member]))

    async def _put_channels(
        self, report: Report, guild: int, places: Sequence[ForeignChannel]
    ) -> None:
        wanted = [
            _channel(report.server, guild, each, position) for position, each in enumerate(places)
        ]
        report.threads = sum(each.kind == "thread" for each in wanted)
        report.channels = len(wanted) - report.threads
        for piece in _pieces(wanted, _PIECES_AT_ONCE):
            async with self.changes.of(report.server) as change:
                draft = change.draft
                for channel in piece:
                    if await _is_new(change.servers, channel):
                        draft.put(channel)
                if draft.alters:
                    draft.note(OPERATOR, "server.import", report.server)

    async def _put_messages(
        self, report: Report, export: Export, place: ForeignChannel, threads: set[int]
    ) -> None:
        guild, pins = export.guild, 0
        channel = channel_id(guild, place.id)
        root = channel_id(guild, place.parent) if place.kind == "thread" and place.parent else None
        for piece in _pieces(export.messages(place.id, report.skipped), _AT_ONCE):
            ids = [message_id(guild, foreign.id) for foreign in piece]
            known = await self.archive.known(channel, min(ids), max(ids))
            wanted: list[OldMessage] = []
            for foreign in piece:
                pins += foreign.pinned
                if foreign.pinned and pins > PINS_MAX:
                    _skip(report.skipped, "pins beyond 50 in a channel")
                if message_id(guild, foreign.id) in known:
                    continue
                message = _message(report.server, guild, place, foreign, threads)
                message = await self._with_files(guild, message, foreign, report.skipped)
                if pins > PINS_MAX:
                    message = msgspec.structs.replace(message, pinned=False)
                reactions = _reactions(guild, foreign, report.skipped)
                wanted.append(OldMessage(message, root or channel, reactions))
            await self.archive.put(wanted)
            report.messages += len(piece)
            report.new_messages += len(wanted)

    async def _with_files(
        self, guild: int, message: Message, foreign: ForeignMessage, skipped: Skipped
    ) -> Message:
        """Return *message* with its files, and a line for each that cannot be had."""
        files: list[File] = []
        lines = [message.text] if message.text else []
        for each in foreign.files:
            id_ = file_id(guild, each.id)
            file = None
            if len(files) < ATTACHMENTS_MAX:
                file = await self.luggage.bring(id_, message.author, each, message.channel)
            if file is not None:
                files.append(file)
            else:
                _skip(skipped, "attachments (their names stand in the text)")
                lines.append(each.line())
        text = "\n".join(lines)[:TEXT_LENGTH_MAX]
        return msgspec.structs.replace(message, text=text, attachments=files)

    async def _put_roles(self, report: Report, export: Export) -> None:
        """Put the roles above everyone's; nobody has them, and they allow nothing."""
        found = export.roles()
        if len(found) >= ROLES_MAX:
            report.skipped["roles beyond 249"] = len(found) - ROLES_MAX + 1
        async with self.changes.of(report.server) as change:
            draft = change.draft
            before = draft.before.roles
            for position, role in enumerate(found[-(ROLES_MAX - 1) :], start=1):
                id_ = role_id(export.guild, role.id)
                if id_ not in before and len(before) + len(draft.roles) < ROLES_MAX:
                    name = shown_name(role.name, "role")
                    draft.put(Role(id_, name, position, 0, role.color))
            report.roles = len(before) + len(draft.roles) - 1


def _within_bounds(places: Sequence[ForeignChannel], report: Report) -> list[ForeignChannel]:
    """Return as many channels as a server holds, and all threads that hang in them."""
    channels = [each for each in places if each.kind != "thread"]
    if len(channels) > CHANNELS_MAX:
        _skip(report.skipped, "channels beyond 500", len(channels) - CHANNELS_MAX)
    kept = channels[:CHANNELS_MAX]
    known = {each.id for each in kept}
    return [*kept, *(each for each in places if each.kind == "thread" and each.parent in known)]


async def _is_new(servers: Servers, channel: Channel) -> bool:
    try:
        await servers.channel(channel.id)
    except NotFound:
        return True
    return False


def _pieces(things: Iterable[T], count: int) -> Iterator[list[T]]:
    iterator = iter(things)
    while piece := list(islice(iterator, count)):
        yield piece


def _channel(server: ServerId, guild: int, place: ForeignChannel, position: int) -> Channel:
    is_thread = place.kind == "thread"
    return Channel(
        channel_id(guild, place.id),
        server,
        shown_name(place.name, "channel"),
        place.kind,
        position=0 if is_thread else position,
        parent=None if place.parent is None else channel_id(guild, place.parent),
        topic=place.topic,
        # There a thread has the id of the message that it began with.
        origin=message_id(guild, place.id) if is_thread else None,
        archived=is_thread,
    )


def _message(
    server: ServerId,
    guild: int,
    place: ForeignChannel,
    foreign: ForeignMessage,
    threads: set[int],
) -> Message:
    begins_thread = foreign.id in threads and foreign.id != place.id
    return Message(
        id=message_id(guild, foreign.id),
        server=server,
        channel=channel_id(guild, place.id),
        author=author_id(guild, foreign.author),
        persona=Persona(shown_name(foreign.author_name, "unknown")),
        text=foreign.text,
        edited_at_ms=foreign.edited_at_ms,
        reply_to=None if foreign.reply_to is None else message_id(guild, foreign.reply_to),
        pinned=foreign.pinned,
        thread=channel_id(guild, foreign.id) if begins_thread else None,
    )


def _reactions(guild: int, foreign: ForeignMessage, skipped: Skipped) -> list[OldReaction]:
    if len(foreign.reactions) > KINDS_MAX:
        _skip(skipped, "reactions beyond 20 at a message", len(foreign.reactions) - KINDS_MAX)
    return [
        OldReaction(each.emoji, each.count, [author_id(guild, user) for user in each.users])
        for each in foreign.reactions[:KINDS_MAX]
    ]


def _skip(skipped: Skipped, what: str, count: int = 1) -> None:
    skipped[what] = skipped.get(what, 0) + count
