"""What clients may do at the door, and what happens to those who do something else."""

from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import InvalidStatus

from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.events import (
    SessionClosed,
)
from sidetone.protocol.frames import CloseCode, Heartbeat, Identify
from tests.gateway_listener import listening
from tests.gateway_stage import Town, following, gateway_stage


async def test_who_says_nothing_is_sent_away() -> None:
    async with gateway_stage(policy=Policy(identify_ms=200, silence_ms=400)) as (town, port):
        ann = town.user("ann")
        async with listening(port) as client:
            assert await client.closed() == CloseCode.IDENTIFY_LATE
        async with listening(port) as client:
            await client.ready(town.token(ann))
            assert await client.closed() == CloseCode.SILENT


async def test_a_page_of_another_origin_may_not_connect() -> None:
    policy = Policy(origins=["https://app.example"])
    async with gateway_stage(policy=policy) as (_, port):
        async with listening(port, origin="https://evil.example") as client:
            assert await client.closed() == CloseCode.ORIGIN_REFUSED
        for origin in ("https://app.example", f"http://127.0.0.1:{port}"):
            async with listening(port, origin=origin) as client:
                await client.hello()


@pytest.mark.parametrize("path", ["/", "/gateway/", "/chat/servers"])
async def test_there_is_one_path(embedded: tuple[Town, int], path: str) -> None:
    _, port = embedded
    with pytest.raises(InvalidStatus) as caught:
        async with listening(port, path):
            pass
    assert caught.value.response.status_code == 404


async def test_garbage_is_a_violation_and_hurts_nobody_else(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as good:
        await good.ready(town.token(ann))
        for garbage in ("", "{", "[]", '{"op":"dispatch"}', '{"op":"identify"}', b"\x00"):
            async with listening(port) as bad:
                await bad.hello()
                await bad.socket.send(garbage)
                assert await bad.closed() == CloseCode.PROTOCOL_VIOLATION
        async with listening(port) as bad:
            await bad.hello()
            await bad.socket.send("x" * 70_000)
            assert await bad.closed() == 1009
        await good.hears_nothing()


async def test_a_frame_in_parts_is_one_frame(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as client:
        await client.hello()
        await client.socket.send(['{"op":"identify",', f'"token":"{town.token(ann)}"', "}"])
        assert (await client.frame()).me.id == ann


async def test_a_flood_of_frames_is_stopped(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as client:
        await client.ready(town.token(ann))
        for _ in range(200):
            await client.say(Heartbeat(0))
        assert await client.closed() == CloseCode.TOO_FAST


async def test_a_user_has_so_many_sessions_and_one_that_is_away_makes_room() -> None:
    async with gateway_stage(policy=Policy(sessions_per_user=2)) as (town, port):
        ann = town.user("ann")
        gone = await following(town.around.bus, SessionClosed)
        async with listening(port) as one, listening(port) as two, listening(port) as three:
            await one.ready(town.token(ann))
            await two.ready(town.token(ann))
            await three.hello()
            await three.say(Identify(town.token(ann)))
            assert await three.closed() == CloseCode.TOO_MANY_SESSIONS
            await two.drop()
            await gone.get()
            async with listening(port) as four:
                await four.ready(town.token(ann))
            await one.hears_nothing()


async def test_who_waits_at_the_door_without_a_name_does_not_block_it() -> None:
    async with gateway_stage(policy=Policy(greetings_per_address=2)) as (town, port):
        ann = town.user("ann")
        async with listening(port) as one, listening(port):
            with pytest.raises(InvalidStatus) as caught:
                async with listening(port):
                    pass
            assert caught.value.response.status_code == 429
            await one.ready(town.token(ann))
            async with listening(port) as three:
                await three.ready(town.token(ann))


async def test_a_restart_is_told_to_all() -> None:
    async with AsyncExitStack() as stack:
        async with gateway_stage() as (town, port):
            client = await stack.enter_async_context(listening(port))
            await client.ready(town.token(town.user("ann")))
        assert await client.closed() == CloseCode.RESTARTING
