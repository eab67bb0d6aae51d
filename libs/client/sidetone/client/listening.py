"""Lets a Python function hear every speaker: takes decoded sound from the playing thread.

A thread of its own, because the playing thread never waits for Python; who listens too slowly
misses sound, and the call does not.
"""

import threading
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from sidetone.audio import FRAME_SAMPLES, HOP_SAMPLES, Frame
from sidetone.audio.engine import Engine
from sidetone.protocol.ids import UserId

Hear: TypeAlias = Callable[[UserId, Frame, float], None]
"""Sees (user, frame, now_ms): each decoded 10 ms of each user, before volume and mix.

The frame is used again, so who keeps it copies it. Called on a thread of its own.
"""

_LOOK_SECONDS: Final = 0.01
_NS_PER_MS: Final = 1e6


class Listening:
    """Calls *hear* from `start` to `stop`; *user_of* tells whose place a sender is."""

    def __init__(
        self, engine: Engine, hear: Hear, user_of: Callable[[int], UserId | None]
    ) -> None:
        self._engine = engine
        self._hear = hear
        self._user_of = user_of
        self._frames: dict[int, Frame] = {}
        self._filled: dict[int, int] = {}
        self._began_ns: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="call-listening", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._engine.set_taps(True)
        self._thread.start()

    def stop(self) -> None:
        """Hear what is left, then end."""
        self._engine.set_taps(False)
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            self._take()
        self._take()

    def _take(self) -> None:
        for hop in self._engine.take_tapped():
            sender = int(hop.sender)
            frame = self._frames.setdefault(sender, np.zeros(FRAME_SAMPLES, np.float32))
            filled = self._filled.get(sender, 0)
            if filled == 0:
                self._began_ns[sender] = int(hop.at_ns)
            frame[filled : filled + HOP_SAMPLES] = hop.samples
            self._filled[sender] = (filled + HOP_SAMPLES) % FRAME_SAMPLES
            user = self._user_of(sender)
            if user is not None and self._filled[sender] == 0:
                self._hear(user, frame, self._began_ns[sender] / _NS_PER_MS)
