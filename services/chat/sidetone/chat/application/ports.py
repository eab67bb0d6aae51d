"""What the use cases need from the outside, in their own words; those of messages stand apart."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from sidetone.chat.domain.draft import Draft
from sidetone.protocol.files import File, FilePurpose
from sidetone.protocol.ids import ChannelId, FileId, ServerId, UserId
from sidetone.protocol.questions import Contact
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import (
    AuditEntry,
    Ban,
    Channel,
    Invite,
    Report,
    Server,
    ServerKind,
    ServerState,
    Template,
)


class Servers(Protocol):
    """What there is to know of servers."""

    async def of(self, user: UserId) -> Sequence[Server]:
        """Return the servers and conversations that *user* is a member of, oldest first."""
        ...

    async def owned_by(self, user: UserId) -> Sequence[ServerId]:
        """Return the communities that *user* owns."""
        ...

    async def count_of(self, user: UserId, kinds: Sequence[ServerKind]) -> int:
        """Return how many servers of *kinds* the user is a member of."""
        ...

    async def generation(self, server: ServerId) -> int:
        """Return which generation of the server is stored. Raises ``NotFound``."""
        ...

    async def state(self, server: ServerId) -> ServerState:
        """Return all of the server that decisions follow from. Raises ``NotFound``."""
        ...

    async def channel(self, channel: ChannelId) -> Channel:
        """Return the channel as it is stored, an archived thread too. Raises ``NotFound``."""
        ...

    async def between(self, one: UserId, other: UserId) -> ServerId | None:
        """Return the conversation of two users."""
        ...


class Invites(Protocol):
    """The codes that let people in."""

    async def find(self, code: str) -> Invite:
        """Return the invite, used up and expired ones too. Raises ``NotFound``."""
        ...

    async def of(self, server: ServerId, cursor: str | None, limit: int) -> Page[Invite]:
        """Return the invites of *server*, in the order of their codes."""
        ...

    async def count(self, server: ServerId) -> int:
        """Return how many invites the server has, dead ones too."""
        ...

    async def add(self, invite: Invite) -> None:
        """Store an invite."""
        ...

    async def remove(self, code: str) -> None:
        """Forget an invite."""
        ...

    async def drop_dead(self, server: ServerId, now_ms: int) -> None:
        """Forget the invites of *server* that are expired or used up."""
        ...

    async def use(self, code: str, now_ms: int) -> bool:
        """Take one use from the invite; return whether there was one to take."""
        ...


class Bans(Protocol):
    """Who may not come back."""

    async def find(self, server: ServerId, user: UserId) -> Ban | None:
        """Return the ban of *user*."""
        ...

    async def of(self, server: ServerId, cursor: UserId | None, limit: int) -> Page[Ban]:
        """Return the bans of *server*, in the order of the users' ids."""
        ...

    async def count(self, server: ServerId) -> int:
        """Return how many are banned."""
        ...

    async def put(self, server: ServerId, ban: Ban) -> None:
        """Store a ban, in the place of an earlier one."""
        ...

    async def remove(self, server: ServerId, user: UserId) -> bool:
        """Lift a ban; return whether there was one."""
        ...


class Reports(Protocol):
    """What members told moderators."""

    async def add(self, report: Report) -> None:
        """Store a report."""
        ...

    async def find(self, report: UUID) -> Report:
        """Return the report. Raises ``NotFound``."""
        ...

    async def of(self, server: ServerId, cursor: UUID | None, limit: int) -> Page[Report]:
        """Return the reports of *server*, newest first."""
        ...

    async def count_open(self, server: ServerId, reporter: UserId) -> int:
        """Return how many reports of *reporter* nobody has resolved yet."""
        ...

    async def resolve(self, report: UUID, by: UserId, resolution: str) -> bool:
        """Close an open report; return whether it was open."""
        ...


class AuditLog(Protocol):
    """What was done in a server."""

    async def of(self, server: ServerId, cursor: int | None, limit: int) -> Page[AuditEntry]:
        """Return the entries of *server*, newest first."""
        ...

    async def broken_at(self, server: ServerId) -> int | None:
        """Return the number of the first entry that was tampered with; None: all is well."""
        ...


class Templates(Protocol):
    """Servers to be made in the likeness of others."""

    async def find(self, code: str) -> Template:
        """Return the template. Raises ``NotFound``."""
        ...

    async def of(self, creator: UserId) -> Sequence[Template]:
        """Return the templates that *creator* saved."""
        ...

    async def add(self, template: Template) -> None:
        """Store a template."""
        ...

    async def remove(self, code: str, creator: UserId) -> bool:
        """Forget a template of *creator*; return whether there was one."""
        ...


class Change(Protocol):
    """One change of one server: it happens as a whole or not at all, after those before it."""

    @property
    def draft(self) -> Draft:
        """Return where the change collects what it does, and sees how the server stands."""
        ...

    @property
    def servers(self) -> Servers:
        """Return the servers as they are within the change."""
        ...

    @property
    def invites(self) -> Invites:
        """Return the invites within the change."""
        ...

    @property
    def bans(self) -> Bans:
        """Return the bans within the change."""
        ...

    @property
    def reports(self) -> Reports:
        """Return the reports within the change."""
        ...


class Changes(Protocol):
    """The only way to change servers."""

    async def create(self, state: ServerState) -> None:
        """Store and announce a new server.

        Raises ``Conflict`` for a second conversation of the same two.
        """
        ...

    def of(self, server: ServerId) -> AbstractAsyncContextManager[Change]:
        """Open a change of *server*; others wait for its end. Raises ``NotFound``.

        What the draft holds at the end is stored under the next generation, and announced.
        """
        ...


class Contacts(Protocol):
    """What stands between people."""

    async def between(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*. Raises ``Unavailable``."""
        ...

    async def require_known(self, users: Sequence[UserId]) -> None:
        """Refuse users that do not exist. Raises ``NotFound``, or ``Unavailable``."""
        ...


class Claims(Protocol):
    """Files that are taken into use."""

    async def claim(self, user: UserId, purpose: FilePurpose, file: FileId) -> File:
        """Take what *user* uploaded into use. Raises ``NotFound`` or ``Conflict``."""
        ...


class RecentMessages(Protocol):
    """What somebody wrote lately."""

    async def remove(self, server: ServerId, author: UserId, since_ms: int) -> None:
        """Delete what *author* wrote in *server* since then."""
        ...
