"""Keep track of how far one has read."""

import asyncio
from uuid import UUID

from sidetone.desktop.application.account import Account
from sidetone.protocol.events import ReadMarked
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.refusals import Refusal

# Who reads along while many write tells the server no more often.
TELL_SECONDS = 1.0


class ReadAlong:
    """What is read in one channel as it comes: known here at once, told to the server in a while.

    So nothing is drawn as unread for a moment that is before one's eyes.
    """

    def __init__(self, account: Account, channel: ChannelId) -> None:
        self._account = account
        self._channel = channel
        self._newest: MessageId | None = None
        self._told: MessageId | None = None
        self._before: ReadState | None = None
        self._telling = False

    def note(self, message: MessageId) -> bool:
        """Know that all up to *message* is read. True: start ``tell``."""
        if self._before is None:
            self._before = self._account.knowledge.reads.get(self._channel)
        self._newest = message
        _know(self._account, ReadState(self._channel, message, 0, 0))
        starts = not self._telling
        self._telling = True
        return starts

    def stop(self) -> None:
        """Tell no more of what was read: somebody leaves it unread."""
        self._newest = self._told

    async def tell(self) -> None:
        """Tell the server, until it knows all; what it does not take is unread again."""
        try:
            while (newest := self._newest) is not None and newest != self._told:
                await self._account.client.api.messages.mark_read(self._channel, newest)
                self._told = newest
                if newest == self._newest:
                    self._before = None
                await asyncio.sleep(TELL_SECONDS)
        except Refusal:
            if self._before is not None:
                _know(self._account, self._before)
            raise
        finally:
            self._telling = False
            self._before = None


async def mark_unread(account: Account, channel: ChannelId, message: MessageId) -> None:
    """Say that *message* and what follows it is to be read later."""
    before = MessageId(UUID(int=message.int - 1))
    _know(account, await account.client.api.messages.mark_read(channel, before, backwards=True))


def _know(account: Account, state: ReadState) -> None:
    account.told(account.knowledge.apply(ReadMarked(state), account.clock.now_ms()))
