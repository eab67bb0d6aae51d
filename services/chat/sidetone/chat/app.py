"""Chat, wired: give it its surroundings, get its routes."""

from collections.abc import Callable, Coroutine, Sequence
from importlib.resources import files
from typing import Any

import msgspec
import structlog
from litestar import Router
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.archive import Luggage
from sidetone.chat.application.end_memberships import EndMemberships
from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.expire_messages import ExpireMessages
from sidetone.chat.application.handle_reports import HandleReports
from sidetone.chat.application.import_server import ImportServer
from sidetone.chat.application.leftovers import Leftovers
from sidetone.chat.application.manage_bans import ManageBans
from sidetone.chat.application.manage_channels import ManageChannels
from sidetone.chat.application.manage_conversations import ManageConversations
from sidetone.chat.application.manage_emoji import ManageEmoji
from sidetone.chat.application.manage_invites import ManageInvites
from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.manage_messages import ManageMessages
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.manage_roles import ManageRoles
from sidetone.chat.application.manage_servers import ManageServers
from sidetone.chat.application.manage_templates import ManageTemplates
from sidetone.chat.application.manage_threads import ManageThreads
from sidetone.chat.application.messages import Messages
from sidetone.chat.application.note_deed import NoteDeed
from sidetone.chat.application.operate_servers import OperateServers
from sidetone.chat.application.preview_links import PreviewLinks
from sidetone.chat.application.react import React
from sidetone.chat.application.read_audit_log import ReadAuditLog
from sidetone.chat.application.read_history import ReadHistory
from sidetone.chat.application.read_marks import ReadMarks
from sidetone.chat.application.remove_recent import RemoveRecent
from sidetone.chat.application.search_messages import SearchMessages
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.application.send_message import SendMessage
from sidetone.chat.application.signal_typing import SignalTyping
from sidetone.chat.application.sweep_messages import SweepMessages
from sidetone.chat.application.threads import Threads
from sidetone.chat.application.track_reading import TrackReading
from sidetone.chat.application.write_for_program import WriteForProgram
from sidetone.chat.application.write_notices import WriteNotices
from sidetone.chat.infrastructure.asked import AskedClaims, AskedContacts
from sidetone.chat.infrastructure.bus_media import BusMedia
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_leftovers import CqlLeftovers, CqlThreads
from sidetone.chat.infrastructure.cql_log import CqlLog
from sidetone.chat.infrastructure.cql_messages import CqlMessages
from sidetone.chat.infrastructure.cql_migrations import migrate_cql
from sidetone.chat.infrastructure.cql_read_marks import CqlReadMarks
from sidetone.chat.infrastructure.cql_search_source import CqlSearchSource
from sidetone.chat.infrastructure.held_places import HeldPlaces
from sidetone.chat.infrastructure.own_search import index_to_fill, own_search
from sidetone.chat.infrastructure.search_index import SearchIndex
from sidetone.chat.infrastructure.search_indexer import SearchIndexer
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.chat.infrastructure.sql_archive import SqlArchive
from sidetone.chat.infrastructure.sql_audit import SqlAuditLog
from sidetone.chat.infrastructure.sql_bans import SqlBans
from sidetone.chat.infrastructure.sql_changes import SqlChanges
from sidetone.chat.infrastructure.sql_invites import SqlInvites
from sidetone.chat.infrastructure.sql_leftovers import SqlLeftovers
from sidetone.chat.infrastructure.sql_messages import SqlMessages
from sidetone.chat.infrastructure.sql_operated_servers import SqlOperatedServers
from sidetone.chat.infrastructure.sql_read_marks import SqlReadMarks
from sidetone.chat.infrastructure.sql_reports import SqlReports
from sidetone.chat.infrastructure.sql_retention import SqlRetention
from sidetone.chat.infrastructure.sql_search_source import SqlSearchSource
from sidetone.chat.infrastructure.sql_templates import SqlTemplates
from sidetone.chat.infrastructure.sql_threads import SqlThreads
from sidetone.chat.infrastructure.store_patience import StorePatience
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.chat.interface.http_channels import channel_routes
from sidetone.chat.interface.http_conversations import conversation_routes
from sidetone.chat.interface.http_emoji import emoji_routes
from sidetone.chat.interface.http_invites import invite_routes
from sidetone.chat.interface.http_members import member_routes
from sidetone.chat.interface.http_messages import MessageCases, message_routes
from sidetone.chat.interface.http_moderation import audit_routes, ban_routes, report_routes
from sidetone.chat.interface.http_reading import ReadingCases, reading_routes
from sidetone.chat.interface.http_roles import role_routes
from sidetone.chat.interface.http_servers import server_routes
from sidetone.chat.interface.http_templates import template_routes
from sidetone.chat.interface.message_facts import MessageFacts
from sidetone.chat.interface.questions import answer_programs, answer_questions, answer_read_states
from sidetone.protocol.events import (
    AccountClosed,
    Fact,
    RelationshipChanged,
    RelationshipEnded,
    ServerChanged,
    ToUsers,
)
from sidetone.protocol.ids import UserId
from sidetone.runtime.communities import Communities
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of chat."""

    invites_per_address: Limit = Limit(count=10, period_ms=60_000)
    messages_per_channel: Limit = Limit(count=5, period_ms=5_000)
    typing_per_channel: Limit = Limit(count=3, period_ms=10_000)
    reactions_per_channel: Limit = Limit(count=10, period_ms=5_000)
    searches: Limit = Limit(count=10, period_ms=10_000)
    # Zero: for ever. An operator can choose otherwise for single servers.
    messages_kept_days: int = 0


DEFAULT = Policy()


class Ground:
    """What all of chat stands on: storage, the servers in memory, and the way to change them."""

    def __init__(self, around: Surroundings, outbox: Outbox) -> None:
        self.around = around
        self.outbox = outbox
        self.servers = SqlServers(around.database)
        self.communities = Communities(self.servers.state)
        self.places = HeldPlaces(self.communities, self.servers)
        self.changes = SqlChanges(outbox, self.communities, around.clock, _request_id)
        self.end_memberships = EndMemberships(self.servers, self.changes)
        self.enter_server = EnterServer(self.places, around.clock)
        self.enter_channel = EnterChannel(self.places, around.clock)
        self.claims = AskedClaims(around.bus)
        self.contacts = AskedContacts(around.bus, around.clock)
        self.templates = SqlTemplates(around.database)

    async def hear(self, fact: Fact) -> None:
        """Keep up with what other processes changed. Raises ``Unavailable``: hear it again."""
        match fact.event:
            case ServerChanged() as change:
                await self.communities.hear(change)
            case AccountClosed(user):
                await self.end_memberships(user)
            case RelationshipChanged(relationship):
                self._between(fact, relationship.user)
            case RelationshipEnded(other):
                self._between(fact, other)
            case _:
                pass

    def _between(self, fact: Fact, other: UserId) -> None:
        if isinstance(fact.audience, ToUsers):
            for user in fact.audience.users:
                self.contacts.forget(user, other)


class MessageStore(msgspec.Struct, frozen=True):
    """All that knows where messages are kept; *work* is what it does beside the requests."""

    messages: Messages
    marks: ReadMarks
    leftovers: Leftovers
    threads: Threads
    work: Callable[[], Coroutine[Any, Any, None]] | None = None


class Writing:
    """What is written in channels: where it is kept, and what goes on beside the requests."""

    def __init__(self, ground: Ground, index: SearchIndex, cql: Cql | None = None) -> None:
        around = self._around = ground.around
        self.index = index
        self.media = BusMedia(around.bus)
        store = _sql_store(ground, index) if cql is None else _cql_store(ground, index, cql)
        self.store = store
        self.messages = store.messages
        self.marks = store.marks
        self.previews = PreviewLinks(self.messages, self.media)
        self.recent = RemoveRecent(ground.places, self.messages)
        self.threads = ManageThreads(
            ground.enter_channel,
            self.messages,
            ground.changes,
            store.threads,
            around.clock,
        )
        self.sweep = SweepMessages(store.leftovers, self.threads, self.media)
        self.facts = MessageFacts(
            WriteNotices(ground.places, self.messages, around.clock), self.marks, self.sweep
        )

    def expiring(self, platform_days: int) -> ExpireMessages:
        """Return what lets go of messages; *platform_days*: where nothing else was chosen."""
        retention = SqlRetention(self._around.database)
        return ExpireMessages(retention, self.messages, self._around.clock, platform_days)


def _sql_store(ground: Ground, index: SearchIndex) -> "MessageStore":
    database, outbox = ground.around.database, ground.outbox
    return MessageStore(
        SqlMessages(database, outbox, index),
        SqlReadMarks(database, outbox),
        SqlLeftovers(database, index),
        SqlThreads(database),
    )


def _cql_store(ground: Ground, index: SearchIndex, cql: Cql) -> "MessageStore":
    database, clock = ground.around.database, ground.around.clock
    log = CqlLog(database, ground.outbox, cql, index, clock)
    return MessageStore(
        CqlMessages(cql, log, clock),
        CqlReadMarks(cql, log),
        CqlLeftovers(database, cql, log, index),
        CqlThreads(database, cql),
        log.work,
    )


async def build(
    around: Surroundings,
    policy: Policy = DEFAULT,
    search: SearchIndex | None = None,
    cql: Cql | None = None,
) -> Router:
    """Return the routes of chat; its tables are brought up to date first.

    Without *search* messages are indexed by what the database brings along; without *cql* they
    are kept there as well. The caller owns what is *around*, and *cql*, and closes them.
    """
    await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
    if cql is not None:
        await migrate_cql(cql, around.database)
    ground = Ground(around, await Outbox.open(around, "chat"))
    await around.journal.follow(ground.hear)
    see = SeeServers(ground.servers, ground.enter_server, ground.enter_channel)
    await answer_questions(around.bus, see, ground.servers, ground.places)
    writing = Writing(ground, search or await own_search(around.database), cql)
    await writing.index.begin(around.tasks)
    if writing.store.work is not None:
        around.tasks.start(writing.store.work())
    around.tasks.start(writing.previews.work())
    around.tasks.start(writing.sweep.work())
    around.tasks.start(writing.expiring(policy.messages_kept_days).work())
    await writing.facts.follow(around.journal)
    await answer_programs(
        around.bus,
        WriteForProgram(ground.places, writing.messages, around.clock),
        NoteDeed(ground.changes),
    )
    per_address = Limiter(around.store, "invites", policy.invites_per_address, open_when_down=True)
    handlers = [
        *_servers(ground, see, per_address),
        *_people(ground, see, per_address),
        *_moderation(ground, writing),
        *_messages(ground, writing, policy),
        *await _reading(ground, writing, policy),
    ]
    return Router("/chat", route_handlers=handlers)


async def build_indexer(
    around: Surroundings, engine: Typesense, cql: Cql | None = None, search_key: str = ""
) -> Router:
    """Keep the index of *engine* up to date with the messages; it answers nothing but probes.

    Whoever has *search_key* may search there.
    """
    await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
    database = around.database
    source = SqlSearchSource(database) if cql is None else CqlSearchSource(database, cql)
    around.tasks.start(SearchIndexer(database, engine, source, search_key).work())
    return Router("/search-indexer", route_handlers=[])


async def importing(around: Surroundings, luggage: Luggage) -> ImportServer:
    """Return what brings servers of other platforms in, beside the services or while none runs.

    Their tables exist; *luggage* is where files go.
    """
    ground = Ground(around, Outbox(around.database, around.journal, around.clock, "chat"))
    index = await index_to_fill(around.database, around.tasks)
    archive = SqlArchive(around.database, index)
    return ImportServer(ground.servers, ground.changes, archive, luggage, around.clock)


def operation(around: Surroundings) -> OperateServers:
    """Return what an operator does to servers, beside the services or while none runs.

    Their tables exist. What is announced waits in the outbox until the service tells it.
    """
    ground = Ground(around, Outbox(around.database, around.journal, around.clock, "chat"))
    return OperateServers(
        SqlOperatedServers(around.database),
        ground.servers,
        ground.changes,
        SqlRetention(around.database),
        around.clock,
    )


async def expiring(around: Surroundings, platform_days: int) -> ExpireMessages:
    """Return what lets go of old messages now, beside the services or while none runs."""
    ground = Ground(around, Outbox(around.database, around.journal, around.clock, "chat"))
    index = await index_to_fill(around.database, around.tasks)
    messages = SqlMessages(around.database, ground.outbox, index)
    return ExpireMessages(SqlRetention(around.database), messages, around.clock, platform_days)


def _servers(ground: Ground, see: SeeServers, per_address: Limiter) -> list[HTTPRouteHandler]:
    clock, changes, enter = ground.around.clock, ground.changes, ground.enter_server
    servers = ManageServers(ground.servers, changes, enter, ground.claims, ground.templates, clock)
    channels = ManageChannels(ground.enter_channel, changes, clock)
    return [
        *server_routes(see, servers),
        *role_routes(see, ManageRoles(changes, clock)),
        *channel_routes(see, channels, ManageOverwrites(ground.enter_channel, changes)),
        *emoji_routes(ManageEmoji(changes, enter, ground.claims, clock)),
        *template_routes(ManageTemplates(ground.templates, enter, clock), per_address),
    ]


def _people(ground: Ground, see: SeeServers, per_address: Limiter) -> list[HTTPRouteHandler]:
    around = ground.around
    invites = ManageInvites(
        ground.servers,
        SqlInvites(around.database),
        ground.changes,
        ground.places,
        ground.enter_server,
        around.clock,
    )
    conversations = ManageConversations(
        ground.servers, ground.changes, ground.contacts, ground.enter_server, around.clock
    )
    return [
        *member_routes(see, ManageMembers(ground.changes)),
        *invite_routes(invites, per_address),
        *conversation_routes(conversations),
    ]


def _moderation(ground: Ground, writing: Writing) -> list[HTTPRouteHandler]:
    around, changes, enter = ground.around, ground.changes, ground.enter_server
    bans = ManageBans(SqlBans(around.database), changes, enter, writing.recent)
    reports = HandleReports(SqlReports(around.database), changes, enter, around.clock)
    return [
        *ban_routes(bans),
        *report_routes(reports),
        *audit_routes(ReadAuditLog(SqlAuditLog(around.database), enter)),
    ]


def _messages(ground: Ground, writing: Writing, policy: Policy) -> Sequence[HTTPRouteHandler]:
    around, enter, messages = ground.around, ground.enter_channel, writing.messages
    send = SendMessage(
        enter,
        messages,
        writing.media,
        ground.contacts,
        Limiter(around.store, "messages", policy.messages_per_channel, open_when_down=True),
        StorePatience(around.store),
        around.clock,
        writing.previews.look_at,
    )
    typing = Limiter(around.store, "typing", policy.typing_per_channel, open_when_down=True)
    reacting = Limiter(
        around.store, "reactions", policy.reactions_per_channel, open_when_down=True
    )
    return message_routes(
        MessageCases(
            send,
            ManageMessages(enter, messages, around.clock, writing.previews.look_at),
            React(enter, messages, reacting, around.clock),
            ReadHistory(enter, messages),
            SignalTyping(enter, around.bus, typing),
        )
    )


async def _reading(ground: Ground, writing: Writing, policy: Policy) -> Sequence[HTTPRouteHandler]:
    around = ground.around
    reading = TrackReading(
        ground.enter_channel, ground.places, ground.servers, writing.marks, around.clock
    )
    await answer_read_states(around.bus, reading)
    pace = Limiter(around.store, "searches", policy.searches, open_when_down=True)
    search = SearchMessages(ground.places, writing.messages, writing.index, pace, around.clock)
    return reading_routes(ReadingCases(reading, writing.threads, search))


def _request_id() -> str:
    """Return the id of the request that is being answered; nothing where none is."""
    return str(structlog.contextvars.get_contextvars().get("request", ""))
