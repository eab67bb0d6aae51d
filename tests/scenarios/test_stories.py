"""What people do together, told once and run in every topology."""

import asyncio
from urllib.parse import urljoin

import msgspec
import pytest

from sidetone.permissions import Permission
from sidetone.protocol.calls import Call
from sidetone.protocol.events import (
    CallChanged,
    MessageSent,
    PresenceChanged,
    RelationshipChanged,
    ServerChanged,
    ServerClosed,
    ServerOpened,
    TypingStarted,
)
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.integrations import CreateWebhook, WebhookSecret
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import AuditCheck, AuditEntry, Channel, Server, ServerState
from tests.scenarios.conftest import Cast
from tests.scenarios.ears import Ears
from tests.scenarios.world import Person, code_of
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def tavern(cast: Cast) -> tuple[Server, ChannelId]:
    """Return a new server with Ada and Ben in it, and its channel to write in."""
    server = await cast.ada.found()
    await cast.ada.let_in(cast.ben, server)
    return server, await cast.ada.place(server, "text")


async def hears(ears: Ears, message: Message) -> MessageSent:
    return await ears.next(MessageSent, lambda sent: sent.message.id == message.id)


async def test_two_members_write_and_see_each_other_at_once(cast: Cast) -> None:
    server, channel = await tavern(cast)
    async with cast.ada.listening() as ada, cast.ben.listening() as ben:
        assert [one.id for one in ada.server(server).channels if one.kind == "text"] == [channel]
        first = await cast.ada.say(channel, "See you at eight?")
        second = await cast.ben.say(channel, "I bring the map", replica=1)
        for ears in (ada, ben):
            assert (await hears(ears, first)).message.text == "See you at eight?"
            assert (await hears(ears, second)).message.author == cast.ben.user
        await cast.ben.tell("POST", f"/chat/channels/{channel}/typing")
        assert (await ada.next(TypingStarted)).user == cast.ben.user
    read = [message.text for message in await cast.ben.history(channel)]
    assert read == ["I bring the map", "See you at eight?"]


async def test_a_retried_message_is_one_message(cast: Cast) -> None:
    _, channel = await tavern(cast)
    body = {"text": "once", "nonce": "n-1"}
    path = f"/chat/channels/{channel}/messages"
    answers = await asyncio.gather(
        *(cast.ada.send("POST", path, body, replica=number) for number in range(8))
    )
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [message.text for message in await cast.ben.history(channel)] == ["once"]


async def test_what_a_hidden_channel_holds_reaches_only_those_who_see_it(cast: Cast) -> None:
    server, channel = await tavern(cast)
    secret = await cast.ada.ask(
        "POST", f"/chat/servers/{server.id}/channels", Channel, {"name": "Plot", "kind": "text"}
    )
    await cast.ada.overwrite(secret.id, "everyone", deny=int(Permission.VIEW_CHANNEL))
    async with cast.ada.listening() as ada, cast.ben.listening() as ben:
        assert secret.id not in {one.id for one in ben.server(server).channels}
        whispered = await cast.ada.say(secret.id, "he must not know")
        await hears(ada, whispered)
        said = await cast.ada.say(channel, "hello all")
        heard = await ben.until(MessageSent, lambda sent: sent.message.id == said.id)
        assert b"he must not know" not in msgspec.json.encode(heard)
        assert str(secret.id).encode() not in msgspec.json.encode(heard)
        assert code_of(await cast.ben.send("GET", f"/chat/channels/{secret.id}/messages")) == (
            404,
            "channel_unknown",
        )
        # Let in, he is told of the channel, and then of what is written there.
        await cast.ada.overwrite(secret.id, cast.ben.user, allow=int(Permission.VIEW_CHANNEL))
        await ben.next(
            ServerChanged, lambda change: secret.id in {one.id for one in change.channels}
        )
        await hears(ben, await cast.ada.say(secret.id, "now he may"))


async def test_who_is_removed_while_connected_hears_nothing_more(cast: Cast) -> None:
    server, channel = await tavern(cast)
    async with cast.ada.listening() as ada, cast.ben.listening() as ben:
        await cast.ada.tell("DELETE", f"/chat/servers/{server.id}/members/{cast.ben.user}")
        await ben.next(ServerClosed, lambda closed: closed.server == server.id)
        await hears(ada, await cast.ada.say(channel, "he is gone"))
        assert code_of(await cast.ben.send("GET", f"/chat/channels/{channel}/messages"))[0] == 404
        await cast.ada.let_in(cast.ben, server)
        opened = await ben.next(ServerOpened)
        assert opened.state.server.id == server.id
        await hears(ben, await cast.ada.say(channel, "welcome back"))


async def test_a_conversation_of_two_rings_and_is_answered(cast: Cast) -> None:
    await befriend(cast.ada, cast.ben)
    talk = await cast.ada.ask(
        "POST", "/chat/conversations", ServerState, {"users": [cast.ben.user]}
    )
    (channel,) = talk.channels
    async with cast.ada.listening() as ada, cast.ben.listening() as ben:
        message = await cast.ada.say(channel.id, "do you have a minute?")
        await hears(ben, message)
        call = await cast.ada.ask("POST", f"/voice/channels/{channel.id}/call", Call)
        rung = await ben.next(CallChanged, lambda one: one.call.id == call.id)
        assert rung.call.channel == channel.id
        declined = await cast.ben.send("POST", f"/voice/calls/{call.id}/decline")
        assert declined.is_success, declined.text
        over = await ada.next(CallChanged, lambda one: one.call.ended_at_ms is not None)
        assert over.call.id == call.id
    assert code_of(await cast.eve.send("GET", f"/chat/conversations/{talk.server.id}"))[0] == 404


async def test_friends_see_each_other_come_and_change(cast: Cast) -> None:
    await befriend(cast.ada, cast.eve)
    async with cast.ada.listening() as ada:
        async with cast.eve.listening():
            online = await ada.next(PresenceChanged, lambda one: about(one, cast.eve.user))
            assert online.presence.status == "online"
            wish = {"status": "dnd", "text": "in a raid", "game": "Chess"}
            assert (await cast.eve.send("PUT", "/presence/me", wish)).is_success
            busy = await ada.next(PresenceChanged, lambda one: about(one, cast.eve.user))
            assert busy.presence.status == "dnd"
            assert (busy.presence.text, busy.presence.game) == ("in a raid", "Chess")
        gone = await ada.next(PresenceChanged, lambda one: about(one, cast.eve.user))
        assert gone.presence.status == "offline"


async def test_a_file_is_uploaded_sent_and_read_by_those_who_see_it(cast: Cast) -> None:
    _, channel = await tavern(cast)
    content = b"north, then twice left"
    wish = {
        "purpose": "attachment",
        "name": "map.txt",
        "media_type": "text/plain",
        "size_bytes": len(content),
    }
    ticket = (await cast.ada.send("POST", "/media/uploads", wish)).json()
    media = cast.platform.urls["media"][0]
    put = await cast.platform.http.put(
        urljoin(media, ticket["url"]), content=content, headers=ticket["headers"]
    )
    assert put.is_success, put.text
    file = await cast.ada.ask("POST", f"/media/uploads/{ticket['id']}/complete", File)
    body = {"text": "the way", "attachments": [file.id]}
    sent = await cast.ada.ask("POST", f"/chat/channels/{channel}/messages", Message, body)
    assert [one.id for one in sent.attachments] == [file.id]

    got = await cast.ben.send("GET", f"/media/files/{file.id}")
    assert (got.status_code, got.content) == (200, content)
    assert (await cast.eve.send("GET", f"/media/files/{file.id}")).status_code == 404
    assert [one.attachments for one in await cast.ben.history(channel)] == [sent.attachments]


async def test_what_was_written_is_found_again(cast: Cast) -> None:
    server, channel = await tavern(cast)
    sent = await cast.ada.say(channel, "the password of the vault is mellon")
    await cast.ada.say(channel, "nothing of note")

    async def found() -> bool:
        path = f"/chat/servers/{server.id}/search?q=mellon"
        page = await cast.ben.ask("GET", path, Page[Message])
        return [message.id for message in page.items] == [sent.id]

    await until(found)
    answer = await cast.eve.send("GET", f"/chat/servers/{server.id}/search?q=mellon")
    assert answer.status_code == 404


async def test_a_login_that_is_ended_is_out_everywhere(cast: Cast) -> None:
    dan = await cast.ada.platform.sign_in_again(cast.ada)
    async with dan.listening() as ears:
        answer = await cast.ada.send("DELETE", "/auth/logins")
        assert answer.status_code == 204, answer.text
        with pytest.raises(Exception, match="login"):
            await ears.next(MessageSent)

    async def refused() -> bool:
        return (await dan.send("GET", "/chat/servers")).status_code == 401

    await until(refused)
    assert (await cast.ada.send("GET", "/chat/servers")).status_code == 200


def about(event: PresenceChanged, user: UserId) -> bool:
    return event.presence.user == user


async def befriend(one: Person, other: Person) -> None:
    """Make the two friends, and wait until both have been told."""
    async with one.listening() as ears:
        for asker, asked in ((one, other), (other, one)):
            answer = await asker.send(
                "PUT", f"/presence/relationships/{asked.user}", {"kind": "friend"}
            )
            assert answer.is_success, answer.text
        relationships = {r.user: r.kind for r in ears.ready.relationships}
        if relationships.get(other.user) != "friend":
            await ears.next(RelationshipChanged, lambda told: told.relationship.kind == "friend")


async def test_who_sends_events_elsewhere_stands_in_the_audit_log(cast: Cast) -> None:
    server, _ = await tavern(cast)
    path = f"/integrations/servers/{server.id}/webhooks"
    wish = CreateWebhook("Archive", "https://archive.example/secret-path", ["message.*"])
    made = await cast.ada.ask("POST", path, WebhookSecret, wish)
    log = f"/chat/servers/{server.id}/audit-log"
    entries = (await cast.ada.ask("GET", log, Page[AuditEntry])).items
    (entry,) = (each for each in entries if each.action == "webhook.create")
    assert (entry.actor, entry.target) == (cast.ada.user, made.webhook.id)
    assert entry.after == {"name": "Archive", "host": "archive.example", "events": "message.*"}
    assert (await cast.ada.ask("GET", f"{log}/check", AuditCheck)).broken_at is None
