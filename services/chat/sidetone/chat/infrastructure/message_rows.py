"""How a message is a row, and back. Reactions stand in tables of their own."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.protocol.calls import Call
from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, MessageId, RoleId, ServerId, UserId
from sidetone.protocol.messages import Message, MessageKind, Persona, Reaction
from sidetone.storage import Row, Transaction, Values

COLUMNS = """
channel, id, server, root, author, kind, text, nonce, edited_at_ms, reply_to, pinned_at_ms,
thread, details
"""
# The server is compared in the statement itself: a decision on an older one stores nothing.
INSERT = """
INSERT INTO messages (
    server, channel, id, root, author, kind, text, nonce, reply_to, thread, details
)
SELECT servers.id, :channel, :id, :root, :author, :kind, :text, :nonce, :reply_to, :thread,
    :details
FROM servers WHERE servers.id = :server AND servers.generation = :generation
ON CONFLICT DO NOTHING
"""
INSERT_ANYWAY = INSERT.replace("AND servers.generation = :generation", "")


class _Details(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is read with a message and never asked for by itself."""

    mentions: list[UserId] = []
    mentioned_roles: list[RoleId] = []
    mentions_everyone: bool = False
    attachments: list[File] = []
    previews: list[LinkPreview] = []
    call: Call | None = None
    persona: Persona | None = None


class Kind(msgspec.Struct, frozen=True, array_like=True):
    """One kind of reaction to a message: since when, and how many."""

    emoji: str
    since_ms: int
    amount: int


class Held(msgspec.Struct, frozen=True):
    """A message as it is stored: with the channel that shows it, and its reactions counted."""

    entry: Entry
    kinds: list[Kind]
    pinned_at_ms: int | None

    @property
    def message(self) -> Message:
        """Return the message itself, without reactions."""
        return self.entry.message

    def shown(self, mine: frozenset[str] = frozenset()) -> Message:
        """Return the message with its reactions; *mine* are the emoji of who asks."""
        if not self.kinds:
            return self.message
        kinds = sorted(self.kinds, key=lambda kind: (kind.since_ms, kind.emoji))
        reactions = [Reaction(kind.emoji, kind.amount, kind.emoji in mine) for kind in kinds]
        return msgspec.structs.replace(self.message, reactions=reactions)


_NO_DETAILS = _Details()
_decode_details = msgspec.json.Decoder(_Details).decode
_Row = tuple[
    ChannelId,
    MessageId,
    ServerId,
    ChannelId,
    UserId,
    MessageKind,
    str,
    str | None,
    int | None,
    MessageId | None,
    int | None,
    ChannelId | None,
    str,
]


def wanted_rows(columns: str, count: int) -> str:
    """Return a table ``wanted`` of *count* rows of marks: place, and each of *columns*.

    The marks of ``a b`` in the first row are ``:a0`` and ``:b0``. The number of rows is fixed, so
    that a statement is prepared once: who has fewer fills up with what does not exist.
    """
    names = columns.split()
    rows = (
        f"({number}, {', '.join(f':{name}{number}' for name in names)})" for number in range(count)
    )
    return f"WITH wanted (place, {', '.join(names)}) AS (VALUES {', '.join(rows)})"


def values_of(new: NewMessage) -> Values:
    """Return the values of ``INSERT``."""
    message = new.message
    return {
        "channel": message.channel,
        "id": message.id,
        "server": message.server,
        "generation": new.generation,
        "root": new.root,
        "author": message.author,
        "kind": message.kind,
        "text": message.text,
        "nonce": message.nonce,
        "reply_to": message.reply_to,
        "thread": message.thread,
        "details": details_of(message),
    }


def details_of(message: Message) -> str:
    """Return what stands in the column of details; nothing is the empty text."""
    details = _Details(
        message.mentions,
        message.mentioned_roles,
        message.mentions_everyone,
        message.attachments,
        message.previews,
        message.call,
        message.persona,
    )
    return "" if details == _NO_DETAILS else msgspec.json.encode(details).decode()


def entry_of(row: Row) -> Entry:
    """Return the message of ``COLUMNS``, without reactions."""
    values = msgspec.convert(row, _Row)
    channel, id_, server, root, author, kind, text, nonce, edited_at_ms, reply_to = values[:10]
    pinned_at_ms, thread, details = values[10:]
    known = _decode_details(details) if details else _NO_DETAILS
    message = Message(
        id=id_,
        server=server,
        channel=channel,
        author=author,
        text=text,
        kind=kind,
        edited_at_ms=edited_at_ms,
        reply_to=reply_to,
        mentions=known.mentions,
        mentioned_roles=known.mentioned_roles,
        mentions_everyone=known.mentions_everyone,
        attachments=known.attachments,
        previews=known.previews,
        pinned=pinned_at_ms is not None,
        thread=thread,
        nonce=nonce,
        call=known.call,
        persona=known.persona,
    )
    return Entry(message, root)


async def put_mentions(rows: Transaction, message: Message, subjects: Sequence[UUID]) -> None:
    """Store whom *message* calls."""
    await rows.execute_many(
        """
        INSERT INTO mentions (channel, subject, message, author)
        VALUES (:channel, :subject, :message, :author) ON CONFLICT DO NOTHING
        """,
        [
            {
                "channel": message.channel,
                "subject": subject,
                "message": message.id,
                "author": message.author,
            }
            for subject in subjects
        ],
    )


def subjects_of(message: Message) -> list[UUID]:
    """Return whom a stored message calls, as mentions are counted."""
    everyone = [message.server] if message.mentions_everyone else []
    return [*message.mentions, *message.mentioned_roles, *everyone]
