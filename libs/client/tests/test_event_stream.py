import asyncio

from sidetone.client.event_stream import EventHub
from sidetone.client.events import CallEnded, EpochStarted, Reconnected


async def test_every_reader_gets_what_follows_its_opening() -> None:
    hub = EventHub()
    early = hub.open()
    hub.publish(Reconnected())
    late = hub.open()
    hub.publish(CallEnded("left", "bye"))
    hub.end()
    assert [event async for event in early] == [Reconnected(), CallEnded("left", "bye")]
    assert [event async for event in late] == [CallEnded("left", "bye")]


async def test_a_slow_reader_loses_the_oldest_and_delays_nobody() -> None:
    hub = EventHub()
    slow = hub.open()
    for epoch in range(10_000):
        hub.publish(EpochStarted(epoch, ""))
    hub.end()
    kept = [event async for event in slow]
    assert len(kept) == 256
    assert kept[-1] == EpochStarted(9_999, "")


async def test_a_waiting_reader_is_woken_by_the_end() -> None:
    hub = EventHub()
    stream = hub.open()
    reader = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    hub.end()
    assert await reader is None
    assert [event async for event in hub.open()] == []


async def test_a_closed_stream_gets_nothing_more() -> None:
    hub = EventHub()
    stream = hub.open()
    hub.close(stream)
    hub.publish(Reconnected())
    stream.end()
    assert [event async for event in stream] == []
