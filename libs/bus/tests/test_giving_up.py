"""Who is cancelled while connecting, or cut off, leaves no socket open, at whatever step.

A socket that was forgotten is a warning, and a warning is a failure here.
"""

import asyncio
import gc
from contextlib import suppress
from typing import Any

import pytest
from nats.aio.msg import Msg
from nats.errors import Error

from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus, connected, disconnect
from tests import engines
from tests.cable import cable

STEPS = 150


@pytest.mark.parametrize("kind", [NatsBus, NatsJournal])
async def test_a_connect_that_is_given_up_leaves_nothing_open(kind: Any) -> None:
    url = engines.nats_url()
    for steps in range(STEPS):
        connecting = asyncio.create_task(kind.connect(url))
        for _ in range(steps):
            await asyncio.sleep(0)
        connecting.cancel()
        (made,) = await asyncio.gather(connecting, return_exceptions=True)
        if not isinstance(made, BaseException):
            await made.close()
    gc.collect()


async def _ignore(_: Msg) -> None:
    pass


async def test_a_connection_that_broke_a_moment_ago_is_closed_like_any_other() -> None:
    """What waits to be sent cannot go any more, and must not keep the rest from being closed."""
    async with cable(engines.nats_url()) as (wire, url):
        for steps in range(40):
            client = await connected(url)
            await client.subscribe("nothing", cb=_ignore)
            await wire.cut()
            for _ in range(steps):
                with suppress(Error, OSError):
                    await client.publish("nothing", b"lost")
                await asyncio.sleep(0)
            await disconnect(client)
            assert client.is_closed
    gc.collect()
