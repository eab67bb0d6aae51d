"""What was written and is not acknowledged: shown at once, sent in order, exactly once.

It lies on disk before it is shown, so that it outlives the process. The nonce makes a repeat
harmless: after a drop or a start everything unacknowledged is simply sent again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from sidetone.client.client import Client
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Invalid, RateLimited, Refusal, Unavailable

_log = logging.getLogger(__name__)

# Messages that wait for a connection or were refused; who writes more is told to wait.
WAITING_MAX: Final = 100
_PAUSE_SECONDS_MIN: Final = 0.5
_PAUSE_SECONDS_MAX: Final = 15.0
# A message that must wait longer (slow mode) is given back: those behind it do not wait for it.
_PATIENCE_SECONDS: Final = 10.0


class Written(msgspec.Struct, frozen=True):
    """A message, and the channel that it is for."""

    channel: ChannelId
    message: Pending


class OutboxStore(Protocol):
    """Where the messages of one account lie until they are acknowledged. May block."""

    def all(self) -> list[Written]:
        """Return what lies here, the oldest first."""
        ...

    def keep(self, written: Written) -> None:
        """Have *written* in store, in place of one with its nonce; ``Unavailable`` if not."""
        ...

    def forget(self, nonce: str) -> None:
        """Keep the message of *nonce* no more."""
        ...


class Outbox:
    """The messages of one account on their way."""

    def __init__(
        self,
        client: Client,
        knowledge: Knowledge,
        told: Callable[[Topics], None],
        store: OutboxStore,
    ) -> None:
        self._client = client
        self._knowledge = knowledge
        self._told = told
        self._store = store
        # Those that are in store, the oldest first: they wait, unless they were refused.
        self._kept: dict[str, Written] = {}
        self._waiting: deque[Written] = deque()
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._pause = _PAUSE_SECONDS_MIN

    async def put(self, channel: ChannelId, message: Pending) -> None:
        """Keep *message*, show it, and send it when it can be.

        Raises ``Invalid`` when very many wait already, ``Unavailable`` if it cannot be kept.
        """
        written = Written(channel, message)
        async with self._turn:
            if len(self._kept) >= WAITING_MAX:
                raise Invalid(
                    "outbox_full",
                    tr("Too many messages wait to be sent; wait for the connection."),
                )
            await asyncio.to_thread(self._store.keep, written)
            self._show(written)
            self._wait(written)

    async def withdraw(self, nonce: str) -> None:
        """Send a message no more; one that is on its way already may still arrive."""
        self._waiting = deque(each for each in self._waiting if each.message.nonce != nonce)
        self._kept.pop(nonce, None)
        await asyncio.to_thread(self._store.forget, nonce)

    async def try_again(self, nonce: str) -> None:
        """Send once more what was refused."""
        async with self._turn:
            refused = self._kept.get(nonce)
            if refused is None or not refused.message.problem:
                return
            await self._note(refused, "")
            self._wait(self._kept[nonce])

    async def clear(self) -> None:
        """Send nothing any more of what waits."""
        for nonce in list(self._kept):
            await self.withdraw(nonce)

    def wake(self) -> None:
        """Try at once: there is a connection again."""
        self._pause = _PAUSE_SECONDS_MIN
        self._wake.set()

    async def run(self) -> None:
        """Send what waits, that of last time first, one after another, until cancelled."""
        await self._resume()
        while True:
            self._wake.clear()
            while self._waiting:
                written = self._waiting[0]
                if not await self._sent(written):
                    break
            seconds = self._pause if self._waiting else None
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                self._pause = min(_PAUSE_SECONDS_MAX, 2 * self._pause)

    async def _resume(self) -> None:
        """Take up what was left when the process ended."""
        async with self._turn:
            left = await asyncio.to_thread(self._store.all)
            for written in left[:WAITING_MAX]:
                if written.message.nonce not in self._kept:
                    self._show(written)
                    if not written.message.problem:
                        self._wait(written)

    def _show(self, written: Written) -> None:
        self._kept[written.message.nonce] = written
        self._knowledge.timeline(written.channel).write(written.message)
        self._told(topics(Topic("pending", written.channel)))

    def _wait(self, written: Written) -> None:
        self._waiting.append(written)
        self._wake.set()

    async def _sent(self, written: Written) -> bool:
        """Return whether this is over: it was sent, or will never be."""
        try:
            await self._send(written)
        except RateLimited as refusal:
            if refusal.retry_after_seconds <= _PATIENCE_SECONDS:
                await asyncio.sleep(refusal.retry_after_seconds)
                return False
            await self._refused(written, refusal.detail)
        except Unavailable:
            return False
        except Refusal as refusal:
            await self._refused(written, refusal.detail)
        except Exception:
            # One that cannot be sent must not hold up all others.
            _log.exception("a message could not be sent")
            await self._refused(written, tr("Something went wrong; the log file says what."))
        return True

    async def _send(self, written: Written) -> None:
        message = written.message
        sent = await self._client.api.messages.send(
            written.channel,
            message.text,
            nonce=message.nonce,
            reply_to=message.reply_to,
            attachments=[file.id for file in message.files],
        )
        self._pause = _PAUSE_SECONDS_MIN
        self._knowledge.timeline(written.channel).sent(sent)
        self._told(topics(Topic("messages", written.channel)))
        await self.withdraw(message.nonce)

    async def _refused(self, written: Written, problem: str) -> None:
        """Give a message back to its author, who decides what becomes of it."""
        nonce = written.message.nonce
        if nonce not in self._kept:
            return
        self._waiting = deque(each for each in self._waiting if each.message.nonce != nonce)
        if self._knowledge.channel(written.channel) is None and self._knowledge.communities:
            # The channel is gone, and with it the place where anybody could decide.
            await self.withdraw(nonce)
            return
        try:
            await self._note(written, problem)
        except Refusal as refusal:
            _log.warning("it is tried again at the next start: %s", refusal.detail)

    async def _note(self, written: Written, problem: str) -> None:
        """Have it said, also after the next start, why a message was refused."""
        message = msgspec.structs.replace(written.message, problem=problem)
        noted = msgspec.structs.replace(written, message=message)
        self._kept[message.nonce] = noted
        self._knowledge.timeline(written.channel).refused(message.nonce, problem)
        self._told(topics(Topic("pending", written.channel)))
        await asyncio.to_thread(self._store.keep, noted)
