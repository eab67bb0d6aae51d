"""Who of a server is here: the people with sessions in this process, and what they were told."""

from sidetone.community import Community
from sidetone.gateway.domain.outlook import Outlook
from sidetone.gateway.domain.session import Session
from sidetone.protocol.ids import ChannelId, ServerId, UserId


class Person:
    """One user's sessions in this process, and the servers they are in."""

    __slots__ = ("crowds", "sessions", "user")

    def __init__(self, user: UserId) -> None:
        self.user = user
        self.sessions: list[Session] = []
        self.crowds: dict[ServerId, Crowd] = {}

    def changed(self) -> None:
        """Note that there is a session more or less."""
        for crowd in self.crowds.values():
            crowd.forget()


class Crowd:
    """The people of one server. *told* is which channels each of them knows by now."""

    __slots__ = ("_seeing", "people", "server", "told")

    def __init__(self, server: ServerId) -> None:
        self.server = server
        self.people: dict[UserId, Person] = {}
        self.told: dict[UserId, Outlook] = {}
        self._seeing: dict[ChannelId | None, list[Session]] = {}

    def members(self, community: Community) -> list[Session]:
        """Return the sessions of all members."""
        found = self._seeing.get(None)
        if found is None:
            found = [
                session
                for user, person in self.people.items()
                if user in community.members
                for session in person.sessions
            ]
            self._seeing[None] = found
        return found

    def seeing(self, community: Community, channel: ChannelId) -> list[Session]:
        """Return the sessions of those who see *channel*, remembered until something changes."""
        found = self._seeing.get(channel)
        if found is None:
            found = [
                session
                for user, person in self.people.items()
                if community.sees(user, channel)
                for session in person.sessions
            ]
            # Invented channels are seen by nobody, and are not remembered.
            if channel in community.channels:
                self._seeing[channel] = found
        return found

    def forget(self) -> None:
        """Look again who sees what."""
        self._seeing.clear()
