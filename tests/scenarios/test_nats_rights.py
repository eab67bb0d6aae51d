"""What users of the NATS server may not do, tried with their own credentials."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js.errors import NotFoundError

from sidetone.all_in_one.commands.service import SERVICES
from sidetone.all_in_one.nats_config.folder import (
    HTTP_SERVICES,
    INDEXER,
    PUBLISHER,
    service_grants,
)
from sidetone.bus.access import Access
from sidetone.bus.events_stream import NatsEvents
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import FactId, ServerId
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.start import StartError
from tests.secured_nats import SecuredNats, secured_nats, start_secured_nats
from tests.waiting import until

CLOCK = SystemClock()


@asynccontextmanager
async def signed_in(server: SecuredNats, name: str) -> AsyncGenerator[tuple[Client, list[str]]]:
    """Connect as user *name*; the list takes what the server says no to."""
    async with connected(server.url, server.access(name)) as signed:
        yield signed


@asynccontextmanager
async def connected(url: str, access: Access) -> AsyncGenerator[tuple[Client, list[str]]]:
    """Connect once, and leave no socket behind, whoever ends it and however early."""
    refused: list[str] = []
    closed = asyncio.Event()

    async def note(error: Exception) -> None:
        refused.append(str(error).lower())

    async def end() -> None:
        closed.set()

    client = Client()
    try:
        await client.connect(
            url, error_cb=note, closed_cb=end, allow_reconnect=False, **access.options()
        )
        yield client, refused
    finally:
        await client.close()
        async with asyncio.timeout(30):
            await closed.wait()


@asynccontextmanager
async def integrator(name: str) -> AsyncGenerator[tuple[Client, list[str]]]:
    server = secured_nats()
    await server.integrators.add(name, "events.*.message.*", CLOCK.now_ms(), None)
    async with signed_in(server, f"integrator-{name}") as signed:
        yield signed
    await server.integrators.revoke(name, CLOCK.now_ms())


async def signed_in_again_and_again(server: SecuredNats, user: str) -> NoReturn:
    async with asyncio.timeout(30):
        while True:
            async with signed_in(server, user):
                pass


def an_event() -> PublicEvent:
    server = ServerId(CLOCK.new_id())
    return PublicEvent(FactId(CLOCK.new_id()), server, CLOCK.now_ms(), ServerChanged(server, 1))


async def kept(*events: PublicEvent) -> None:
    server = secured_nats()
    stream = await NatsEvents.connect(server.url, server.access(PUBLISHER))
    try:
        for event in events:
            await stream.keep(event)
    finally:
        await stream.close()


@pytest.mark.parametrize(
    "subject",
    [
        "events.x.message.sent",
        "facts.users",
        "signals",
        "chat.what_may_user_do",
        "$JS.API.STREAM.DELETE.EVENTS",
        "$JS.API.STREAM.PURGE.EVENTS",
        "$JS.API.STREAM.CREATE.MINE",
        "$JS.API.STREAM.INFO.EVENTS",
        "$JS.API.STREAM.MSG.GET.EVENTS",
        "$JS.API.DIRECT.GET.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS",
        "$JS.API.CONSUMER.CREATE.EVENTS.mine.events.>",
        "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.mine",
        "$JS.API.CONSUMER.DELETE.EVENTS.publishes",
        "$JS.API.CONSUMER.MSG.NEXT.EVENTS.another",
        "$JS.ACK.EVENTS.another.1.1.1.1.0",
        "$SYS.REQ.CLAIMS.UPDATE",
        "_INBOX.integrator-other.x",
    ],
)
async def test_an_integrator_publishes_nothing(subject: str) -> None:
    async with integrator("publishes") as (client, refused):
        await client.publish(subject, b"{}")
        await until(lambda: bool(refused))
        assert f'permissions violation for publish to "{subject.lower()}"' in refused[0]


@pytest.mark.parametrize(
    "subject",
    [
        ">",
        "events.>",
        "events.*.message.sent",
        "facts.>",
        "signals",
        "$SYS.>",
        "$JS.>",
        "_INBOX.>",
        "_INBOX.publisher.>",
        "_INBOX.*.>",
    ],
)
async def test_an_integrator_listens_nowhere_but_in_its_inbox(subject: str) -> None:
    async with integrator("listens") as (client, refused):
        await client.subscribe(subject)
        await until(lambda: bool(refused))
        assert f'permissions violation for subscription to "{subject.lower()}"' in refused[0]


async def test_a_service_reads_no_other_inbox_and_answers_no_other_question() -> None:
    server = secured_nats()
    async with signed_in(server, "media") as (client, refused):
        for subject in ("_INBOX.chat.>", "auth.token_keys", "facts.>", "events.>"):
            await client.subscribe(subject)
        for subject in ("facts.users", "voice.rights", "$JS.API.STREAM.DELETE.FACTS"):
            await client.publish(subject, b"")
        await until(lambda: len(refused) == 7)


async def test_accounts_do_not_hear_each_other() -> None:
    """The stream of facts does not exist for those who look after integrators."""
    server = secured_nats()
    journal = await NatsJournal.connect(server.url, server.access("chat"))
    await journal.close()
    async with signed_in(server, PUBLISHER) as (client, _):
        await kept(an_event())
        assert (await client.jetstream().stream_info("EVENTS")).config.name == "EVENTS"
        with pytest.raises((Error, NotFoundError)):
            await client.jetstream(timeout=0.5).stream_info("FACTS")


async def test_the_stream_cannot_be_emptied_even_by_its_writer() -> None:
    async with signed_in(secured_nats(), PUBLISHER) as (client, refused):
        for what in ("DELETE", "PURGE", "UPDATE", "MSG.DELETE"):
            await client.publish(f"$JS.API.STREAM.{what}.EVENTS", b"{}")
        await until(lambda: len(refused) == 4)


async def test_who_is_revoked_is_out_at_once_and_stays_out() -> None:
    server = secured_nats()
    await server.integrators.add("leaves", "events.>", CLOCK.now_ms(), None)
    access = server.access("integrator-leaves")
    credentials = server.folder.credentials_of("integrator-leaves").read_text()
    async with connected(server.url, access) as (client, _):
        await server.integrators.revoke("leaves", CLOCK.now_ms())
        await until(lambda: client.is_closed)
    again = server.folder.path / "again.creds"
    again.write_text(credentials)
    with pytest.raises(Error):
        async with connected(server.url, access._replace(credentials=again)):
            pass


async def test_credentials_end_when_they_said_they_would() -> None:
    server = secured_nats()
    until_ms = (int(time.time()) + 2) * 1_000
    await server.integrators.add("short", "events.>", CLOCK.now_ms(), until_ms)
    async with signed_in(server, "integrator-short") as (client, _):
        await until(lambda: client.is_closed)
    # The server counts whole seconds, and may take the credentials until the next one.
    with pytest.raises(Error):
        await signed_in_again_and_again(server, "integrator-short")
    (short,) = [each for each in server.integrators.all() if each.name == "short"]
    assert short.state(until_ms) == "expired"


async def test_a_place_is_set_back_to_hear_again() -> None:
    server = secured_nats()
    await server.integrators.add("again", "events.>", CLOCK.now_ms(), None)
    before_ms = CLOCK.now_ms()
    event = an_event()
    await kept(event)
    async with signed_in(server, "integrator-again") as (client, _):
        for _ in range(2):
            place = await client.jetstream().pull_subscribe_bind(consumer="again", stream="EVENTS")
            ids: list[str] = []
            while str(event.id) not in ids:
                (message,) = await place.fetch(1, timeout=5)
                ids.append(json.loads(message.data)["id"])
                await message.ack_sync()
            await server.integrators.replay("again", before_ms)


async def test_an_event_is_kept_once() -> None:
    server = secured_nats()
    event = an_event()
    await kept(event, event)
    async with signed_in(server, PUBLISHER) as (client, _):
        stream = client.jetstream()
        before = (await stream.stream_info("EVENTS")).state.messages
        await kept(event)
        assert (await stream.stream_info("EVENTS")).state.messages == before


async def test_names_and_filters_are_checked() -> None:
    integrators = secured_nats().integrators
    for name in ("", "Two Words", "revoked", "../chat"):
        with pytest.raises(StartError, match="no name"):
            await integrators.add(name, "events.>", CLOCK.now_ms(), None)


async def test_integrators_and_services_survive_a_restart_of_the_server() -> None:
    server = start_secured_nats()
    with server.engine:
        await server.integrators.add("stays", "events.>", CLOCK.now_ms(), None)
        await server.integrators.add("goes", "events.>", CLOCK.now_ms(), None)
        gone = server.access("integrator-goes")
        gone_file = server.folder.credentials_of("integrator-goes").read_text()
        await server.integrators.revoke("goes", CLOCK.now_ms())
        server.engine.kill()
        server.engine.start()
        async with signed_in(server, "integrator-stays") as (client, _):
            place = client.jetstream()
            assert (await place.consumer_info("EVENTS", "stays")).name == "stays"
        server.folder.credentials_of("integrator-goes").write_text(gone_file)
        with pytest.raises(Error):
            async with connected(server.url, gone):
                pass


async def test_without_credentials_nobody_comes_in() -> None:
    server = secured_nats()
    access = server.access("chat")
    with pytest.raises(Unavailable, match="lets us in"):
        await NatsBus.connect(server.url, access=access._replace(credentials=None))
    with pytest.raises(Unavailable, match="lets us in"):
        await NatsBus.connect(server.url, access=access._replace(ca=None))
    with pytest.raises(Unavailable, match="cannot be used"):
        await NatsBus.connect(server.url, access=access._replace(credentials=access.ca))


def test_a_service_may_say_what_its_code_says_and_no_more() -> None:
    assert {*HTTP_SERVICES, INDEXER} == {*SERVICES}
    grants = service_grants()
    assert "chat.what_may_user_do" in grants["chat"].subscribe
    assert "chat.what_may_user_do" in grants["media"].publish
    assert "chat.what_may_user_do" not in grants["sfu"].publish
    assert grants["sfu"].publish == [
        "voice.brief_node",
        "voice.node_alive",
        "voice.node_lost",
        "voice.room_changed",
    ]
    everything = [
        subject
        for grant in grants.values()
        for subject in (*grant.publish, *grant.subscribe)
        if subject in {">", "*", "$JS.>", "$JS.API.>", "_INBOX.>"} or "DELETE" in subject
    ]
    assert everything == []
