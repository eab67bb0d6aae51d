"""What a session begins with, asked of the services that keep it.

Auth and chat have to answer: without them there is no session. Presence and voice may be away:
their parts are empty then, and are repaired by what happens next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from sidetone.bus import Bus
from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.questions import (
    MANY_MAX,
    CallsOf,
    People,
    PeopleOf,
    PresencesOf,
    Question,
    ReadStatesOf,
    ServersOf,
    VoiceStatesIn,
    WhoAre,
)
from sidetone.protocol.refusals import Refusal
from sidetone.protocol.social import Presence

A = TypeVar("A")
T = TypeVar("T")

# Of more people than these the client asks by itself, when it shows them.
PEOPLE_MAX: Final = 20 * MANY_MAX
_log = structlog.get_logger(__name__)


class Directory:
    """Asks the other services, in parts that they take."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def servers_of(self, user: UserId) -> list[ServerId]:
        """Return the servers that *user* is in."""
        return await self._bus.ask(ServersOf(user))

    async def read_states_of(self, user: UserId) -> list[ReadState]:
        """Return how far *user* has read."""
        return await self._bus.ask(ReadStatesOf(user))

    async def who_are(self, users: Sequence[UserId]) -> list[User]:
        """Return who *users* are."""
        return await self._in_parts(users, WhoAre, self._bus.ask)

    async def people_of(self, user: UserId) -> People:
        """Return who is what to *user*."""
        offline = People([], Presence(user, "offline"))
        return await self._if_there(PeopleOf(user), offline)

    async def presences_of(self, users: Sequence[UserId]) -> list[Presence]:
        """Return how those of *users* are there who are not offline."""

        async def ask(question: Question[list[Presence]]) -> list[Presence]:
            return await self._if_there(question, [])

        return await self._in_parts(users, PresencesOf, ask)

    async def voice_states_in(self, servers: Sequence[ServerId]) -> list[VoiceState]:
        """Return who is in the voice channels of *servers*."""

        async def ask(question: Question[list[VoiceState]]) -> list[VoiceState]:
            return await self._if_there(question, [])

        return await self._in_parts(servers, VoiceStatesIn, ask)

    async def calls_of(self, user: UserId) -> list[Call]:
        """Return the open calls of *user*."""
        nothing: list[Call] = []
        return await self._if_there(CallsOf(user), nothing)

    async def _if_there(self, question: Question[A], instead: A) -> A:
        try:
            return await self._bus.ask(question)
        except Refusal as refusal:
            _log.warning("snapshot_incomplete", question=question.subject, reason=refusal.code)
            return instead

    async def _in_parts(
        self,
        ids: Sequence[T],
        question: Callable[[list[T]], Question[list[A]]],
        ask: Callable[[Question[list[A]]], Awaitable[list[A]]],
    ) -> list[A]:
        """Ask *question* of all *ids*; what is beyond the bound is left out."""
        parts = [ids[at : at + MANY_MAX] for at in range(0, min(len(ids), PEOPLE_MAX), MANY_MAX)]
        answers = await asyncio.gather(*(ask(question(list(part))) for part in parts))
        return [one for answer in answers for one in answer]
