"""The two audio threads: each runs one kernel as long as it can, and is Python only in between.

That is when a device fails or is changed. A device that fails is reported once, in one line, and
replaced: by the default device where there is one, else by silence. The call goes on.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from sidetone.audio import AudioError
from sidetone.audio.devices import NullMicrophone, NullSpeaker
from sidetone.audio.priority import Priority, raise_priority
from sidetone.audio.rings import Words
from sidetone.native import Record
from sidetone.native.atomics import read_word, write_word

_log = logging.getLogger(__name__)

_STOPPING: Final = -1
_JOIN_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05


class Loop:
    """One thread and its device. *run* is the kernel's call: (stream, generation) -> why it ended.

    The first of *words* is the loop's generation: the kernel comes back when it changes.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[Record, int], int],
        words: Words,
        device: Any,  # noqa: ANN401 - a microphone or a loudspeaker
        replace: Callable[[], Any],
        on_failure: Callable[[str], None],
    ) -> None:
        self._name = name
        self._run = run
        self._words = words
        self.device = device
        self._next: list[Any] = []
        self._replace = replace
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self.priority: Priority | None = None
        self._thread = threading.Thread(target=self._live, name=f"audio-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def use(self, device: Any) -> None:  # noqa: ANN401
        """Go over to *device*, from the next hop on; the one before is closed."""
        with self._lock:
            self._next.append(device)
            self._interrupt()

    def stop(self) -> None:
        """Come to an end and close the device; blocks for a hop or two."""
        with self._lock:
            write_word(self._words, 0, _STOPPING)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_SECONDS)
            if self._thread.is_alive():
                _log.warning("a %s does not answer and is left behind", self._name)
                return
        for device in (self.device, *self._next):
            try:
                device.close()
            except AudioError as error:
                self._on_failure(str(error))

    def _interrupt(self) -> None:
        generation = read_word(self._words, 0)
        if generation != _STOPPING:
            write_word(self._words, 0, generation + 1)

    def _live(self) -> None:
        self.priority = raise_priority()
        while (generation := read_word(self._words, 0)) != _STOPPING:
            try:
                self._turn(generation)
            except Exception:
                _log.exception("the audio loop of the %s had to begin anew", self._name)
                time.sleep(_PAUSE_SECONDS)

    def _turn(self, generation: int) -> None:
        with self._lock:
            waiting, self._next = self._next, []
        for device in waiting:
            _close(self.device)
            self.device = device
        code = self._run(self.device.stream, generation)
        if code < 0:
            self._lost(self.device.failure(code))

    def _lost(self, error: AudioError) -> None:
        _close(self.device)
        try:
            self.device = self._replace()
        except AudioError:
            self.device = NullMicrophone() if self._name == "microphone" else NullSpeaker()
            self._on_failure(f"{error}; until then it is silent")
        else:
            self._on_failure(f"{error}; {self.device.name} is used instead")


def _close(device: Any) -> None:  # noqa: ANN401
    """Close a device that nobody will miss, whatever it says."""
    with contextlib.suppress(AudioError):
        device.close()
