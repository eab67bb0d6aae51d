"""Do what keys of the whole desktop are bound to: talk, mute, deafen; and learn new bindings.

Where nothing is bound and nothing is asked for, nobody listens.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from sidetone.client.threads import soon
from sidetone.desktop.domain.hotkeys import (
    Bindings,
    Captured,
    Chord,
    Effect,
    Hotkeys,
    Talk,
    Toggle,
)
from sidetone.protocol.refusals import Refusal


class KeySource(Protocol):
    """Where presses and releases come from, by the names of keys. Its calls block for a moment."""

    def start(self, heard: Callable[[str, bool], None]) -> None:
        """Tell *heard*, on any thread, until ``stop``. Raises ``Unavailable`` where one cannot."""
        ...

    def stop(self) -> None:
        """Be silent from now on."""
        ...


class ListenToKeys:
    """The keys of one user; *done* hears what they cause, in the event loop.

    *problem* is a line for the user when keys cannot be heard, else empty.
    """

    def __init__(self, source: KeySource, done: Callable[[Talk | Toggle], None]) -> None:
        self.problem = ""
        self._source = source
        self._done = done
        self._bindings: Bindings = {}
        self._hotkeys = Hotkeys({})
        self._answer: asyncio.Future[Chord | None] | None = None
        self._listening = False
        self._turn = asyncio.Lock()
        self._settling: set[asyncio.Task[None]] = set()

    async def bind(self, bindings: Bindings) -> None:
        """Go by *bindings* from now on; the key to talk is let go if it means that no more."""
        self._bindings = bindings
        self._cause(self._hotkeys.bind(bindings))
        await self._settle()

    async def capture(self) -> Chord | None:
        """Return the next chord that is pressed, None if the user gives up or cannot be heard.

        Who waits no longer cancels it; a second one who asks ends the first.
        """
        self.cancel()
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._cause(self._hotkeys.capture())
        try:
            await self._settle()
            if self.problem:
                self.cancel()
            return await answer
        finally:
            if self._answer is answer:
                self._cause(self._hotkeys.cancel())
                self._answer = None
                await self._settle()

    def cancel(self) -> None:
        """Wait for no chord any more."""
        self._cause(self._hotkeys.cancel())

    async def close(self) -> None:
        """Listen no more."""
        await self.bind({})
        self.cancel()

    async def _settle(self) -> None:
        """Listen if somebody needs it, else do not; who stops waiting does not halve it."""
        task = asyncio.create_task(self._adjust())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        await asyncio.shield(task)

    async def _adjust(self) -> None:
        async with self._turn:
            needed = bool(self._bindings) or self._answer is not None
            if needed and not self._listening:
                loop = asyncio.get_running_loop()

                def heard(key: str, pressed: bool) -> None:  # noqa: FBT001 (as the source tells it)
                    soon(loop, self._heard, key, pressed)

                try:
                    await asyncio.to_thread(self._source.start, heard)
                    self._listening, self.problem = True, ""
                except Refusal as refusal:
                    self.problem = refusal.detail
            elif not needed and self._listening:
                await asyncio.to_thread(self._source.stop)
                self._listening = False
                self._cause(self._hotkeys.forget())

    def _heard(self, key: str, pressed: bool) -> None:  # noqa: FBT001
        change = self._hotkeys.pressed if pressed else self._hotkeys.released
        self._cause(change(key))

    def _cause(self, effects: list[Effect]) -> None:
        for effect in effects:
            if not isinstance(effect, Captured):
                self._done(effect)
            elif self._answer is not None and not self._answer.done():
                self._answer.set_result(effect.chord)
