"""The network thread of a call: its QUIC link lives on an event loop of its own.

A user interface that is busy on the main event loop delays no sound. Where kernels work, frames go
between the audio threads and the network by a media thread of each link, which never takes the
interpreter lock; elsewhere they go by this loop. The main loop hears of control messages and rare
data alone.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sidetone.audio.engine import Engine
from sidetone.client.fast_link import FastLink
from sidetone.client.link_opening import open_link
from sidetone.client.screen_streams import Arrival
from sidetone.client.threads import soon
from sidetone.client.voice_link import LinkListener, VoiceLink
from sidetone.e2ee.schedule import MediaKind
from sidetone.native.clock import now_ns
from sidetone.protocol.voice_control import ClientMessage, ServerMessage
from sidetone.quic.system import new_lock

T = TypeVar("T")

_LOOK_SECONDS = 0.004
_WAKE_BYTES = 4096
_SWITCH_INTERVAL_SECONDS = 0.0005
_GOODBYE_SECONDS_MAX = 1.0


class MediaThread:
    """Runs links for one *engine*, one after another, from `start` to `stop`.

    By kernels if they are *fast*: `link_trial` finds out.
    """

    def __init__(self, engine: Engine, *, fast: bool) -> None:
        self._engine = engine
        self._fast = fast
        # Each ring to and from the audio threads has one side here, whichever link it is.
        self._lock = new_lock()
        self._speaking: FastLink | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="call-network", daemon=True)
        self._link: VoiceLink | None = None

    def start(self) -> None:
        """Begin; once.

        The interpreter of this process then changes threads every 0.5 ms instead of every 5, so
        that a busy main thread holds up no frame for longer.
        """
        sys.setswitchinterval(min(sys.getswitchinterval(), _SWITCH_INTERVAL_SECONDS))
        self._thread.start()

    async def stop(self) -> None:
        """End; a second time does nothing. Links are closed by then."""
        self._link = None
        if self._thread.ident is not None:
            soon(self._loop, self._loop.stop)
            await asyncio.to_thread(self._thread.join)

    async def open_link(
        self, host: str, port: int, pin: bytes, listener: LinkListener, timeout_seconds: float
    ) -> "RemoteLink":
        """Connect as `voice_link.open_link` does; *listener* is called on the caller's loop."""
        relay = _Relay(self._engine.receive, listener, asyncio.get_running_loop())
        link = await self._there(self._open(host, port, pin, relay, timeout_seconds))
        return RemoteLink(link, self._loop)

    async def _open(
        self, host: str, port: int, pin: bytes, relay: "_Relay", timeout_seconds: float
    ) -> VoiceLink:
        paths: list[FastLink] = []

        def new_path() -> FastLink:
            engine = self._engine
            rings = engine.sent, engine.arrived
            path = FastLink(self._lock, *rings, engine.wake_fd, relay.frame_received)
            relay.receive = path.deliver
            paths.append(path)
            return path

        way = new_path if self._fast else None
        self._link = await open_link(host, port, pin, relay, timeout_seconds, way)
        if paths:
            self._let_speak(paths[-1])
        return self._link

    def _let_speak(self, path: FastLink) -> None:
        if self._speaking is not None:
            self._speaking.let_speak(speaks=False)
        self._speaking = path
        path.let_speak(speaks=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._watch()
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _there(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # --- frames from the capturing thread ---

    def _watch(self) -> None:
        """Be woken by the capturing thread, or look every 4 ms where it cannot wake anybody.

        Kernels do it by themselves.
        """
        if self._fast:
            return
        if self._engine.wake_fd >= 0:
            self._loop.add_reader(self._engine.wake_fd, self._woken)
        else:
            self._look()

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._engine.wake_fd, _WAKE_BYTES)
        self._send_on()

    def _look(self) -> None:
        self._send_on()
        self._loop.call_later(_LOOK_SECONDS, self._look)

    def _send_on(self) -> None:
        for frame in self._engine.take_sent():
            if self._link is not None:
                self._link.send_frame(frame)


class RemoteLink:
    """A link on the network thread, as those on another loop may use it."""

    def __init__(self, link: VoiceLink, loop: asyncio.AbstractEventLoop) -> None:
        self._link = link
        self._loop = loop

    @property
    def rtt_ms(self) -> float:
        """The smoothed round trip to the node."""
        return self._link.rtt_ms

    @property
    def datagrams_dropped(self) -> int:
        """How many frames found the network full."""
        return self._link.datagrams_dropped

    def send(self, message: ClientMessage) -> None:
        """Send *message* reliably, in order."""
        soon(self._loop, self._link.send, message)

    def send_frame(self, frame: bytes) -> None:
        """Send *frame* once, soon or not at all."""
        soon(self._loop, self._link.send_frame, frame)

    async def show(self, frame: bytes) -> bool:
        """Send a video frame; returns when the path has taken it, False if it never will."""
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._link.show(frame), self._loop)
        )

    async def close(self) -> None:
        """Give the node a moment to answer a ``Leave``, then close."""
        if self._loop.is_running():
            closing = asyncio.run_coroutine_threadsafe(self._link.close(), self._loop)
            # The thread may end meanwhile: nothing answers then, and nothing can be cancelled.
            await asyncio.wait([asyncio.wrap_future(closing)], timeout=_GOODBYE_SECONDS_MAX)

    def abort(self) -> None:
        """Close at once; what waits to be sent is lost."""
        soon(self._loop, self._link.abort)


class _Relay:
    """Takes what a link brings: audio straight to the engine, the rest to the listener's loop."""

    def __init__(
        self,
        receive: Callable[[bytes, int], None],
        listener: LinkListener,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.receive = receive
        self._listener = listener
        self._loop = loop

    def frame_received(self, frame: bytes) -> None:
        if frame and frame[0] >> 4 & 3 == MediaKind.AUDIO:
            self.receive(frame, now_ns())
        else:
            soon(self._loop, self._listener.frame_received, frame)

    def video_received(self, arrival: Arrival) -> None:
        soon(self._loop, self._listener.video_received, arrival)

    def message_received(self, message: ServerMessage) -> None:
        soon(self._loop, self._listener.message_received, message)

    def link_closed(self, code: str, detail: str) -> None:
        soon(self._loop, self._listener.link_closed, code, detail)
