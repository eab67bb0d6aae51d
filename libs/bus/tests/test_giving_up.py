"""Who is cancelled while connecting leaves no socket open, at whatever step it happens.

A socket that was forgotten is a warning, and a warning is a failure here.
"""

import asyncio
import gc
from typing import Any

import pytest

from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from tests import engines

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
