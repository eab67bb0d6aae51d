import asyncio
from contextlib import AsyncExitStack

import pytest

from libs.client.tests.networks import Relay
from libs.client.tests.stage import Home, in_step, pitch, saying, tone
from sidetone.client import events
from sidetone.client.recording import Recording
from sidetone.e2ee import actions
from tests.waiting import until


async def test_a_drained_node_hands_the_call_over(home: Home) -> None:
    async with AsyncExitStack() as stack:
        old = await stack.enter_async_context(home.unit())
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        call_a = await stack.enter_async_context(ada.join_voice(lounge.id))
        call_b = await stack.enter_async_context(ben.join_voice(lounge.id))
        await in_step(call_a, call_b)
        told = call_b.events()
        async with home.unit(), saying(call_a):
            await call_b.heard(ada.user.id)
            await old.drain()
            await until(lambda: call_b.stats().reconnects > 0)
            await asyncio.wait_for(call_b.heard(ada.user.id), 15)
            await in_step(call_a, call_b)
            await call_a.leave()
            await call_b.leave()
        kinds = [type(event) async for event in told]
        assert kinds.index(events.Reconnecting) < kinds.index(events.Reconnected)
        assert events.CallEnded in kinds


async def test_a_killed_node_is_replaced_without_anybody_doing_anything(home: Home) -> None:
    async with AsyncExitStack() as stack:
        child, port = await stack.enter_async_context(home.child_unit())
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        call_a = await stack.enter_async_context(ada.join_voice(lounge.id))
        call_b = await stack.enter_async_context(ben.join_voice(lounge.id))
        await in_step(call_a, call_b)
        async with saying(call_a):
            await call_b.heard(ada.user.id)
            child.kill()
            await stack.enter_async_context(home.child_unit(port))
            await asyncio.wait_for(call_b.wait_for(events.Reconnected), 20)
            await asyncio.wait_for(call_b.heard(ada.user.id), 10)
            await in_step(call_a, call_b)
        await call_a.leave()
        await call_b.leave()


async def test_a_lost_network_brings_the_call_back_by_itself(home: Home) -> None:
    relays: list[Relay] = []

    def route(host: str, port: int) -> tuple[str, int]:
        return relays[-1].address

    async with home.unit() as unit:
        ada = await home.client()
        ben = await home.client(route=route)
        lounge = await home.lounge(ada, ben)
        relays.append(await Relay.open(("127.0.0.1", unit.port)))
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            call_b.set_muted(True)
            async with saying(call_a):
                await call_b.heard(ada.user.id)
                relays.append(await Relay.open(("127.0.0.1", unit.port)))
                relays[0].cut = True
                await asyncio.wait_for(call_b.wait_for(events.Reconnected), 10)
                await asyncio.wait_for(call_b.heard(ada.user.id), 10)
                await in_step(call_a, call_b)
            assert [peer.user for peer in call_b.peers] == [ada.user.id]
            await until(lambda: call_a.peers[0].muted)
    for relay in relays:
        relay.close()


async def test_a_call_lives_on_a_lossy_network(home: Home) -> None:
    relays: list[Relay] = []

    def route(host: str, port: int) -> tuple[str, int]:
        return relays[0].address

    async with home.unit() as unit:
        ada = await home.client()
        ben = await home.client(route=route)
        lounge = await home.lounge(ada, ben)
        relays.append(await Relay.open(("127.0.0.1", unit.port), loss=0.15, seed=7))
        heard = Recording()
        async with (
            ada.join_voice(lounge.id, hear=heard) as call_a,
            ben.join_voice(lounge.id) as call_b,
        ):
            await in_step(call_a, call_b)
            await call_b.play(tone(440, 3))
            await until(lambda: len(heard.of(ben.user.id)) > 250)
            assert call_b.stats().reconnects == 0
            assert call_b.stats().datagrams_dropped == 0
            assert relays[0].dropped > 0
        relays[0].close()
    assert pitch(heard.of(ben.user.id)) == pytest.approx(440, abs=6)


async def test_a_renewed_grant_changes_the_leaf_and_nobody_notices(home: Home) -> None:
    async with home.unit():
        ada, ben = await home.client(), await home.client()
        lounge = await home.lounge(ada, ben)
        async with ada.join_voice(lounge.id) as call_a, ben.join_voice(lounge.id) as call_b:
            await in_step(call_a, call_b)
            epoch = call_a.epoch
            told = call_b.events()
            async with saying(call_a):
                call_a._inside.on_group(actions.GrantWanted())
                await until(lambda: call_a.epoch != epoch)
                await in_step(call_a, call_b)
                await asyncio.wait_for(call_b.heard(ada.user.id), 10)
            await call_b.leave()
        kinds = {type(event) async for event in told}
        assert not kinds & {events.PeerLeft, events.PeerJoined, events.Reconnecting}
