"""A server changes: everybody here is told what they may know of it, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sidetone.community import Community
from sidetone.gateway.application.crowd import Crowd, Person
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.outlook import Outlook, as_seen, outlooks
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.events import ServerChanged, ServerClosed, ServerOpened
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import NotFound


class ChangeServer:
    """Keeps the servers in memory up to date, and tells the change as each member sees it.

    Sessions that are opening are left out: their snapshot has it already.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, change: ServerChanged) -> None:
        """Apply *change* and tell it. Raises ``Unavailable``: nothing was told, so try again."""
        hub, server = self._hub, change.server
        before = hub.communities.held(server)
        generation = None if before is None else before.generation
        channels = frozenset[UUID](before.channels if before is not None else ())
        await hub.communities.hear(change)
        for member in change.members:
            person = hub.people.get(member.user)
            if person is not None:
                hub.enter(person, server)
        if server not in hub.crowds:
            return
        community = None if change.deleted else await self._now(server)
        crowd = hub.crowds.get(server)
        if crowd is None:
            return
        if community is None:
            self._close(crowd, list(crowd.people.values()))
        else:
            self._tell(crowd, community, _Step(change, generation, channels))

    async def _now(self, server: ServerId) -> Community | None:
        try:
            return self._hub.communities.held(server) or await self._hub.communities.get(server)
        except NotFound:
            return None

    def _tell(self, crowd: Crowd, community: Community, step: "_Step") -> None:
        crowd.forget()
        if step.missed:
            self._enter_members(community)
        now = outlooks(community, crowd.people)
        self._close(crowd, [p for p in crowd.people.values() if p.user not in now])
        to_open: defaultdict[Outlook, list[Person]] = defaultdict(list)
        to_change: defaultdict[tuple[Outlook, Outlook], list[Person]] = defaultdict(list)
        for user, has in now.items():
            had, person = crowd.told.get(user), crowd.people[user]
            if had is None or step.missed:
                to_open[has].append(person)
            elif step.is_next:
                to_change[had, has].append(person)
        crowd.told.update(now)
        for people in to_open.values():
            opened = ServerOpened(community.view(people[0].user))
            self._hub.deliver(_open_sessions(people), opened)
        for (had, has), people in to_change.items():
            seen = as_seen(step.change, community, had, has, step.channels_before)
            self._hub.deliver(_open_sessions(people), seen)

    def _enter_members(self, community: Community) -> None:
        """Count everybody here who is a member: who joined by what was missed is not known yet."""
        for person in self._hub.people.values():
            if person.user in community.members:
                self._hub.enter(person, community.server.id)

    def _close(self, crowd: Crowd, people: list[Person]) -> None:
        self._hub.deliver(_open_sessions(people), ServerClosed(crowd.server))
        for person in people:
            self._hub.leave(person, crowd.server)


class _Step:
    """A change, and how the server stood before: None, if that was not in memory."""

    def __init__(
        self, change: ServerChanged, generation: int | None, channels_before: frozenset[UUID]
    ) -> None:
        self.change = change
        self.channels_before = channels_before
        self.is_next = generation is not None and change.generation == generation + 1
        # A change before this one was missed: the whole state was loaded, and is told.
        self.missed = generation is None or change.generation > generation + 1


def _open_sessions(people: Iterable[Person]) -> list[Session]:
    return [
        session
        for person in people
        for session in person.sessions
        if session.state is not State.OPENING
    ]
