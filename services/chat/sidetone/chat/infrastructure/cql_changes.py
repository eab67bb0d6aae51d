"""A change of what stands in one channel, kept in CQL."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.domain.message import unknown_message
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_log import Logged, Nonce
from sidetone.chat.infrastructure.cql_rows import (
    BY_NONCE,
    CHANGE_MESSAGE,
    COUNT_REACTIONS,
    DROP_MENTION,
    DROP_MESSAGE,
    DROP_NONCE,
    DROP_PIN,
    DROP_REACTION,
    DROP_REACTIONS,
    NOTE_BUCKET,
    PUT_MENTION,
    PUT_MESSAGE,
    PUT_NONCE,
    PUT_PIN,
    PUT_REACTION,
    CqlRows,
    encoded_kinds,
    key_of,
    made_at_us,
    values_of,
)
from sidetone.chat.infrastructure.message_rows import Held, Kind, details_of, subjects_of
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.protocol.events import (
    InChannel,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ReactionChanged,
)
from sidetone.protocol.ids import MessageId, UserId
from sidetone.protocol.messages import Message

_DROP_FILE = "INSERT INTO file_drops (file) VALUES (:file) ON CONFLICT DO NOTHING"
_HAS_REACTED = """
SELECT member FROM reactions
WHERE channel = :channel AND bucket = :bucket AND message = :id AND emoji = :emoji
  AND member = :member
LIMIT 1
"""
_PINS = "SELECT message FROM pins WHERE channel = :channel LIMIT 1000"

_Values = Mapping[str, UUID | int | str | None]


def first_writes(new: NewMessage) -> Iterator[tuple[str, _Values]]:
    """Yield what stores a new message, with the time at which it was made."""
    message = new.message
    at = {"channel": message.channel, "id": message.id, "at_us": made_at_us(message.id)}
    yield PUT_MESSAGE, values_of(new)
    yield NOTE_BUCKET, {**key_of(message.channel, message.id), **at}
    for subject in new.subjects:
        yield PUT_MENTION, {**at, "subject": subject, "author": message.author}
    if message.nonce is not None:
        yield PUT_NONCE, {**at, "author": message.author, "nonce": message.nonce}


class CqlMessageChange:
    """Collects writes and facts; what was changed is seen as it will be."""

    def __init__(self, session: Cql, logged: Logged, audience: InChannel) -> None:
        self._session = session
        self._logged = logged
        self._audience = audience
        self._channel = audience.channel
        self._held: dict[MessageId, Held | None] = {}

    async def find(self, message: MessageId) -> Message:
        """Return the message, which nobody else changes until the end. Raises ``NotFound``."""
        return (await self._hold(message)).message

    async def find_all(self, messages: Sequence[MessageId]) -> list[Message]:
        """Return those of *messages* that exist."""
        rows = CqlRows(self._session)
        for held in await rows.every([(self._channel, id_) for id_ in messages]):
            self._held.setdefault(held.message.id, held)
        found = [self._held.get(id_) for id_ in sorted(messages)]
        return [held.message for held in found if held is not None]

    async def add(self, new: NewMessage) -> bool:
        """Store and tell of a message; return False if its author had used the nonce before."""
        message = new.message
        if message.nonce is not None:
            nonce = Nonce(message.channel, message.author, message.nonce, message.id)
            if await self._session.fetch(BY_NONCE, msgspec.structs.asdict(nonce)):
                return False
            self._logged.entry.nonce = nonce
        for statement, values in first_writes(new):
            self._logged.write(statement, values)
        self._held[message.id] = Held(Entry(message, new.root), [], None)
        self._logged.entry.root = new.root
        self._logged.announce(self._audience, MessageSent(message))
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
        before = await self._hold(message.id)
        if message.pinned and pinned_at_ms is None:
            pinned_at_ms = before.pinned_at_ms
        self._write(
            CHANGE_MESSAGE,
            message.id,
            text=message.text,
            edited_at_ms=message.edited_at_ms,
            pinned_at_ms=pinned_at_ms,
            thread=message.thread,
            details=details_of(message) or None,
        )
        self._move_pin(message.id, before.pinned_at_ms, pinned_at_ms)
        if subjects is not None:
            # One that stays is not dropped: both writes have the same time.
            for gone in set(subjects_of(before.message)) - set(subjects):
                self._write(DROP_MENTION, message.id, subject=gone)
            for subject in subjects:
                self._write(PUT_MENTION, message.id, subject=subject, author=message.author)
        after = Held(Entry(message, before.entry.root), before.kinds, pinned_at_ms)
        self._held[message.id] = after
        self._logged.entry.root = before.entry.root
        self._logged.announce(self._audience, MessageEdited(after.shown()))

    def _move_pin(self, message: MessageId, before_ms: int | None, after_ms: int | None) -> None:
        if after_ms is not None and after_ms != before_ms:
            self._write(PUT_PIN, message, pinned_at_ms=after_ms)
        elif after_ms is None and before_ms is not None:
            self._write(DROP_PIN, message)

    async def remove(self, messages: Sequence[Message]) -> None:
        """Remove *messages* with all that hangs at them, and tell so."""
        if not messages:
            return
        for message in messages:
            self._write(DROP_MESSAGE, message.id)
            self._write(DROP_REACTIONS, message.id)
            self._write(DROP_PIN, message.id)
            for subject in subjects_of(message):
                self._write(DROP_MENTION, message.id, subject=subject)
            if message.nonce is not None:
                self._write(DROP_NONCE, message.id, author=message.author, nonce=message.nonce)
            self._held[message.id] = None
        files = [{"file": file.id} for message in messages for file in message.attachments]
        await self._logged.rows.execute_many(_DROP_FILE, files)
        ids = [message.id for message in messages]
        self._logged.announce(self._audience, MessagesDeleted(self._channel, ids))

    async def count_pins(self) -> int:
        """Return how many messages are pinned."""
        rows = await self._session.fetch(_PINS, {"channel": self._channel})
        return len(rows)

    async def kinds(self, message: MessageId) -> list[str]:
        """Return the kinds of reaction that a message has."""
        shown = (await self._hold(message)).shown()
        return [reaction.emoji for reaction in shown.reactions]

    async def put_reaction(
        self, message: MessageId, user: UserId, emoji: str, now_ms: int
    ) -> None:
        """Store and tell of a reaction; one that is there already changes nothing."""
        if await self._has_reacted(message, user, emoji):
            return
        self._write(PUT_REACTION, message, emoji=emoji, member=user)
        held = await self._hold(message)
        kinds = {kind.emoji: kind for kind in held.kinds}
        before = kinds.get(emoji, Kind(emoji, now_ms, 0))
        kinds[emoji] = Kind(emoji, before.since_ms, before.amount + 1)
        self._count(held, kinds)
        self._tell_reaction(message, user, kinds[emoji], added=True)

    async def take_reaction(self, message: MessageId, user: UserId, emoji: str) -> None:
        """Remove a reaction and tell so; one that is not there changes nothing."""
        if not await self._has_reacted(message, user, emoji):
            return
        self._write(DROP_REACTION, message, emoji=emoji, member=user)
        held = await self._hold(message)
        kinds = {kind.emoji: kind for kind in held.kinds}
        before = kinds.pop(emoji, Kind(emoji, 0, 1))
        left = Kind(emoji, before.since_ms, before.amount - 1)
        if left.amount > 0:
            kinds[emoji] = left
        self._count(held, kinds)
        self._tell_reaction(message, user, left, added=False)

    def _count(self, held: Held, kinds: Mapping[str, Kind]) -> None:
        after = msgspec.structs.replace(held, kinds=list(kinds.values()))
        self._held[held.message.id] = after
        self._write(COUNT_REACTIONS, held.message.id, reactions=encoded_kinds(after.kinds))

    async def _has_reacted(self, message: MessageId, user: UserId, emoji: str) -> bool:
        values = {**key_of(self._channel, message), "emoji": emoji, "member": user}
        return bool(await self._session.fetch(_HAS_REACTED, values))

    def _tell_reaction(self, message: MessageId, user: UserId, kind: Kind, *, added: bool) -> None:
        self._logged.announce(
            self._audience,
            ReactionChanged(self._channel, message, user, kind.emoji, added, kind.amount),
        )

    async def _hold(self, message: MessageId) -> Held:
        """Return the message as it is, or as this change will leave it."""
        if message not in self._held:
            self._held[message] = await CqlRows(self._session).one(self._channel, message)
        held = self._held[message]
        if held is None:
            raise unknown_message()
        return held

    def _write(
        self, statement: str, message: MessageId, **values: UUID | int | str | None
    ) -> None:
        self._logged.follow(message)
        self._logged.write(statement, {**key_of(self._channel, message), **values})
