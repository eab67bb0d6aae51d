"""Slash commands: a bot answers them, and whoever is in its server uses them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

from sidetone.client.gateway_link import Happening
from sidetone.client.requests import Requests
from sidetone.protocol.commands import (
    AnswerInvocation,
    Command,
    CommandInvoked,
    Invocation,
    InvokeCommand,
    NewCommand,
    OptionValue,
    RegisterCommands,
)
from sidetone.protocol.ids import ChannelId, CommandId, InvocationId, ServerId
from sidetone.protocol.refusals import Refusal

# An answer that is not there by then is deferred: the server waits for three seconds.
_DEFERRED_AFTER_SECONDS = 2.0
# Invocations that a bot works on at once; the next ones wait.
_AT_ONCE_MAX = 32

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Private:
    """An answer for the eyes of who asked; nobody else sees it, and it is kept nowhere."""

    text: str


Answer: TypeAlias = str | Private
Handler: TypeAlias = Callable[[Invocation], Awaitable[Answer]]
Events: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncIterator[Happening]]]


class Commands:
    """What bots of a server can be asked."""

    def __init__(self, requests: Requests, events: Events) -> None:
        self._requests = requests
        self._events = events

    async def register(self, commands: Sequence[NewCommand]) -> list[Command]:
        """Say all that this bot can be asked; what is not among *commands* is gone."""
        body = RegisterCommands(list(commands))
        return await self._requests.ask("PUT", "/integrations/commands", list[Command], body)

    async def of(self, server: ServerId) -> list[Command]:
        """Return what the bots of *server* can be asked, by name."""
        path = f"/integrations/servers/{server}/commands"
        return await self._requests.ask("GET", path, list[Command])

    async def invoke(
        self, channel: ChannelId, command: CommandId, options: Mapping[str, OptionValue]
    ) -> Invocation:
        """Ask a bot; ``CommandAnswered`` tells among the events what became of it."""
        path = f"/integrations/channels/{channel}/commands/{command}"
        return await self._requests.ask("POST", path, Invocation, InvokeCommand(dict(options)))

    async def answer(self, invocation: InvocationId, answer: Answer) -> None:
        """Answer what this bot was asked, within three seconds or after ``defer``."""
        private = isinstance(answer, Private)
        body = AnswerInvocation(answer.text if private else answer, private)
        await self._tell(invocation, body)

    async def defer(self, invocation: InvocationId) -> None:
        """Say that the answer takes longer, up to a quarter of an hour."""
        await self._tell(invocation, AnswerInvocation(deferred=True))

    async def serve(self, handlers: Mapping[str, Handler]) -> None:
        """Answer every command by its handler until cancelled, side by side.

        An answer that takes long is deferred by itself. A handler that fails costs that answer.
        """
        places = asyncio.Semaphore(_AT_ONCE_MAX)
        async with asyncio.TaskGroup() as work, self._events() as happenings:
            async for happening in happenings:
                if isinstance(happening, CommandInvoked):
                    invocation = happening.invocation
                    handler = handlers.get(invocation.command)
                    if handler is not None:
                        await places.acquire()
                        task = work.create_task(self._serve_one(handler, invocation))
                        task.add_done_callback(lambda _: places.release())

    async def _serve_one(self, handler: Handler, invocation: Invocation) -> None:
        answering = asyncio.ensure_future(handler(invocation))
        try:
            await asyncio.wait([answering], timeout=_DEFERRED_AFTER_SECONDS)
            if not answering.done():
                await self.defer(invocation.id)
            await self.answer(invocation.id, await answering)
        except Refusal as refusal:
            _log.warning("/%s was not answered: %s", invocation.command, refusal.detail)
        except Exception:
            _log.exception("/%s was not answered", invocation.command)
        finally:
            answering.cancel()

    async def _tell(self, invocation: InvocationId, body: AnswerInvocation) -> None:
        await self._requests.tell("POST", f"/integrations/invocations/{invocation}/answer", body)
