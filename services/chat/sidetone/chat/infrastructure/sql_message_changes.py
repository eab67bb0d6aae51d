"""A change of what stands in one channel, within one transaction."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.domain.message import unknown_message
from sidetone.chat.infrastructure.message_rows import (
    COLUMNS,
    INSERT_ANYWAY,
    details_of,
    entry_of,
    put_mentions,
    subjects_of,
    values_of,
)
from sidetone.chat.infrastructure.search_index import Entry, Indexed
from sidetone.protocol.events import (
    InChannel,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ReactionChanged,
)
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message, Reaction
from sidetone.runtime.outbox import Rows

# What the row becomes here is what it was: but from now on it is ours until the end.
_LOCK = "UPDATE messages SET kind = kind WHERE channel = :channel AND id = :message"
_SELECT = f"SELECT {COLUMNS} FROM messages WHERE channel = :channel AND id = :message"  # noqa: S608 - a constant
_UPDATE = """
UPDATE messages SET text = :text, edited_at_ms = :edited_at_ms, pinned_at_ms = :pinned_at_ms,
    thread = :thread, details = :details
WHERE channel = :channel AND id = :message
"""
_PINNED_AT = "SELECT pinned_at_ms FROM messages WHERE channel = :channel AND id = :message"
_KINDS = """
SELECT emoji, amount FROM reaction_kinds WHERE channel = :channel AND message = :message
ORDER BY since_ms, emoji
"""


class SqlMessageChange:
    """Statements, index and facts of one change go together."""

    def __init__(self, rows: Rows, index: Indexed, server: ServerId, channel: ChannelId) -> None:
        self._rows = rows
        self._index = index
        self._channel = channel
        self._audience = InChannel(server, channel)

    async def find(self, message: MessageId) -> Message:
        """Return the message, which nobody else changes until the end. Raises ``NotFound``."""
        entry = await self._entry(message)
        if entry is None:
            raise unknown_message()
        return entry.message

    async def find_all(self, messages: Sequence[MessageId]) -> list[Message]:
        """Return those of *messages* that exist."""
        # In the order of their ids, so that two changes never wait for each other.
        found = [await self._entry(message) for message in sorted(messages)]
        return [entry.message for entry in found if entry is not None]

    async def add(self, new: NewMessage) -> bool:
        """Store and tell of a message; return False if its author had used the nonce before."""
        if not await self._rows.execute(INSERT_ANYWAY, values_of(new)):
            return False
        if new.subjects:
            await put_mentions(self._rows, new.message, new.subjects)
        await self._index.put(self._rows, [Entry(new.message, new.root)])
        self._rows.announce(self._audience, MessageSent(new.message))
        return True

    async def save(
        self,
        message: Message,
        subjects: Sequence[UUID] | None = None,
        pinned_at_ms: int | None = None,
    ) -> None:
        """Store and tell what the message is now; *subjects* replace whom it calls.

        *pinned_at_ms* is for a message that becomes pinned now.
        """
        entry = await self._entry(message.id)
        if entry is None:
            raise unknown_message()
        values = {
            "channel": self._channel,
            "message": message.id,
            "text": message.text,
            "edited_at_ms": message.edited_at_ms,
            "pinned_at_ms": await self._pinned_at_ms(message, pinned_at_ms),
            "thread": message.thread,
            "details": details_of(message),
        }
        await self._rows.execute(_UPDATE, values)
        if subjects is not None:
            await self._drop_mentions([entry.message])
            await put_mentions(self._rows, message, subjects)
        await self._index.put(self._rows, [Entry(message, entry.root)])
        shown = msgspec.structs.replace(message, reactions=await self._reactions(message.id))
        self._rows.announce(self._audience, MessageEdited(shown))

    async def remove(self, messages: Sequence[Message]) -> None:
        """Remove *messages* with all that hangs at them, and tell so."""
        if not messages:
            return
        ids = [message.id for message in messages]
        marks = [{"channel": self._channel, "message": id_} for id_ in ids]
        await self._drop_mentions(messages)
        for statement in (
            "DELETE FROM reactions WHERE channel = :channel AND message = :message",
            "DELETE FROM reaction_kinds WHERE channel = :channel AND message = :message",
            "DELETE FROM messages WHERE channel = :channel AND id = :message",
        ):
            await self._rows.execute_many(statement, marks)
        await self._rows.execute_many(
            "INSERT INTO file_drops (file) VALUES (:file) ON CONFLICT DO NOTHING",
            [{"file": file.id} for message in messages for file in message.attachments],
        )
        await self._index.drop(self._rows, self._channel, ids)
        self._rows.announce(self._audience, MessagesDeleted(self._channel, ids))

    async def count_pins(self) -> int:
        """Return how many messages are pinned."""
        rows = await self._rows.fetch(
            """
            SELECT COUNT(*) FROM messages WHERE channel = :channel AND pinned_at_ms IS NOT NULL
            """,
            {"channel": self._channel},
        )
        return msgspec.convert(rows[0][0], int)

    async def kinds(self, message: MessageId) -> list[str]:
        """Return the kinds of reaction that a message has."""
        return [kind.emoji for kind in await self._reactions(message)]

    async def put_reaction(
        self, message: MessageId, user: UserId, emoji: str, now_ms: int
    ) -> None:
        """Store and tell of a reaction; one that is there already changes nothing."""
        values = self._reaction(message, user, emoji)
        added = await self._rows.execute(
            """
            INSERT INTO reactions (channel, message, emoji, member)
            VALUES (:channel, :message, :emoji, :user) ON CONFLICT DO NOTHING
            """,
            values,
        )
        if not added:
            return
        await self._rows.execute(
            """
            INSERT INTO reaction_kinds (channel, message, emoji, since_ms, amount)
            VALUES (:channel, :message, :emoji, :now_ms, 1)
            ON CONFLICT (channel, message, emoji)
            DO UPDATE SET amount = reaction_kinds.amount + 1
            """,
            {**values, "now_ms": now_ms},
        )
        await self._tell_reaction(message, user, emoji, added=True)

    async def take_reaction(self, message: MessageId, user: UserId, emoji: str) -> None:
        """Remove a reaction and tell so; one that is not there changes nothing."""
        values = self._reaction(message, user, emoji)
        taken = await self._rows.execute(
            """
            DELETE FROM reactions WHERE channel = :channel AND message = :message
              AND emoji = :emoji AND member = :user
            """,
            values,
        )
        if not taken:
            return
        kind = {"channel": self._channel, "message": message, "emoji": emoji}
        await self._rows.execute(
            """
            UPDATE reaction_kinds SET amount = amount - 1
            WHERE channel = :channel AND message = :message AND emoji = :emoji
            """,
            kind,
        )
        await self._rows.execute(
            """
            DELETE FROM reaction_kinds
            WHERE channel = :channel AND message = :message AND emoji = :emoji AND amount <= 0
            """,
            kind,
        )
        await self._tell_reaction(message, user, emoji, added=False)

    def _reaction(self, message: MessageId, user: UserId, emoji: str) -> dict[str, object]:
        return {"channel": self._channel, "message": message, "emoji": emoji, "user": user}

    async def _tell_reaction(
        self, message: MessageId, user: UserId, emoji: str, *, added: bool
    ) -> None:
        kinds = await self._reactions(message)
        count = next((kind.count for kind in kinds if kind.emoji == emoji), 0)
        self._rows.announce(
            self._audience, ReactionChanged(self._channel, message, user, emoji, added, count)
        )

    async def _entry(self, message: MessageId) -> Entry | None:
        values = {"channel": self._channel, "message": message}
        await self._rows.execute(_LOCK, values)
        rows = await self._rows.fetch(_SELECT, values)
        return entry_of(rows[0]) if rows else None

    async def _reactions(self, message: MessageId) -> list[Reaction]:
        rows = await self._rows.fetch(_KINDS, {"channel": self._channel, "message": message})
        return [
            Reaction(emoji, amount)
            for emoji, amount in (msgspec.convert(row, tuple[str, int]) for row in rows)
        ]

    async def _pinned_at_ms(self, message: Message, now_ms: int | None) -> int | None:
        """Return when the message was pinned: before, now, or None for not at all."""
        if not message.pinned:
            return None
        if now_ms is not None:
            return now_ms
        rows = await self._rows.fetch(
            _PINNED_AT, {"channel": self._channel, "message": message.id}
        )
        return msgspec.convert(rows[0][0], int | None)

    async def _drop_mentions(self, messages: Sequence[Message]) -> None:
        await self._rows.execute_many(
            """
            DELETE FROM mentions
            WHERE channel = :channel AND subject = :subject AND message = :message
            """,
            [
                {"channel": self._channel, "subject": subject, "message": message.id}
                for message in messages
                for subject in subjects_of(message)
            ],
        )
