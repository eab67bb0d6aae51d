"""What was written and is not acknowledged: shown at once, sent in order, exactly once.

The nonce makes a repeat harmless: after a drop everything unacknowledged is simply sent again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from sidetone.client.client import Client
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Invalid, RateLimited, Refusal, Unavailable

# Messages that wait for a connection; who writes more is told to wait.
WAITING_MAX: Final = 100
_PAUSE_SECONDS_MIN: Final = 0.5
_PAUSE_SECONDS_MAX: Final = 15.0
# A message that must wait longer (slow mode) is given back: those behind it do not wait for it.
_PATIENCE_SECONDS: Final = 10.0


class Outbox:
    """The messages of one account on their way."""

    def __init__(
        self, client: Client, knowledge: Knowledge, told: Callable[[Topics], None]
    ) -> None:
        self._client = client
        self._knowledge = knowledge
        self._told = told
        self._waiting: deque[tuple[ChannelId, Pending]] = deque()
        self._wake = asyncio.Event()
        self._pause = _PAUSE_SECONDS_MIN

    def put(self, channel: ChannelId, message: Pending) -> None:
        """Send *message* when it can be. Raises ``Invalid`` when very many wait already."""
        if len(self._waiting) >= WAITING_MAX:
            raise Invalid(
                "outbox_full", "too many messages wait to be sent; wait for the connection"
            )
        self._knowledge.timeline(channel).write(message)
        self._waiting.append((channel, message))
        self._told(topics(Topic("messages", channel)))
        self._wake.set()

    def withdraw(self, nonce: str) -> None:
        """Send a message no more; one that is on its way already may still arrive."""
        self._waiting = deque(each for each in self._waiting if each[1].nonce != nonce)

    def wake(self) -> None:
        """Try at once: there is a connection again."""
        self._pause = _PAUSE_SECONDS_MIN
        self._wake.set()

    async def run(self) -> None:
        """Send what waits, one after another, until it is cancelled."""
        while True:
            self._wake.clear()
            while self._waiting:
                channel, message = self._waiting[0]
                if not await self._send(channel, message):
                    break
                self.withdraw(message.nonce)
            seconds = self._pause if self._waiting else None
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                self._pause = min(_PAUSE_SECONDS_MAX, 2 * self._pause)

    async def _send(self, channel: ChannelId, message: Pending) -> bool:
        """Return whether this is over: it was sent, or will never be."""
        timeline = self._knowledge.timeline(channel)
        try:
            sent = await self._client.api.messages.send(
                channel,
                message.text,
                nonce=message.nonce,
                reply_to=message.reply_to,
                attachments=[file.id for file in message.files],
            )
        except RateLimited as refusal:
            if refusal.retry_after_seconds <= _PATIENCE_SECONDS:
                await asyncio.sleep(refusal.retry_after_seconds)
                return False
            timeline.refused(message.nonce, refusal.detail)
        except Unavailable:
            return False
        except Refusal as refusal:
            timeline.refused(message.nonce, refusal.detail)
        else:
            self._pause = _PAUSE_SECONDS_MIN
            timeline.sent(sent)
        self._told(topics(Topic("messages", channel)))
        return True
