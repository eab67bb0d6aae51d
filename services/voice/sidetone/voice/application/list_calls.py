"""Say which calls there were, and which go on."""

from dataclasses import dataclass
from uuid import UUID

from sidetone.protocol.calls import Call, CallRecord
from sidetone.protocol.ids import CallId, ChannelId, UserId
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.protocol.requests import Page
from sidetone.voice.application.ports import Calls
from sidetone.voice.domain.call import CallState


@dataclass(frozen=True, slots=True)
class ListCalls:
    """Each user has their own history: the calls that they learned of, and their own part."""

    calls: Calls

    async def __call__(
        self, user: UserId, channel: ChannelId | None, limit: int, cursor: str | None
    ) -> Page[CallRecord]:
        """Return up to *limit* calls, the latest first. Raises ``Invalid``."""
        found = await self.calls.history(user, channel, _call(cursor), limit + 1)
        page = [_record(call, user) for call in found[:limit]]
        return Page(page, str(page[-1].call.id) if len(found) > limit else None)

    async def one(self, call: CallId, user: UserId) -> CallRecord:
        """Return one call. Raises ``NotFound`` where *user* was not told of it."""
        stored = await self.calls.find(call)
        if stored is None or user not in stored.state.told():
            raise NotFound("call_unknown", "there is no such call")
        return _record(stored.state, user)

    async def open_of(self, user: UserId) -> list[Call]:
        """Return the calls that ring *user* or go on with them."""
        return [call.shown() for call in await self.calls.open_of(user)]


def _record(call: CallState, user: UserId) -> CallRecord:
    return CallRecord(call.shown(), call.parties[user].answer)


def _call(cursor: str | None) -> CallId | None:
    if cursor is None:
        return None
    try:
        return CallId(UUID(cursor))
    except ValueError:
        raise Invalid("cursor_unknown", "take the cursor from the page before") from None
