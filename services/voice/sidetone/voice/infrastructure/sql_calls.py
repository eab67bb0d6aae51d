"""Calls in a relational database: the whole call as one value, and columns to find it by."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.protocol.events import CallChanged, ToUsers
from sidetone.protocol.ids import CallId, ChannelId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.runtime.outbox import Outbox, Rows
from sidetone.storage import Database, Row
from sidetone.voice.application.ports import Stored
from sidetone.voice.domain.call import CallState

_OPEN_MAX = 100
_DUE_MAX = 200
# Sorts after every call there is.
_LAST = CallId(UUID(int=(1 << 128) - 1))


class SqlCalls:
    """A version in each row tells whether a call is still as it was read."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def add(self, call: CallState, due_ms: int) -> bool:
        """Store a new call; False if there is an open one in its channel."""
        try:
            async with self._outbox.transaction() as rows:
                await rows.execute(
                    """
                    INSERT INTO calls (id, channel, state, is_open, due_at_ms, version)
                    VALUES (:id, :channel, :state, TRUE, :due_ms, 1)
                    """,
                    {
                        "id": call.id,
                        "channel": call.channel,
                        "state": _encoded(call),
                        "due_ms": due_ms,
                    },
                )
                await _tell(rows, call)
        except Conflict:
            return False
        return True

    async def change(self, before: Stored, after: CallState, due_ms: int | None) -> bool:
        """Store *after*; False, and nothing is done, if the call changed since it was read."""
        async with self._outbox.transaction() as rows:
            touched = await rows.execute(
                """
                UPDATE calls SET state = :state, is_open = :is_open, due_at_ms = :due_ms,
                    version = version + 1
                WHERE id = :id AND version = :version
                """,
                {
                    "id": after.id,
                    "state": _encoded(after),
                    "is_open": due_ms is not None,
                    "due_ms": due_ms,
                    "version": before.version,
                },
            )
            if touched and after.shown() != before.state.shown():
                await _tell(rows, after)
        return bool(touched)

    async def find(self, call: CallId) -> Stored | None:
        """Return a call."""
        rows = await self._database.fetch(
            "SELECT state, version FROM calls WHERE id = :id LIMIT 1", {"id": call}
        )
        return _stored(rows)

    async def open_in(self, channel: ChannelId) -> Stored | None:
        """Return the call that goes on in *channel*."""
        rows = await self._database.fetch(
            "SELECT state, version FROM calls WHERE channel = :channel AND is_open LIMIT 1",
            {"channel": channel},
        )
        return _stored(rows)

    async def open_of(self, user: UserId) -> list[CallState]:
        """Return the calls that go on and that *user* is told of."""
        rows = await self._database.fetch(
            """
            SELECT calls.state FROM call_members JOIN calls ON calls.id = call_members.call
            WHERE call_members.member = :user AND calls.is_open
            ORDER BY call_members.call DESC LIMIT :limit
            """,
            {"user": user, "limit": _OPEN_MAX},
        )
        return _states(rows)

    async def due(self, now_ms: int) -> list[CallId]:
        """Return some open calls that it is time to look at."""
        rows = await self._database.fetch(
            """
            SELECT id FROM calls WHERE is_open AND due_at_ms <= :now_ms
            ORDER BY due_at_ms LIMIT :limit
            """,
            {"now_ms": now_ms, "limit": _DUE_MAX},
        )
        return [call for (call,) in msgspec.convert(rows, list[tuple[CallId]])]

    async def history(
        self, user: UserId, channel: ChannelId | None, before: CallId | None, limit: int
    ) -> list[CallState]:
        """Return calls that *user* was told of, the latest first, those *before* one."""
        in_channel = "AND call_members.channel = :channel" if channel is not None else ""
        values = {"user": user, "before": before or _LAST, "limit": limit}
        rows = await self._database.fetch(
            f"""
            SELECT calls.state FROM call_members JOIN calls ON calls.id = call_members.call
            WHERE call_members.member = :user AND call_members.call < :before {in_channel}
            ORDER BY call_members.call DESC LIMIT :limit
            """,  # noqa: S608  # one of two texts above
            values if channel is None else {**values, "channel": channel},
        )
        return _states(rows)

    async def forget(self, user: UserId) -> None:
        """Forget the history of *user*."""
        await self._database.execute(
            "DELETE FROM call_members WHERE member = :user", {"user": user}
        )


async def _tell(rows: Rows, call: CallState) -> None:
    """Put *call* into the history of all who learn of it, and tell them."""
    told = call.told()
    await rows.execute_many(
        """
        INSERT INTO call_members (member, call, channel) VALUES (:member, :call, :channel)
        ON CONFLICT (member, call) DO NOTHING
        """,
        [{"member": user, "call": call.id, "channel": call.channel} for user in told],
    )
    rows.announce(ToUsers(told), CallChanged(call.shown()))


def _encoded(call: CallState) -> bytes:
    return msgspec.msgpack.encode(call)


def _stored(rows: Sequence[Row]) -> Stored | None:
    found = msgspec.convert(rows, list[tuple[bytes, int]])
    if not found:
        return None
    state, version = found[0]
    return Stored(msgspec.msgpack.decode(state, type=CallState), version)


def _states(rows: Sequence[Row]) -> list[CallState]:
    found = msgspec.convert(rows, list[tuple[bytes]])
    return [msgspec.msgpack.decode(state, type=CallState) for (state,) in found]
