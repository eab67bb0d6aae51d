"""The write path of messages: as many as wait, in one transaction, with their facts.

A batch is in flight while the next one gathers, so that under load a commit is shared and alone
nobody waits.
"""

from collections.abc import Sequence

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.infrastructure.message_rows import INSERT, put_mentions, values_of
from sidetone.chat.infrastructure.search_index import Entry, Indexed
from sidetone.protocol.events import InChannel, MessageSent
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Transaction
from sidetone.storage.batches import Batcher
from sidetone.telemetry.origins import origin_now


class _Send:
    """A message on its way, and whether it was stored."""

    __slots__ = ("is_stored", "new", "origin")

    def __init__(self, new: NewMessage) -> None:
        self.new = new
        # A batch is written by whoever came first, but each message has an origin of its own.
        self.origin = origin_now()
        self.is_stored = False


class SqlSends:
    """Stores messages that were decided on, and tells of them."""

    def __init__(self, outbox: Outbox, index: Indexed) -> None:
        self._outbox = outbox
        self._index = index
        self._batcher = Batcher[_Send](self._write)

    async def add(self, new: NewMessage) -> bool:
        """Store the message and tell of it.

        False: nothing was stored, because its nonce was used before or the server has changed.
        """
        send = _Send(new)
        await self._batcher.add(send)
        return send.is_stored

    async def _write(self, sends: Sequence[_Send]) -> None:
        async with self._outbox.transaction() as rows:
            touched = await rows.execute_many(INSERT, [values_of(send.new) for send in sends])
            stored = list(sends)
            if touched < len(sends):
                stored = [send for send in sends if await _is_stored(rows, send.new)]
            for send in stored:
                if send.new.subjects:
                    await put_mentions(rows, send.new.message, send.new.subjects)
            if stored:
                await self._index.put(
                    rows, [Entry(send.new.message, send.new.root) for send in stored]
                )
            for send in stored:
                message = send.new.message
                rows.announce(
                    InChannel(message.server, message.channel), MessageSent(message), send.origin
                )
        for send in stored:
            send.is_stored = True


async def _is_stored(rows: Transaction, new: NewMessage) -> bool:
    found = await rows.fetch(
        "SELECT id FROM messages WHERE channel = :channel AND id = :id",
        {"channel": new.message.channel, "id": new.message.id},
    )
    return bool(found)
