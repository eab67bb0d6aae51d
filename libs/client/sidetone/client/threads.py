"""From a thread of our own back to an event loop."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec

P = ParamSpec("P")


def soon(
    loop: asyncio.AbstractEventLoop,
    call: Callable[P, object],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Have *call* called on *loop*; nothing happens where it is over, as when a program ends."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: call(*args, **kwargs))
