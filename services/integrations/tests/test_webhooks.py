"""What a server tells other programs: signed, until it arrives, and only to the internet."""

import asyncio
import hashlib
import hmac
import json
from uuid import UUID, uuid4

import pytest

from services.integrations.tests.receiver import Received
from services.integrations.tests.stage import Stage, problem
from sidetone.integrations.domain.webhook import ATTEMPTS_MAX, DELIVERIES_MAX
from sidetone.protocol.events import InChannel, InServer, MessageSent, ServerChanged, ToUsers
from sidetone.protocol.ids import ChannelId, MessageId, ServerId
from sidetone.protocol.messages import Message
from sidetone.protocol.servers import Channel
from tests.waiting import until

HOUR_MS = 3_600_000


def verified(received: Received, secret: str) -> dict[str, object]:
    """Return the body, whose signature is good."""
    parts = dict(part.split("=") for part in received.headers["sidetone-signature"].split(","))
    signed = f"{parts['t']}.".encode() + received.body
    wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(parts["v1"], wanted)
    return json.loads(received.body)


async def given_up(stage: Stage, webhook: str) -> list[dict[str, object]]:
    answer = await stage.send(stage.owner, "GET", f"/webhooks/{webhook}/deliveries")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def fail_until_given_up(stage: Stage, webhook: str) -> dict[str, object]:
    """Let time pass until the delivery is given up, and return it."""
    async with asyncio.timeout(20):
        while not (found := await given_up(stage, webhook)):
            stage.clock.offset_ms += 6 * HOUR_MS
            await asyncio.sleep(0.02)
    return found[0]


async def test_an_event_arrives_signed(stage: Stage) -> None:
    _, secret = await stage.hook()
    fact = await stage.say("hello")
    received = await stage.receiver.next()
    event = verified(received, secret)
    assert received.path == "/hook"
    assert received.headers["host"] == "games.example"
    assert event["id"] == str(fact.id)
    assert event["server"] == str(stage.server)
    assert event["event"]["message"]["text"] == "hello"  # type: ignore[index]


async def test_only_the_events_that_were_asked_for_arrive(stage: Stage) -> None:
    await stage.hook("message.edited", "reaction.*")
    _, secret = await stage.hook("server.*")
    await stage.say("not for them")
    await stage.change(channels=[Channel(stage.channel, stage.server, "great hall", "text")])
    received = await stage.receiver.next()
    assert verified(received, secret)["event"]["type"] == "server.changed"  # type: ignore[index]
    assert stage.receiver.received.empty()


async def test_what_does_not_arrive_is_tried_again(stage: Stage) -> None:
    webhook, secret = await stage.hook()
    stage.receiver.statuses = [500, 429]
    await stage.say("hello")
    first = await stage.receiver.next()
    bodies = {first.body}
    for _ in range(2):
        while stage.receiver.received.empty():
            stage.clock.offset_ms += 10_000
            await asyncio.sleep(0.02)
        again = await stage.receiver.next()
        bodies.add(again.body)
        assert again.headers["sidetone-delivery"] == first.headers["sidetone-delivery"]
        verified(again, secret)
    assert len(bodies) == 1
    assert await given_up(stage, webhook) == []


async def test_what_never_arrives_is_given_up_shown_and_sent_again(stage: Stage) -> None:
    webhook, _ = await stage.hook()
    stage.receiver.statuses = [503] * ATTEMPTS_MAX
    await stage.say("hello")
    delivery = await fail_until_given_up(stage, webhook)
    assert delivery["attempts"] == ATTEMPTS_MAX
    assert delivery["error"] == "it answered 503"
    assert delivery["event"]["event"]["message"]["text"] == "hello"  # type: ignore[index]
    while not stage.receiver.received.empty():
        stage.receiver.received.get_nowait()
    path = f"/webhooks/{webhook}/deliveries/{delivery['id']}/resend"
    assert (await stage.send(stage.owner, "POST", path)).status_code == 204
    assert (await stage.receiver.next()).headers["sidetone-delivery"] == delivery["id"]
    assert problem(await stage.send(stage.owner, "POST", path)) == (404, "delivery_unknown")


async def test_a_redirect_is_not_followed(embedded: Stage) -> None:
    webhook, _ = await embedded.hook()
    embedded.receiver.statuses = [302] * ATTEMPTS_MAX
    embedded.receiver.headers = "location: https://games.example/elsewhere\r\n"
    await embedded.say("hello")
    assert (await fail_until_given_up(embedded, webhook))["error"] == "it answered 302"
    paths = {embedded.receiver.received.get_nowait().path for _ in range(ATTEMPTS_MAX)}
    assert paths == {"/hook"}


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1"]
)
async def test_nothing_is_sent_inside(embedded: Stage, address: str) -> None:
    webhook, _ = await embedded.hook()
    embedded.receiver.addresses = ["93.184.216.34", address]
    await embedded.say("hello")
    assert (await fail_until_given_up(embedded, webhook))["error"] == "not a public host"
    assert embedded.receiver.received.empty()


@pytest.mark.parametrize(
    "url",
    [
        "http://games.example/hook",
        "https://games.example:8443/hook",
        "https://user:word@games.example/hook",
        "https:///hook",
        "https://games.example/hook#part",
        "https://games.example/a b",
        "ftp://games.example/",
        "https://[/",
        "",
        "https://games.example/" + "x" * 2_000,
    ],
)
async def test_an_address_is_checked(embedded: Stage, url: str) -> None:
    body = {"name": "games", "url": url}
    answer = await embedded.send(
        embedded.owner, "POST", f"/servers/{embedded.server}/webhooks", body
    )
    assert problem(answer) == (422, "url_unusable")


async def test_what_is_private_is_told_to_no_program(stage: Stage) -> None:
    await stage.hook()
    direct = ServerId(uuid4())
    stage.found(direct, "direct")
    channel = ChannelId(uuid4())
    message = Message(MessageId(uuid4()), direct, channel, stage.member, "between us")
    await stage.record(InChannel(direct, channel), MessageSent(message))
    await stage.record(ToUsers([stage.member]), MessageSent(message))
    await stage.record(InServer(direct), ServerChanged(direct, 2))
    await stage.say("between moderators", stage.hidden)
    last = await stage.say("to everybody")
    event = json.loads((await stage.receiver.next()).body)
    assert event["id"] == str(last.id)
    assert [kept.id for kept in stage.stream.events] == [last.id]


async def test_of_a_channel_that_becomes_hidden_nothing_is_told_but_that_it_is_gone(
    embedded: Stage,
) -> None:
    await embedded.hook("server.changed")
    community = embedded.communities[embedded.server]
    hidden = community.channels[embedded.hidden]
    await embedded.change(channels=[Channel(hidden.id, embedded.server, "secret plan", "text", 1,
                                         overwrites=hidden.overwrites)])  # fmt: skip
    received = await embedded.receiver.next()
    assert b"secret plan" not in received.body
    assert json.loads(received.body)["event"]["gone"] == [str(embedded.hidden)]


async def test_a_fact_that_is_heard_twice_is_sent_once(stage: Stage) -> None:
    await stage.hook()
    fact = await stage.say("once")
    await stage.receiver.next()
    # The journal leaves a repeat out within two minutes; what comes later is known by its id.
    await stage.around.journal.record([fact])
    last = await stage.say("then this")
    assert json.loads((await stage.receiver.next()).body)["id"] == str(last.id)


async def test_a_secret_is_changed_and_an_event_list_too(stage: Stage) -> None:
    webhook, old = await stage.hook()
    answer = await stage.send(stage.owner, "POST", f"/webhooks/{webhook}/secret")
    new = answer.json()["secret"]
    assert new != old
    await stage.say("hello")
    verified(await stage.receiver.next(), new)
    changed = await stage.send(
        stage.owner, "PATCH", f"/webhooks/{webhook}", {"events": ["server.changed"], "name": "x"}
    )
    assert changed.json()["events"] == ["server.changed"]
    listed = await stage.send(stage.owner, "GET", f"/servers/{stage.server}/webhooks")
    assert [each["name"] for each in listed.json()] == ["x"]
    assert "secret" not in listed.text


async def test_a_webhook_that_is_removed_hears_nothing(stage: Stage) -> None:
    webhook, _ = await stage.hook()
    assert (await stage.send(stage.owner, "DELETE", f"/webhooks/{webhook}")).status_code == 204
    await stage.hook()
    await stage.say("hello")
    await stage.receiver.next()
    assert stage.receiver.received.empty()
    again = await stage.send(stage.owner, "DELETE", f"/webhooks/{webhook}")
    assert problem(again) == (404, "webhook_unknown")


async def test_webhooks_go_with_their_server(stage: Stage) -> None:
    webhook, _ = await stage.hook("message.*")
    await stage.change(deleted=True)

    async def none_is_left() -> bool:
        return not await stage.around.database.fetch("SELECT id FROM webhooks", {})

    await until(none_is_left)
    path = f"/webhooks/{webhook}"
    assert problem(await stage.send(stage.owner, "DELETE", path)) == (404, "webhook_unknown")


async def test_who_may_not_manage_webhooks_learns_nothing(stage: Stage) -> None:
    webhook, _ = await stage.hook()
    body = {"name": "mine", "url": "https://games.example/"}
    for user, wanted in (
        (stage.member, (403, "permission_missing")),
        (stage.stranger, (404, "server_unknown")),
    ):
        path = f"/servers/{stage.server}/webhooks"
        assert problem(await stage.send(user, "POST", path, body)) == wanted
        assert problem(await stage.send(user, "GET", path)) == wanted
    for method, path in (
        ("PATCH", f"/webhooks/{webhook}"),
        ("DELETE", f"/webhooks/{webhook}"),
        ("POST", f"/webhooks/{webhook}/secret"),
        ("GET", f"/webhooks/{webhook}/deliveries"),
        ("POST", f"/webhooks/{webhook}/deliveries/{webhook}/resend"),
    ):
        data = {} if method == "PATCH" else None
        answer = await stage.send(stage.stranger, method, path, data)
        assert problem(answer) == (404, "webhook_unknown")


async def test_there_are_not_too_many(stage: Stage) -> None:
    for _ in range(15):
        await stage.hook()
    body = {"name": "one more", "url": "https://games.example/"}
    answer = await stage.send(stage.owner, "POST", f"/servers/{stage.server}/webhooks", body)
    assert problem(answer) == (409, "webhooks_too_many")
    # What was refused is no deed.
    assert len(stage.noted) == 15


async def test_a_conversation_has_none(embedded: Stage) -> None:
    direct = ServerId(uuid4())
    embedded.found(direct, "group")
    body = {"name": "spy", "url": "https://games.example/"}
    answer = await embedded.send(embedded.owner, "POST", f"/servers/{direct}/webhooks", body)
    assert problem(answer) == (409, "conversation_has_no_webhooks")


async def test_a_webhook_that_takes_nothing_has_a_bound(stage: Stage) -> None:
    webhook, _ = await stage.hook()
    stage.receiver.addresses = []
    rows = [
        {"id": uuid4(), "webhook": UUID(webhook), "fact": uuid4()} for _ in range(DELIVERIES_MAX)
    ]
    await stage.around.database.execute_many(
        """
        INSERT INTO deliveries (id, webhook, fact, event, attempts, error)
        VALUES (:id, :webhook, :fact, 'x', 9, 'away')
        """,
        rows,
    )
    await stage.say("one too many")
    # What comes after it was heard after it: then it was decided upon.
    last = await stage.change()
    async with asyncio.timeout(30):
        while last not in [kept.event for kept in stage.stream.events]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    count = "SELECT COUNT(*) FROM deliveries"
    assert (await stage.around.database.fetch(count, {}))[0][0] == DELIVERIES_MAX


async def test_every_change_is_noted_before_it_is_done(stage: Stage) -> None:
    webhook, secret = await stage.hook("message.*")
    changed = {"name": "Archive", "url": "https://other.example/hook?token=abc"}
    for method, path, body in (
        ("PATCH", f"/webhooks/{webhook}", changed),
        ("PATCH", f"/webhooks/{webhook}", changed),
        ("POST", f"/webhooks/{webhook}/secret", None),
        ("DELETE", f"/webhooks/{webhook}", None),
    ):
        answer = await stage.send(stage.owner, method, path, body)
        assert answer.is_success, answer.text
    assert [each.action for each in stage.noted] == [
        "webhook.create",
        "webhook.edit",
        "webhook.new_secret",
        "webhook.delete",
    ]
    assert {(each.server, each.actor, str(each.target)) for each in stage.noted} == {
        (stage.server, stage.owner, webhook)
    }
    assert stage.noted[1].after == {
        "name": "Archive",
        "host": "other.example",
        "events": "message.*",
    }
    told = str(stage.noted)
    assert secret not in told
    assert "token=abc" not in told
