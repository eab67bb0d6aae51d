"""What chat hears of itself and of others, and what its messages make of it."""

import msgspec

from sidetone.bus import Journal, Unsubscribe
from sidetone.chat.application.read_marks import ReadMarks
from sidetone.chat.application.sweep_messages import SweepMessages
from sidetone.chat.application.write_notices import WriteNotices
from sidetone.chat.domain.reading import time_of
from sidetone.protocol.events import AccountClosed, CallChanged, Fact, ServerChanged

# A member whom a change names this soon after they came is new; later ones got a nickname.
_NEW_FOR_MS = 10_000


class MessageFacts(msgspec.Struct, frozen=True):
    """Each fact may be heard twice, and by each process of chat: all of this does no harm then."""

    notices: WriteNotices
    marks: ReadMarks
    sweep: SweepMessages

    async def follow(self, journal: Journal) -> Unsubscribe:
        """Hear every fact from now on."""
        return await journal.follow(self.hear)

    async def hear(self, fact: Fact) -> None:
        """Act on *fact*. Raises ``Unavailable``: then it has to be heard again."""
        match fact.event:
            case ServerChanged() as change:
                await self._hear_change(fact, change)
            case CallChanged(call) if call.outcome != "open":
                await self.notices.call_over(call)
            case AccountClosed(user):
                # What they wrote stays, under an id that nobody answers to any more.
                await self.marks.forget_user(user)
            case _:
                pass

    async def _hear_change(self, fact: Fact, change: ServerChanged) -> None:
        if change.deleted or change.gone:
            self.sweep.due.set()
        if change.deleted or change.generation == 1:
            return
        for member in change.members:
            if time_of(fact.id) - member.joined_at_ms < _NEW_FOR_MS:
                await self.notices.member_joined(change.server, member, change.generation)
