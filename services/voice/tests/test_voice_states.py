"""Who is in which voice channel, from what units tell to what everybody sees."""

import asyncio

from services.voice.tests.stage import Stage, open_stage
from sidetone.protocol.events import InChannel
from sidetone.protocol.questions import VoiceStatesIn


async def test_coming_talking_and_going_is_told(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben)
    signal = await asyncio.wait_for(stage.signals.get(), 20)
    assert signal.audience == InChannel(stage.server, stage.lounge)
    state = signal.event.state  # pyright: ignore[reportAttributeAccessIssue]
    assert (state.user, state.muted) == (stage.ben, False)
    assert await stage.around.bus.ask(VoiceStatesIn([stage.server])) == [state]
    assert await stage.around.bus.ask(VoiceStatesIn([stage.group])) == []
    await stage.inside(stage.lounge, stage.ben, muted=True)
    user, muted = await stage.state()
    assert muted is not None
    assert (user, muted.muted, muted.since_ms) == (stage.ben, True, state.since_ms)
    await stage.inside(stage.lounge)
    assert await stage.state() == (stage.ben, None)
    assert await stage.around.bus.ask(VoiceStatesIn([stage.server])) == []


async def test_a_lost_unit_empties_its_rooms(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben, unit=1)
    await stage.inside(stage.hall, stage.eve, unit=2)
    assert {(await stage.state())[0] for _ in range(2)} == {stage.ben, stage.eve}
    stage.lose(1)
    assert await stage.state() == (stage.ben, None)
    (left,) = await stage.around.bus.ask(VoiceStatesIn([stage.server]))
    assert left.user == stage.eve


async def test_a_room_that_moves_to_another_unit_is_no_news(stage: Stage) -> None:
    await stage.inside(stage.lounge, stage.ben, unit=1)
    await stage.state()
    await stage.inside(stage.lounge, stage.ben, unit=2)
    stage.lose(1)
    await asyncio.sleep(3)
    assert stage.signals.empty()


async def test_two_replicas_tell_a_change_once() -> None:
    async with open_stage("embedded", replicas=2) as stage:
        for users in ((stage.ben,), (stage.ben, stage.eve), ()):
            await stage.inside(stage.lounge, *users)
            await asyncio.sleep(0.5)
        told = [await stage.state() for _ in range(4)]
        assert {user for user, state in told if state is not None} == {stage.ben, stage.eve}
        assert {user for user, state in told if state is None} == {stage.ben, stage.eve}
        await asyncio.sleep(0.3)
        assert stage.signals.empty()
