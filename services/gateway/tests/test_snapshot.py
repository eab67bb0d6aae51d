"""What a session begins with: one snapshot, as of one moment."""

import asyncio
from uuid import uuid4

from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import (
    InChannel,
)
from sidetone.protocol.frames import CloseCode, Identify
from sidetone.protocol.ids import ChannelId, DeviceId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.questions import ReadStatesOf, ServersOf
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.social import Presence, Relationship
from tests.gateway_listener import listening
from tests.gateway_stage import (
    Town,
    channel_in,
    gateway_stage,
    hidden_from,
    told_in,
)


async def test_ready_shows_what_the_user_may_see_and_nothing_else(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob, eve = (town.user(name) for name in ("ann", "bob", "eve"))
    server = town.server(ann, bob)
    town.server(eve)
    secret = channel_in(server.server.id, 1, hidden_from(server.server.id))
    await town.change(server, channels=[secret])
    town.relationships[bob] = [Relationship(eve, "friend", 0)]
    town.presences = {
        ann: Presence(ann, "dnd"),
        eve: Presence(eve, "idle"),
        bob: Presence(bob, "invisible"),
    }
    open_channel = next(iter(server.channels))
    town.read_states = [
        ReadState(ChannelId(channel), None, 1, 0) for channel in (open_channel, secret.id)
    ]
    town.voice_states = [
        VoiceState(ann, DeviceId(uuid4()), server.server.id, ChannelId(channel), False, False, 0)
        for channel in (open_channel, secret.id)
    ]
    async with listening(port) as client:
        ready = await client.ready(town.token(bob))
    assert [one.server.id for one in ready.servers] == [server.server.id]
    assert [channel.id for channel in ready.servers[0].channels] == [open_channel]
    assert ready.servers[0].generation == server.generation
    assert ready.me.id == bob
    assert {user.id for user in ready.users} == {bob, eve}
    assert {one.user: one.status for one in ready.presences} == {
        bob: "invisible",
        ann: "dnd",
        eve: "idle",
    }
    assert [one.channel for one in ready.read_states] == [open_channel]
    assert [one.channel for one in ready.voice_states] == [open_channel]


async def test_what_happens_during_the_snapshot_comes_after_it(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    server = town.server(ann)
    channel = ChannelId(next(iter(server.channels)))
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(_: ReadStatesOf) -> list[ReadState]:
        asked.set()
        await answer.wait()
        return []

    await town.around.bus.answer(ReadStatesOf, slowly)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        await asked.wait()
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        new = channel_in(server.server.id, 1)
        await town.change(server, channels=[new])
        await town.record(InChannel(server.server.id, new.id), told_in(new.id))
        answer.set()
        ready = await client.frame()
        assert {one.id for one in ready.servers[0].channels} == {channel, new.id}
        assert await client.event() == told_in(channel)
        assert await client.event() == told_in(new.id)


async def test_without_presence_and_voice_there_is_still_a_session() -> None:
    async with gateway_stage(with_people=False) as (town, port):
        ann = town.user("ann")
        town.server(ann)
        async with listening(port) as client:
            ready = await client.ready(town.token(ann))
        assert len(ready.servers) == 1
        assert ready.presences == [Presence(ann, "offline")]
        assert ready.relationships == ready.calls == ready.voice_states == []


async def test_without_chat_the_client_is_told_to_try_again(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")

    async def down(_: ServersOf) -> None:
        raise Unavailable("bus_down", "nobody answers")

    await town.around.bus.answer(ServersOf, down)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        assert await client.closed() == CloseCode.TRY_AGAIN
