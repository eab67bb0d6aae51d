"""The id of one request stands in the logs of every service that works for it."""

import asyncio

import msgspec
import pytest
import structlog

from sidetone.protocol.events import Fact, MessageSent
from tests.scenarios.conftest import Cast
from tests.surroundings import open_nats_journal

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_messages_at_the_same_moment_keep_their_own_ids(cast: Cast) -> None:
    """They are written in one batch, by whoever came first."""
    nats = cast.platform.nats
    if nats is None:
        pytest.skip("the journal of one process cannot be followed from outside")
    heard: dict[str, object] = {}
    done = asyncio.Event()

    async def hear(fact: Fact) -> None:
        if isinstance(fact.event, MessageSent) and fact.event.message.text.startswith("id-"):
            request = structlog.contextvars.get_contextvars().get("request")
            heard[fact.event.message.text] = request
            if len(heard) == 8:
                done.set()

    server = await cast.ada.found()
    text = await cast.ada.place(server, "text")
    url = f"{cast.platform.urls['chat'][0]}/chat/channels/{text}/messages"
    async with open_nats_journal(nats.url, nats.access("gateway")) as journal:
        await journal.follow(hear)
        await asyncio.gather(
            *(
                cast.platform.http.post(
                    url,
                    content=msgspec.json.encode({"text": f"id-{number}"}),
                    headers={
                        "authorization": f"Bearer {cast.ada.token}",
                        "x-request-id": f"request-{number}",
                    },
                )
                for number in range(8)
            )
        )
        async with asyncio.timeout(30):
            await done.wait()
    assert heard == {f"id-{number}": f"request-{number}" for number in range(8)}
