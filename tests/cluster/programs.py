"""A program of ours as an operator runs it: started, watched, started again when it dies."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.engines import dies_with_us

READY_SECONDS_MAX = 60.0
_POLL_SECONDS = 0.05


class Program:
    """One process, reached at *url*; what it says goes to the end of the file *log*."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        is_ready: Callable[[], bool],
        url: str,
    ) -> None:
        self.log = log
        self.url = url
        self._command = [*dies_with_us(), *command]
        # What the next start is given.
        self.environment = {**os.environ, **environment}
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process, which has been started."""
        assert self._process is not None
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; ``wait_until_ready`` tells when it works."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                # Ctrl-C is for who started us; we end our programs ourselves.
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when it works. Raises ``RuntimeError`` with its last words where it does not."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self._is_ready():
            if not self.is_running() or time.monotonic() > deadline:
                words = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[-1]} did not start: {words}")
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """End it with SIGKILL, itself alone: its children see for themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def tell_to_stop(self) -> None:
        """Send SIGTERM."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Return its status. Raises ``subprocess.TimeoutExpired``."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self, seconds: float = 15.0) -> None:
        """Stop it as an operator does; kill it after *seconds*."""
        if not self.is_running():
            return
        self.tell_to_stop()
        try:
            self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


class Supervisor:
    """Starts again what has died, as systemd or Kubernetes would."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs
        self._held: set[str] = set()
        self._ended = Event()
        self._thread = Thread(target=self._watch, name="supervisor")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def hold(self, name: str) -> None:
        """Leave *name* alone when it ends: it is being replaced."""
        self._held.add(name)

    def let_go(self, name: str) -> None:
        """Watch over *name* again."""
        self._held.discard(name)

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for name, program in self._programs.items():
                if name not in self._held and not program.is_running():
                    program.start()
        # The thread that started a process must outlive it: with it ends the process.
        for program in self._programs.values():
            if program.is_running():
                program.tell_to_stop()
        for program in self._programs.values():
            program.stop()


def answers(url: str) -> bool:
    """Tell whether a GET of *url* succeeds."""
    try:
        with urlopen(url, timeout=2):
            return True
    except HTTPError as refused:
        refused.close()
        return False
    except OSError:
        return False
