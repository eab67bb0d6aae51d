"""Old messages into the tables of messages: no fact tells of them, and nobody is called."""

from collections.abc import Sequence

import msgspec

from sidetone.chat.application.archive import OldMessage
from sidetone.chat.application.messages import NewMessage
from sidetone.chat.domain.reading import time_of
from sidetone.chat.infrastructure.message_rows import INSERT_ANYWAY, values_of
from sidetone.chat.infrastructure.search_index import Entry, Indexed
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.storage import Database

_KNOWN = """
SELECT id FROM messages WHERE channel = :channel AND id >= :first AND id <= :last
"""
_PAST = """
UPDATE messages SET edited_at_ms = :edited_at_ms, pinned_at_ms = :pinned_at_ms
WHERE channel = :channel AND id = :id
"""
_KIND = """
INSERT INTO reaction_kinds (channel, message, emoji, since_ms, amount)
VALUES (:channel, :message, :emoji, :since_ms, :amount) ON CONFLICT DO NOTHING
"""
_REACTION = """
INSERT INTO reactions (channel, message, emoji, member)
VALUES (:channel, :message, :emoji, :member) ON CONFLICT DO NOTHING
"""


class SqlArchive:
    """Puts many at a time, and into the index with them."""

    def __init__(self, database: Database, index: Indexed) -> None:
        self._database = database
        self._index = index

    async def known(self, channel: ChannelId, first: MessageId, last: MessageId) -> set[MessageId]:
        """Return which messages of the range are there."""
        values = {"channel": channel, "first": first, "last": last}
        rows = await self._database.fetch(_KNOWN, values)
        return {id_ for (id_,) in msgspec.convert(rows, list[tuple[MessageId]])}

    async def put(self, messages: Sequence[OldMessage]) -> None:
        """Store *messages*, which are not there, all or none of them."""
        if not messages:
            return
        marked = [old for old in messages if old.message.pinned or old.message.edited_at_ms]
        async with self._database.transaction() as rows:
            await rows.execute_many(
                INSERT_ANYWAY, [values_of(NewMessage(old.message, old.root)) for old in messages]
            )
            await rows.execute_many(_PAST, [_past(old) for old in marked])
            await rows.execute_many(_KIND, [each for old in messages for each in _kinds(old)])
            await rows.execute_many(
                _REACTION, [each for old in messages for each in _members(old)]
            )
            await self._index.put(
                rows, [Entry(old.message, old.root, of_the_past=True) for old in messages]
            )


def _past(old: OldMessage) -> dict[str, object]:
    message = old.message
    return {
        "channel": message.channel,
        "id": message.id,
        "edited_at_ms": message.edited_at_ms,
        "pinned_at_ms": time_of(message.id) if message.pinned else None,
    }


def _kinds(old: OldMessage) -> list[dict[str, object]]:
    message = old.message
    return [
        {
            "channel": message.channel,
            "message": message.id,
            "emoji": each.emoji,
            # They are shown in this order.
            "since_ms": time_of(message.id) + place,
            "amount": each.count,
        }
        for place, each in enumerate(old.reactions)
    ]


def _members(old: OldMessage) -> list[dict[str, object]]:
    message = old.message
    return [
        {
            "channel": message.channel,
            "message": message.id,
            "emoji": each.emoji,
            "member": member,
        }
        for each in old.reactions
        for member in each.members
    ]
