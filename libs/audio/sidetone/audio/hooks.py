"""The processors of others that a microphone's chain calls: loaded when they are first wanted.

On a thread, because a library may take seconds to load; until then, and where it is missing, the
chain goes on without it, and that is told once, in one line.
"""

import threading
from collections.abc import Callable
from typing import Any

from sidetone.audio import AudioError
from sidetone.audio.processors import Processor, echo_canceller, noise_suppressor
from sidetone.native import Record


class Hooks:
    """Hooks and unhooks the processors of one microphone's *processing* record."""

    def __init__(self, processing: Record, on_failure: Callable[[str], None]) -> None:
        self._processing = processing
        self._on_failure = on_failure
        self._loading: list[threading.Thread] = []
        self._made: dict[str, Processor | None] = {}
        self._wanted: set[str] = set()

    def want(self, *, noise: bool, echo: bool) -> None:
        """Have the wanted ones called from some moment on, and the others not."""
        makers: tuple[tuple[str, bool, Callable[[], Processor]], ...] = (
            ("suppress", noise, noise_suppressor),
            ("echo", echo, echo_canceller),
        )
        for name, wanted, make in makers:
            if not wanted:
                self._wanted.discard(name)
                setattr(self._processing, f"{name}_function", 0)
                continue
            self._wanted.add(name)
            if name in self._made:
                self._hook(name)
                continue
            self._made[name] = None
            thread = threading.Thread(target=self._load, args=(name, make), daemon=True)
            self._loading.append(thread)
            thread.start()

    def close(self) -> None:
        """Free what was loaded; the microphone's thread has ended."""
        for thread in self._loading:
            thread.join()
        for processor in self._made.values():
            if processor is not None:
                processor.close()
        self._made.clear()

    def _load(self, name: str, make: Callable[[], Processor]) -> None:
        try:
            self._made[name] = make()
        except AudioError as error:
            self._on_failure(str(error))
        else:
            self._hook(name)

    def _hook(self, name: str) -> None:
        processor: Any = self._made[name]
        if processor is not None and name in self._wanted:
            setattr(self._processing, f"{name}_handle", processor.handle)
            setattr(self._processing, f"{name}_function", processor.function)
