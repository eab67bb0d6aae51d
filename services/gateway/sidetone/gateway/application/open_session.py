"""A client identifies: it gets one consistent snapshot, and from then on what happens.

The session hears events before it asks for anything, and keeps them until the snapshot is
written. What it asked for is therefore never older than the first event, and an event that the
snapshot has already is told again at most, which does no harm.
"""

import asyncio
from collections.abc import Iterable
from uuid import UUID

from sidetone.community import Community
from sidetone.gateway.application.crowd import Person
from sidetone.gateway.application.directory import Directory
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import ServerId, SessionId, UserId
from sidetone.protocol.questions import People
from sidetone.protocol.refusals import Conflict, NotFound, Unauthenticated
from sidetone.runtime.callers import Caller
from sidetone.runtime.clock import Clock

# Servers that are loaded at once for one client.
_LOADS_AT_ONCE = 8


class OpenSession:
    """Makes sessions and their snapshots."""

    def __init__(self, hub: Hub, directory: Directory, clock: Clock, policy: Policy) -> None:
        self._hub = hub
        self._directory = directory
        self._clock = clock
        self._policy = policy

    async def __call__(self, caller: Caller) -> tuple[Session, Ready]:
        """Return a session that still has to be opened, once its snapshot was sent.

        Raises ``Unavailable``; ``Unauthenticated`` when the login ends meanwhile; ``Conflict`` for
        who has too many sessions.
        """
        self._make_room(caller.user)
        session = Session(SessionId(self._clock.new_id()), caller.user, caller.login, self._policy)
        person = self._hub.add(session)
        try:
            return session, await self._snapshot(session, person)
        except BaseException:
            self._hub.remove(session)
            raise

    def _make_room(self, user: UserId) -> None:
        person = self._hub.people.get(user)
        if person is None or len(person.sessions) < self._policy.sessions_per_user:
            return
        for session in person.sessions:
            if session.state is State.DETACHED:
                self._hub.remove(session)
                return
        raise Conflict("sessions_too_many", "too many sessions of this account; close one")

    async def _snapshot(self, session: Session, person: Person) -> Ready:
        user = session.user
        await self._enter(person, await self._directory.servers_of(user))
        people, read_states, voice_states, calls = await asyncio.gather(
            self._directory.people_of(user),
            self._directory.read_states_of(user),
            self._directory.voice_states_in(list(person.crowds)),
            self._directory.calls_of(user),
        )
        near = self._near(person, people)
        users, presences = await asyncio.gather(
            self._directory.who_are(near),
            self._directory.presences_of(self._around(person, near)),
        )
        me = next((found for found in users if found.id == user), None)
        if me is None or session.state is State.CLOSED:
            raise Unauthenticated("login_ended", "this login has ended; log in again")
        # From here on nothing is awaited: this is the moment that the snapshot shows.
        communities = {one.server.id: one for one in self._hub.settle(person)}
        hidden = _hidden(communities.values(), user)
        return Ready(
            session=session.id,
            me=me,
            servers=[community.view(user) for community in communities.values()],
            users=users,
            relationships=people.relationships,
            presences=[people.own, *(one for one in presences if one.user != user)],
            read_states=[one for one in read_states if one.channel not in hidden],
            voice_states=[
                one
                for one in voice_states
                if one.server in communities and communities[one.server].sees(user, one.channel)
            ],
            calls=calls,
        )

    async def _enter(self, person: Person, servers: Iterable[ServerId]) -> None:
        for server in servers:
            self._hub.enter(person, server)
        turns = asyncio.Semaphore(_LOADS_AT_ONCE)

        async def load(server: ServerId) -> None:
            async with turns:
                try:
                    await self._hub.communities.get(server)
                except NotFound:
                    self._hub.leave(person, server)

        await asyncio.gather(*(load(server) for server in list(person.crowds)))

    def _near(self, person: Person, people: People) -> list[UserId]:
        """Return the user, who is something to them, and who is in conversations with them."""
        near = [person.user, *(one.user for one in people.relationships)]
        for community in self._communities(person):
            if community.server.kind != "community":
                near += [member.user for member in community.members.values()]
        return list(dict.fromkeys(near))

    def _around(self, person: Person, near: list[UserId]) -> list[UserId]:
        around = dict.fromkeys(near)
        for community in self._communities(person):
            around.update((member.user, None) for member in community.members.values())
        around.pop(person.user, None)
        return list(around)

    def _communities(self, person: Person) -> Iterable[Community]:
        held = (self._hub.communities.held(server) for server in person.crowds)
        return (community for community in held if community is not None)


def _hidden(communities: Iterable[Community], user: UserId) -> set[UUID]:
    return {
        channel
        for community in communities
        for channel in community.channels
        if not community.sees(user, community.channels[channel].id)
    }
