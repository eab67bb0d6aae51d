"""How a follower gets facts from the server: it asks, and begins anew after a loss.

What was asked for dies with the connection, and a place that the server does not keep on disk dies
with the server: only who begins anew at once, when the connection is back, hears what comes next.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from sidetone.bus.facts_stream import STREAM

_RETRY_SECONDS: Final = 0.5
# What the server says when an ask is over, which is no fault.
_OVER: Final = {"404", "408"}

log = structlog.get_logger(__name__)


class Lost(Exception):
    """The connection or the place in the stream can be used no more: begin anew."""


class Asking:
    """An address of its own, to which the server sends what is asked for at one place."""

    def __init__(self, client: Client) -> None:
        self.over = False
        # How many times in a row nothing at all came from the server.
        self.silences = 0
        self._client = client
        self._address = client.new_inbox()
        # No more comes than was asked for. None is no message: it wakes who waits for one.
        self._came: asyncio.Queue[Msg | None] = asyncio.Queue()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[None]:
        """Take what is sent, for the length of the block. Raises what the client raises."""
        subscription = await self._client.subscribe(self._address, cb=self._came.put)  # pyright: ignore[reportUnknownMemberType]
        try:
            yield
        finally:
            with suppress(Error):
                await subscription.unsubscribe()

    def finish(self) -> None:
        """Be over as soon as what came before is taken."""
        self._came.put_nowait(None)

    def end(self) -> None:
        """Be over at once."""
        self.over = True
        self.finish()

    async def ask(self, place: str, count: int, seconds: float) -> None:
        """Have the server send the next *count* facts at *place*, if it can within *seconds*."""
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{place}"
        wish = json.dumps({"batch": count, "expires": int(seconds * 1e9)}).encode()
        await self._client.publish(subject, wish, reply=self._address)

    async def next(self, seconds: float) -> Msg | None:
        """Return the next fact; None where none came within *seconds*, or where this is over.

        That an ask is over is not told: NATS 2.9 does not say so where a fact comes in that
        moment, and who waited for it would be deaf meanwhile. Raises ``Lost`` where the server
        cannot do what it was asked.
        """
        deadline = time.monotonic() + seconds
        while not self.over:
            try:
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    message = await self._came.get()
            except TimeoutError:
                self.silences += 1
                return None
            if message is None:
                self.over = True
                return None
            self.silences = 0
            status = (message.headers or {}).get("Status")
            if status is None:
                return message
            if status not in _OVER:
                raise Lost(f"the server says {status}")
        return None


class Line:
    """What a follower has to the server, until it ends: one asking after the other."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._asking: Asking | None = None
        self._back = asyncio.Event()
        self._ended = False

    def end(self) -> None:
        """Start no further call of the handler; one that is running may finish."""
        self._ended = True
        if self._asking is not None:
            self._asking.end()

    def renew(self) -> None:
        """Begin anew, as the connection is back: the server knows of no ask from before."""
        self._back.set()
        if self._asking is not None:
            self._asking.finish()

    async def hold(self, follow: Callable[[Asking], Awaitable[None]]) -> None:
        """Call *follow* until the end, also through losses of the connection and of the server."""
        while not self._ended:
            self._back.clear()
            self._asking = Asking(self._client)
            try:
                async with self._asking.listening():
                    await follow(self._asking)
            except (Error, OSError, TimeoutError, Lost) as error:
                if self._ended:
                    return
                log.info("journal_lost", reason=str(error) or type(error).__name__)
                await self._pause()
            except Exception:
                log.exception("journal_lost")
                await self._pause()

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_RETRY_SECONDS):
                await self._back.wait()
