"""Hands the events of a call to whoever iterates over them, each at their own pace."""

import asyncio
from collections import deque

from sidetone.client.events import Event

_EVENTS_WAITING_MAX = 256


class EventStream:
    """One reader's events. A reader that falls far behind loses the oldest ones."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque(maxlen=_EVENTS_WAITING_MAX)
        self._changed = asyncio.Event()
        self._ended = False

    def put(self, event: Event) -> None:
        """Add an event; never blocks."""
        self._waiting.append(event)
        self._changed.set()

    def end(self) -> None:
        """Stop the iteration after the events that wait."""
        self._ended = True
        self._changed.set()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> Event:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()


class EventHub:
    """Where a call publishes. A stream gets what is published after it was opened."""

    def __init__(self) -> None:
        self._streams: list[EventStream] = []
        self._ended = False

    def publish(self, event: Event) -> None:
        """Give *event* to every open stream."""
        for stream in self._streams:
            stream.put(event)

    def open(self) -> EventStream:
        """Return a new stream; after the end it is empty."""
        stream = EventStream()
        if self._ended:
            stream.end()
        else:
            self._streams.append(stream)
        return stream

    def close(self, stream: EventStream) -> None:
        """Give *stream* nothing more."""
        if stream in self._streams:
            self._streams.remove(stream)

    def end(self) -> None:
        """End every stream."""
        self._ended = True
        for stream in self._streams:
            stream.end()
        self._streams.clear()
