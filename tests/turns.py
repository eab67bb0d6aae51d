"""Turns of the workers of one test run: most tests share the machine, a few have it alone.

A test with the marker `alone` hears and sees in real time: what comes late is lost, as on every
machine that cannot keep up. The other workers finish what they are at, and wait.
"""

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

# Any two files that all workers can open; they are locked, never written.
_GATE = Path(__file__)
_ROOM = Path(__file__).parent.parent / "conftest.py"

if sys.platform == "win32":

    @contextmanager
    def turn(*, alone: bool) -> Generator[None]:
        """Do nothing: there, one test runs after the other."""
        del alone
        yield
else:
    import fcntl

    @contextmanager
    def _locked(path: Path, how: int) -> Generator[None]:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(file, how)
            yield
        finally:
            os.close(file)

    @contextmanager
    def turn(*, alone: bool) -> Generator[None]:
        """Take part, or have the machine *alone*: who waits for that lets nobody new in."""
        with ExitStack() as stack:
            with _locked(_GATE, fcntl.LOCK_EX):
                stack.enter_context(_locked(_ROOM, fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
            yield
