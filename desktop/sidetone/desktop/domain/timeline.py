"""What is loaded of one channel: a stretch of its history without gaps, and what is not sent yet.

The stretch either reaches the present, and what is written now continues it, or it was opened
somewhere in the past, and then newer messages are read page by page like older ones. Pure.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

from sidetone.desktop.domain.draft import Draft
from sidetone.protocol.events import ReactionChanged
from sidetone.protocol.files import File
from sidetone.protocol.ids import MessageId, UserId
from sidetone.protocol.messages import Message, Reaction

# Enough to scroll through for a while; beyond it the far end is let go and read again on the way.
LOADED_MAX = 2_000
# So many more may come before the oldest go, all at once: else each new one would move them.
_SPARE = 50


class Pending(msgspec.Struct, frozen=True):
    """A message of ours that is not acknowledged yet; *problem* says why it was refused."""

    nonce: str
    text: str
    written_at_ms: int
    reply_to: MessageId | None = None
    files: tuple[File, ...] = ()
    problem: str = ""


class Timeline:
    """The messages of one channel, oldest first.

    *begins* tells that nothing is older, *present* that nothing is newer than what is loaded;
    *draft* is what is being written.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pending: list[Pending] = []
        self.begins = False
        self.present = False
        self.loaded = False
        self.draft = Draft()

    # --- what is read ---

    def open(self, page: Sequence[Message], *, begins: bool, present: bool) -> None:
        """Show *page* (in any order) and nothing else."""
        self.messages = sorted(page, key=_id)
        self.begins, self.present, self.loaded = begins, present, True
        self._settle(self.messages)

    def renew(self, page: Sequence[Message], *, begins: bool) -> None:
        """Be as the latest *page* says after messages may have been missed.

        What is older stays, so that nobody loses their place, unless there is a gap between.
        """
        newest = sorted(page, key=_id)
        older = [each for each in self.messages if not newest or each.id < newest[0].id]
        if begins or len(older) == len(self.messages):
            self.open(newest, begins=begins, present=True)
        else:
            self.messages = [*older, *newest]
            self.present = self.loaded = True
            self._settle(newest)

    def extend_back(self, page: Sequence[Message], *, begins: bool) -> None:
        """Put an older *page* before what is loaded, and let go of too many at the other end."""
        known = {message.id for message in self.messages}
        self.messages[:0] = sorted((m for m in page if m.id not in known), key=_id)
        self.begins = begins
        if len(self.messages) > LOADED_MAX:
            del self.messages[LOADED_MAX:]
            self.present = False

    def extend_on(self, page: Sequence[Message], *, present: bool) -> None:
        """Put a newer *page* after what is loaded, and let go of too many at the other end."""
        for message in sorted(page, key=_id):
            self._put(message)
        self.present = present
        self._trim()
        self._settle(page)

    # --- what is told ---

    def sent(self, message: Message) -> None:
        """Take in what was written just now, by us or another."""
        self._settle([message])
        if self.present:
            self._put(message)
            self._trim()

    def edited(self, message: Message) -> None:
        """Show *message* as it is now, with what we put to it."""
        index = self._find(message.id)
        if index is not None:
            mine = {each.emoji for each in self.messages[index].reactions if each.mine}
            reactions = [
                msgspec.structs.replace(each, mine=each.emoji in mine)
                for each in message.reactions
            ]
            self.messages[index] = msgspec.structs.replace(message, reactions=reactions)

    def deleted(self, gone: Iterable[MessageId]) -> None:
        """Show *gone* no more."""
        lost = set(gone)
        self.messages = [message for message in self.messages if message.id not in lost]

    def reacted(self, change: ReactionChanged, me: UserId) -> None:
        """Show how many answered with an emoji, and whether we did."""
        index = self._find(change.message)
        if index is None:
            return
        message = self.messages[index]
        found = {each.emoji: each for each in message.reactions}
        mine = change.emoji in found and found[change.emoji].mine
        if change.user == me:
            mine = change.added
        if change.count > 0:
            found[change.emoji] = Reaction(change.emoji, change.count, mine)
        else:
            found.pop(change.emoji, None)
        self.messages[index] = msgspec.structs.replace(message, reactions=list(found.values()))

    # --- what is not sent yet ---

    def write(self, pending: Pending) -> None:
        """Show at once what we wrote."""
        self.pending.append(pending)

    def refused(self, nonce: str, problem: str) -> None:
        """Show why a message of ours could not be sent; the user decides what becomes of it."""
        self.pending = [
            msgspec.structs.replace(each, problem=problem) if each.nonce == nonce else each
            for each in self.pending
        ]

    def withdraw(self, nonce: str) -> None:
        """Show a message of ours no more that was not sent."""
        self.pending = [each for each in self.pending if each.nonce != nonce]

    # --- inside ---

    def find(self, message: MessageId) -> Message | None:
        """Return a loaded message by its id."""
        index = self._find(message)
        return self.messages[index] if index is not None else None

    @property
    def newest(self) -> MessageId | None:
        """The last message that is loaded."""
        return self.messages[-1].id if self.messages else None

    def _find(self, message: MessageId) -> int | None:
        index = bisect_left(self.messages, message, key=_id)
        found = index < len(self.messages) and self.messages[index].id == message
        return index if found else None

    def _put(self, message: Message) -> None:
        """Insert *message* where its id belongs, or replace it if it is there."""
        index = bisect_left(self.messages, message.id, key=_id)
        if index < len(self.messages) and self.messages[index].id == message.id:
            self.messages[index] = message
        else:
            self.messages.insert(index, message)

    def _trim(self) -> None:
        if len(self.messages) > LOADED_MAX + _SPARE:
            del self.messages[: len(self.messages) - LOADED_MAX]
            self.begins = False

    def _settle(self, arrived: Iterable[Message]) -> None:
        nonces = {message.nonce for message in arrived if message.nonce is not None}
        if nonces:
            self.pending = [each for each in self.pending if each.nonce not in nonces]


def _id(message: Message) -> MessageId:
    return message.id
