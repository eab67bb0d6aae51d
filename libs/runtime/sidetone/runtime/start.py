"""How a process starts and stops: one clear line when it cannot, an end in order when told."""

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Generator
from types import FrameType
from typing import Any

from sidetone.protocol.refusals import Refusal

_PRIORITY = -10


class StartError(Exception):
    """Something keeps the process from starting: one line, what happened and what to do.

    It is for the person at the terminal, so it is printed without a traceback.
    """


def run(
    main: Callable[[], Coroutine[Any, Any, None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Run *main* to its end; exit with one line and status 1 if it cannot start.

    A bus that cannot be reached is such a case too.
    """
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
    except (StartError, Refusal) as error:
        detail = error.detail if isinstance(error, Refusal) else str(error)
        sys.stderr.write(f"sidetone: {detail}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


@contextlib.contextmanager
def stop_requests() -> Generator[asyncio.Event]:
    """Give an event that SIGTERM sets, and SIGINT from the keyboard, while the block runs."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    # Windows has no add_signal_handler; a plain handler works everywhere.
    def ask(_: int, __: FrameType | None) -> None:
        loop.call_soon_threadsafe(asked.set)

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settle_memory() -> None:
    """Tell the garbage collector that what exists now will live as long as the process.

    Looking through it again and again cost a tenth of a busy server's time. Call it once, when
    everything is built. What requests leave behind is almost all freed without the collector, so
    it may look less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


def return_memory() -> None:
    """Give memory that is free inside this process back to the system, where it takes it.

    The C library keeps what it once had. It takes a millisecond or two: call it after a peak.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def raise_priority() -> None:
    """Let this process and its children go before others, where the system allows it.

    Sound that comes 20 ms late is heard; a build in the next terminal that takes 20 ms longer is
    not. Needs root or a limit on ``nice`` that an operator raised; without it nothing changes.
    """
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
