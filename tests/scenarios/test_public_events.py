"""What integrators read from the public stream, on a NATS server with accounts."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js import JetStreamContext

from sidetone.all_in_one.nats_config.integrators import filter_of
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.servers import Channel, Server, ServerState
from tests.scenarios.world import Person, Platform, open_platform, sign_up
from tests.secured_nats import secured_nats

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "docs" / "asyncapi.json").read_text()
)


# Other tests of the run try what is refused.
refused_before = 0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncGenerator[Platform]:
    global refused_before  # noqa: PLW0603
    refused_before = len(secured_nats().violations())
    async with open_platform("distributed") as opened:
        yield opened


class Reader:
    """An integrator at its place."""

    def __init__(self, client: Client, place: JetStreamContext.PullSubscription) -> None:
        self.client = client
        self._place = place

    async def read(self, count: int) -> list[dict[str, Any]]:
        """Return the next *count* events, each checked against its schema, and confirm them."""
        events: list[dict[str, Any]] = []
        while len(events) < count:
            for message in await self._place.fetch(count - len(events), timeout=10):
                event = json.loads(message.data)
                check(message.subject, event)
                events.append(event)
                await message.ack()
        return events

    async def nothing_more(self) -> bool:
        try:
            await self._place.fetch(1, timeout=0.5)
        except TimeoutError:
            return True
        return False


def check(subject: str, event: dict[str, Any]) -> None:
    """Require that *event* is what the document says of its subject."""
    kind = subject.split(".", 2)[2]
    assert event["event"]["type"] == kind
    assert subject.split(".")[1] == event["server"].replace("-", "")
    payload = DOCUMENT["components"]["messages"][kind]["payload"]
    jsonschema_rs.validator_for(payload | {"components": DOCUMENT["components"]}).validate(event)


@asynccontextmanager
async def reader(name: str, server: Server | None, kinds: str = "*") -> AsyncGenerator[Reader]:
    """Let an integrator in and read as it."""
    server_of = secured_nats()
    subjects = filter_of(kinds, None if server is None else server.id)
    await server_of.integrators.add(name, subjects, now_ms(), None)
    access = server_of.access(f"integrator-{name}")
    client = await nats.connect(server_of.url, **access.options())
    place = await client.jetstream().pull_subscribe_bind(consumer=name, stream="EVENTS")
    try:
        yield Reader(client, place)
    finally:
        await client.close()
        await server_of.integrators.revoke(name, now_ms())


def now_ms() -> int:
    import time

    return int(time.time() * 1_000)


async def provoke_everything(ada: Person, server: Server, channel: ChannelId) -> None:
    message = await ada.say(channel, "hello")
    path = f"/chat/channels/{channel}/messages/{message.id}"
    assert (await ada.send("PATCH", path, {"text": "hello, all"})).is_success
    assert (await ada.send("PUT", f"{path}/reactions/👍")).is_success
    assert (await ada.send("DELETE", path)).is_success
    assert (await ada.send("PATCH", f"/chat/servers/{server.id}", {"name": "The Inn"})).is_success


async def test_every_documented_kind_comes_and_is_what_the_document_says(
    platform: Platform,
) -> None:
    ada = await sign_up(platform, "Ada-everything")
    server = await ada.found()
    channel = await ada.place(server, "text")
    async with reader("everything", server) as integrator:
        await provoke_everything(ada, server, channel)
        seen: set[str] = set()
        while seen != set(DOCUMENT["channels"]):
            (event,) = await integrator.read(1)
            seen.add(event["event"]["type"])


async def test_what_is_private_is_not_told(platform: Platform) -> None:
    ada, ben = await sign_up(platform, "Ada-private"), await sign_up(platform, "Ben-private")
    server = await ada.found()
    await ada.let_in(ben, server)
    hidden = await ada.ask(
        "POST", f"/chat/servers/{server.id}/channels", Channel, {"name": "mods", "kind": "text"}
    )
    await ada.overwrite(hidden.id, str(server.id), deny=Permission.VIEW_CHANNEL)
    direct = await ada.ask("POST", "/chat/conversations", ServerState, {"users": [str(ben.user)]})
    open_channel = await ada.place(server, "text")
    async with reader("private", None, "message.sent") as integrator:
        await ada.say(hidden.id, "between moderators")
        await ada.say(direct.channels[0].id, "between us")
        await ada.say(open_channel, "to everybody")
        while True:
            (event,) = await integrator.read(1)
            text = event["event"]["message"]["text"]
            assert "between" not in text
            if text == "to everybody" and event["server"] == str(server.id):
                break


async def test_an_integrator_hears_only_what_it_was_let_in_to(platform: Platform) -> None:
    ada = await sign_up(platform, "Ada-filter")
    here, elsewhere = await ada.found("here"), await ada.found("elsewhere")
    async with reader("one-server", here, "message.sent") as integrator:
        await ada.say(await ada.place(elsewhere, "text"), "not for you")
        channel = await ada.place(here, "text")
        await provoke_everything(ada, here, channel)
        await ada.say(channel, "for you")
        texts = [e["event"]["message"]["text"] for e in await integrator.read(2)]
        assert texts == ["hello", "for you"]
        assert await integrator.nothing_more()


async def test_no_service_lacked_a_right(platform: Platform) -> None:
    """Told last: the stories above went through every service."""
    assert secured_nats().violations()[refused_before:] == []
