"""Changes of servers in a relational database, one after the other for each server."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import msgspec

from sidetone.chat.domain.audit import NO_HASH
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.rights import rights_changed
from sidetone.chat.domain.server import unknown_server
from sidetone.chat.infrastructure import sql_drafts
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.chat.infrastructure.sql_audit import Head, append
from sidetone.chat.infrastructure.sql_bans import SqlBans
from sidetone.chat.infrastructure.sql_invites import SqlInvites
from sidetone.chat.infrastructure.sql_reports import SqlReports
from sidetone.community import Community
from sidetone.protocol.events import InServer, ServerChanged, Services
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.servers import ServerState
from sidetone.runtime.clock import Clock
from sidetone.runtime.communities import Communities
from sidetone.runtime.outbox import Outbox, Rows
from sidetone.storage import Transaction

_INSERT_SERVER = """
    INSERT INTO servers (id, kind, name, owner, description, icon, generation,
        audit_number, audit_hash, created_at_ms)
    VALUES (:id, :kind, :name, :owner, :description, :icon, 0, 0, :no_hash, :now_ms)
"""
_INSERT_PAIR = "INSERT INTO direct_pairs (one, other, server) VALUES (:one, :other, :server)"


class SqlChange:
    """One change of one server, within one transaction: that of *rows*."""

    def __init__(self, rows: Rows, draft: Draft) -> None:
        self.rows = rows
        self.draft = draft
        self.servers = SqlServers(rows)
        self.invites = SqlInvites(rows)
        self.bans = SqlBans(rows)
        self.reports = SqlReports(rows)


class SqlChanges:
    """Opens changes. The server's row is locked until the change ends.

    What a change is decided on is the server in memory, if that is of the generation that the
    locked row tells: then nothing can have happened in between. *request_id* tells which request
    is being answered, for the audit log.
    """

    def __init__(
        self,
        outbox: Outbox,
        communities: Communities,
        clock: Clock,
        request_id: Callable[[], str],
    ) -> None:
        self._outbox = outbox
        self._communities = communities
        self._clock = clock
        self._request_id = request_id

    async def create(self, state: ServerState) -> None:
        """Store and announce a new server.

        Raises ``Conflict`` for a second conversation of the same two.
        """
        now_ms = self._clock.now_ms()
        nothing = Community(ServerState(state.server, 0, [], [], [], []))
        draft = Draft(nothing, now_ms)
        draft.put(state.server, *state.roles, *state.channels, *state.members)
        async with self._outbox.transaction() as rows:
            await rows.execute(
                _INSERT_SERVER,
                {**msgspec.structs.asdict(state.server), "no_hash": NO_HASH, "now_ms": now_ms},
            )
            if state.server.kind == "direct":
                one, other = sorted(member.user for member in state.members)
                await rows.execute(
                    _INSERT_PAIR, {"one": one, "other": other, "server": state.server.id}
                )
            await self._finish(rows, draft, (0, NO_HASH))

    @asynccontextmanager
    async def of(self, server: ServerId) -> AsyncGenerator[SqlChange]:
        """Open a change of *server*. Raises ``NotFound``."""
        # Into memory first, so that the row is not locked for as long as reading it all takes.
        await self._communities.get(server)
        async with self._outbox.transaction() as rows:
            generation, head = await _lock(rows, server)
            before = await self._stand(rows, server, generation)
            change = SqlChange(rows, Draft(before, self._clock.now_ms()))
            yield change
            delta = await self._finish(rows, change.draft, head)
        if delta is not None:
            await self._tell(delta)

    async def _tell(self, delta: ServerChanged) -> None:
        """Bring the server in memory up to date at once; the journal tells it again."""
        try:
            await self._communities.hear(delta)
        except Unavailable:
            self._communities.forget(delta.server)

    async def _stand(self, rows: Transaction, server: ServerId, generation: int) -> Community:
        held = self._communities.held(server)
        if held is not None and held.generation == generation:
            return held
        return Community(await SqlServers(rows).state(server))

    async def _finish(self, rows: Rows, draft: Draft, head: Head) -> ServerChanged | None:
        """Store what the change did and announce it; return what members are told."""
        server = draft.before.server.id
        delta = draft.delta() if draft.alters else None
        if delta is not None:
            await rows.execute(
                "UPDATE servers SET generation = :generation WHERE id = :server",
                {"server": server, "generation": delta.generation},
            )
            await sql_drafts.store(rows, draft)
            rows.announce(InServer(server), delta)
            for rights in rights_changed(draft.before, delta, draft.now_ms):
                rows.announce(Services(), rights)
        if not draft.deleted:
            await append(rows, draft, head, self._request_id())
        return delta


async def _lock(rows: Transaction, server: ServerId) -> tuple[int, Head]:
    """Make other changes of *server* wait; return its generation and the head of its log.

    SQLite has no ``SELECT FOR UPDATE``; an update that alters nothing locks the row in both.
    """
    touched = await rows.execute(
        "UPDATE servers SET generation = generation WHERE id = :server", {"server": server}
    )
    if not touched:
        raise unknown_server()
    found = await rows.fetch(
        "SELECT generation, audit_number, audit_hash FROM servers WHERE id = :server",
        {"server": server},
    )
    generation, number, hash_ = msgspec.convert(found[0], tuple[int, int, bytes])
    return generation, (number, hash_)
