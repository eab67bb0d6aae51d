"""All sessions of this process, and which of them an audience is made of.

Who sees what is decided from memory: the state of each server that somebody here is in.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import chain

from sidetone.bus import Bus
from sidetone.community import Community
from sidetone.gateway.application.crowd import Crowd, Person
from sidetone.gateway.application.flusher import Flusher
from sidetone.gateway.application.ports import Encode, Socket
from sidetone.gateway.domain.outlook import outlooks
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.events import (
    Around,
    Audience,
    ClientEvent,
    InChannel,
    InServer,
    SessionClosed,
    SessionOpened,
    ToUsers,
)
from sidetone.protocol.frames import CloseCode
from sidetone.protocol.ids import ChannelId, LoginId, ServerId, SessionId, UserId
from sidetone.protocol.questions import DescribeServer
from sidetone.runtime.communities import Communities

# Openings and closings that may wait to be told; beyond it the regular report repairs.
_REPORTS_MAX = 20_000


class Hub:
    """Sessions by id, by user and by server."""

    def __init__(self, bus: Bus, encode: Encode, flusher: Flusher) -> None:
        self.sessions: dict[SessionId, Session] = {}
        self.people: dict[UserId, Person] = {}
        self.crowds: dict[ServerId, Crowd] = {}
        self.reports: deque[SessionOpened | SessionClosed] = deque(maxlen=_REPORTS_MAX)
        self.reported = asyncio.Event()
        # Sums since the beginning, for metrics.
        self.events = 0
        self.deliveries = 0
        self.communities = Communities(
            lambda server: bus.ask(DescribeServer(server)), in_use=self.crowds.__contains__
        )
        self._encode = encode
        self._flusher = flusher

    # --- Sessions come and go ---

    def add(self, session: Session) -> Person:
        """Let *session* hear what happens from now on."""
        person = self.people.get(session.user)
        if person is None:
            person = self.people[session.user] = Person(session.user)
        person.sessions.append(session)
        person.changed()
        self.sessions[session.id] = session
        return person

    def attach(self, session: Session, socket: Socket) -> None:
        """Write what *session* has to tell to *socket*, from now on."""
        self._flusher.sockets[session] = socket
        self._flusher.flush(session)
        self.report(SessionOpened(session.id, session.user))

    def detach(self, session: Session, now_ms: int) -> None:
        """Keep *session* for a while: its socket is gone."""
        self._flusher.sockets.pop(session, None)
        session.detach(now_ms)
        self.report(SessionClosed(session.id, session.user, left=False))

    def remove(self, session: Session) -> None:
        """Forget *session* for good."""
        if self.sessions.pop(session.id, None) is None:
            return
        if session.state is not State.OPENING:
            self.report(SessionClosed(session.id, session.user, left=True))
        session.close()
        self._flusher.sockets.pop(session, None)
        person = self.people[session.user]
        person.sessions.remove(session)
        person.changed()
        if not person.sessions:
            del self.people[session.user]
            for server in list(person.crowds):
                self.leave(person, server)

    def end(self, user: UserId, login: LoginId | None, reason: str) -> None:
        """End the sessions of *login*, or all of the user's if it is None."""
        person = self.people.get(user)
        for session in list(person.sessions) if person is not None else ():
            if login is None or session.login == login:
                socket = self._flusher.sockets.get(session)
                self.remove(session)
                if socket is not None:
                    socket.close(CloseCode.UNAUTHENTICATED, reason)

    def socket_of(self, session: Session) -> Socket | None:
        """Return where *session* is written to, if it has a socket."""
        return self._flusher.sockets.get(session)

    def alive(self) -> list[tuple[SessionId, UserId]]:
        """Return the sessions with a socket."""
        return [
            (session.id, session.user)
            for session in self._flusher.sockets
            if session.state is State.OPEN
        ]

    def report(self, event: SessionOpened | SessionClosed) -> None:
        """Tell other services soon."""
        self.reports.append(event)
        self.reported.set()

    # --- Servers ---

    def enter(self, person: Person, server: ServerId) -> None:
        """Count *person* among the people of *server*, which is held in memory from now on."""
        crowd = self.crowds.get(server)
        if crowd is None:
            crowd = self.crowds[server] = Crowd(server)
        if person.user not in crowd.people:
            crowd.people[person.user] = person
            person.crowds[server] = crowd
            crowd.forget()

    def leave(self, person: Person, server: ServerId) -> None:
        """Count *person* among the people of *server* no more."""
        crowd = person.crowds.pop(server, None)
        if crowd is None:
            return
        del crowd.people[person.user]
        crowd.told.pop(person.user, None)
        crowd.forget()
        if not crowd.people:
            del self.crowds[server]

    def settle(self, person: Person) -> list[Community]:
        """Return the servers that *person* is a member of, and note that they know them now."""
        found: list[Community] = []
        for server, crowd in list(person.crowds.items()):
            community = self.communities.held(server)
            if community is None:
                # It is on its way, for another session of the same person.
                continue
            told = outlooks(community, [person.user])
            crowd.told.update(told)
            if told:
                found.append(community)
            else:
                self.leave(person, server)
        return found

    # --- Delivery ---

    def resume_writing(self, session: Session) -> None:
        """Write what has gathered while the socket was full."""
        self._flusher.flush(session)

    async def room(self) -> None:
        """Wait until what was delivered has been written, mostly."""
        await self._flusher.room()

    def tell(self, audience: Audience, event: ClientEvent) -> None:
        """Deliver *event* to everybody here who is meant."""
        self.deliver(self._meant(audience), event)

    def deliver(self, sessions: Iterable[Session], event: ClientEvent) -> None:
        """Deliver *event* to *sessions*; it is encoded once."""
        encoded = self._encode(event)
        meant = list(sessions)
        self.events += 1
        self.deliveries += len(meant)
        self._flusher.mark([session for session in meant if session.push(encoded)])

    def _meant(self, audience: Audience) -> Iterable[Session]:
        match audience:
            case InChannel(server, channel):
                return self._in_channel(server, channel)
            case InServer(server):
                return self._in_channel(server, None)
            case ToUsers(users):
                return self._of(users)
            case Around():
                return self._around(audience)
            case _:
                return ()

    def _in_channel(self, server: ServerId, channel: ChannelId | None) -> Iterable[Session]:
        crowd, community = self.crowds.get(server), self.communities.held(server)
        if crowd is None or community is None:
            return ()
        if channel is None:
            return crowd.members(community)
        return crowd.seeing(community, channel)

    def _of(self, users: Iterable[UserId]) -> Iterable[Session]:
        people = (self.people[user] for user in set(users) if user in self.people)
        return chain.from_iterable(person.sessions for person in people)

    def _around(self, audience: Around) -> Iterable[Session]:
        user = audience.user
        person = self.people.get(user)
        # Of who is not here it is not known which servers they are in: ask those that are.
        servers = self.crowds if person is None else person.crowds
        around = {user, *audience.friends}
        for server in servers:
            community = self.communities.held(server)
            if community is not None and user in community.members:
                around.update(self.crowds[server].people)
        return self._of(around)
