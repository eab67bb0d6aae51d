import asyncio
import random
from uuid import uuid4

import nats
import pytest
from nats.js.api import StreamConfig

from sidetone.bus import Journal
from sidetone.bus.facts_stream import STREAM
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.kept_follower import SILENT_SECONDS
from sidetone.protocol.events import Fact, InServer, ServerChanged
from sidetone.protocol.ids import FactId
from sidetone.protocol.refusals import Unavailable
from tests import engines
from tests.cable import MutedCable, cable, laid
from tests.contracts.listening import SERVER, Follower, fact
from tests.surroundings import open_nats_journal

# Far less than a follower takes to begin anew.
NOTICED_SECONDS_MAX = 0.4
# The client looks twice a second whether the server is there; a follower that waited until what it
# asked for is over, and then for the server to say that it knows nothing of it, would take longer.
BACK_SECONDS_MAX = 1.5


async def insist(journal: Journal, facts: list[Fact]) -> None:
    while True:
        try:
            await journal.record(facts)
        except Unavailable:
            await asyncio.sleep(0.02)
        else:
            return


async def test_a_follower_whose_cable_is_cut_misses_nothing() -> None:
    """The server goes on counting from where it believes the follower to be."""
    url = engines.nats_url()
    async with (
        cable(url) as (wire, far),
        open_nats_journal(url) as here,
        open_nats_journal(far) as there,
    ):
        follower = Follower()
        await there.follow(follower)
        for cut in range(3):
            start = 4_000 * cut
            facts = [fact(number) for number in range(start, start + 4_000)]
            recording = asyncio.create_task(record_in_parts(here, facts))
            await follower.wait_for_count(start + 500)
            await wire.cut()
            await recording
            await follower.wait_for_count(start + 4_000)
        assert follower.generations == list(range(12_000))


async def record_in_parts(journal: Journal, facts: list[Fact]) -> None:
    for start in range(0, len(facts), 500):
        await journal.record(facts[start : start + 500])


async def test_a_recorder_whose_cable_is_cut_repeats_nothing_and_keeps_the_order() -> None:
    url, chance = engines.nats_url(), random.Random(7)
    async with (
        cable(url) as (wire, far),
        open_nats_journal(far) as here,
        open_nats_journal(url) as there,
    ):
        follower = Follower()
        await there.follow(follower)

        async def cut_now_and_then() -> None:
            while True:
                await asyncio.sleep(chance.uniform(0.01, 0.1))
                await wire.cut()

        cutting = asyncio.create_task(cut_now_and_then())
        for start in range(0, 1_000, 100):
            await insist(here, [fact(start + number) for number in range(100)])
        cutting.cancel()
        await asyncio.gather(cutting, return_exceptions=True)
        assert await follower.wait_for(999) == list(range(1_000))


async def test_a_follower_that_is_not_told_that_its_time_is_over_is_not_deaf_meanwhile() -> None:
    """A client that goes to another gateway would be told again what it had heard before."""
    url = engines.nats_url()
    wire = MutedCable(url)
    async with laid(wire) as far, open_nats_journal(url) as here, open_nats_journal(far) as there:
        follower = Follower()
        await there.follow(follower)
        for number in range(4):
            await wire.muted.get()
            await here.record([fact(number)])
            async with asyncio.timeout(NOTICED_SECONDS_MAX):
                assert await follower.wait_for(number) == list(range(number + 1))


async def test_without_a_server_it_cannot_be_opened() -> None:
    with pytest.raises(Unavailable, match="no NATS server"):
        await NatsJournal.connect("nats://127.0.0.1:1")


async def test_what_cannot_be_read_hurts_no_follower() -> None:
    url = engines.nats_url()
    stranger = await nats.connect(url)
    async with open_nats_journal(url) as journal:
        follower = Follower()
        await journal.follow(follower)
        for garbage in (b"", b"\xc1", b"\x91" * 100_000):
            await stranger.jetstream().publish("facts.users", garbage)
        await journal.record([fact(1)])
        assert await follower.wait_for(1) == [1]
    await stranger.close()


async def test_a_fact_too_large_for_a_message_holds_nobody_up() -> None:
    too_large = Fact(
        FactId(uuid4()), InServer(SERVER), ServerChanged(SERVER, 2, gone=[SERVER] * 70_000)
    )
    async with open_nats_journal(engines.nats_url()) as journal:
        follower = Follower()
        await journal.follow(follower)
        await journal.record([fact(1), too_large, fact(3)])
        await journal.record([too_large])
        await journal.record([fact(4)])
        assert await follower.wait_for(4) == [1, 3, 4]


async def test_a_stream_that_takes_no_facts_refuses_them() -> None:
    """A full stream, or one that somebody gave other subjects, is told and not ignored."""
    with engines.start_nats() as engine:
        stranger = await nats.connect(engine.url)
        async with open_nats_journal(engine.url) as journal:
            streams = stranger.jetstream()
            await streams.delete_stream(STREAM)
            await streams.add_stream(StreamConfig(name=STREAM, subjects=["other.>"]))
            with pytest.raises(Unavailable, match="no stream takes facts"):
                await journal.record([fact(1)])
        await stranger.close()


async def test_a_follower_asks_anew_as_soon_as_a_killed_server_is_back() -> None:
    """What it had asked for died with the server, and the server's knowledge of its place too."""
    with engines.start_nats() as engine:
        async with open_nats_journal(engine.url) as here, open_nats_journal(engine.url) as there:
            follower = Follower()
            await there.follow(follower)
            for number in range(0, 6, 2):
                await here.record([fact(number)])
                await follower.wait_for(number)
                engine.kill()
                await asyncio.to_thread(engine.start)
                await insist(here, [fact(number + 1)])
                async with asyncio.timeout(BACK_SECONDS_MAX):
                    await follower.wait_for(number + 1)
            assert follower.generations == list(range(6))


async def test_a_follower_with_a_kept_place_asks_anew_as_soon_as_a_killed_server_is_back() -> None:
    with engines.start_nats() as engine:
        async with open_nats_journal(engine.url) as here, open_nats_journal(engine.url) as there:
            follower = Follower()
            await there.follow(follower, place="kept")
            await at_rest(engine.url, "kept")
            engine.kill()
            await asyncio.to_thread(engine.start)
            await insist(here, [fact(1)])
            async with asyncio.timeout(BACK_SECONDS_MAX):
                assert await follower.wait_for(1) == [1]


async def test_a_kept_place_is_shared_and_outlives_who_followed_from_it() -> None:
    url, place, follower = engines.nats_url(), f"kept-{uuid4().hex}", Follower()
    async with open_nats_journal(url) as here:
        async with open_nats_journal(url) as one, open_nats_journal(url) as other:
            await one.follow(follower, place=place)
            await other.follow(follower, place=place)
            await here.record([fact(number) for number in range(20)])
            await follower.wait_for(19)
            await at_rest(url, place)
        await at_rest(url, place, asked=False)
        await here.record([fact(number) for number in range(20, 25)])
        async with open_nats_journal(url) as later:
            await later.follow(follower, place=place)
            assert await follower.wait_for(24) == list(range(25))


async def test_what_a_dead_follower_had_is_told_to_the_next_one_and_long_work_is_not() -> None:
    url, place, follower = engines.nats_url(), f"kept-{uuid4().hex}", Follower()
    taken: asyncio.Queue[None] = asyncio.Queue()
    done = asyncio.Event()

    async def work(_: Fact) -> None:
        taken.put_nowait(None)
        await done.wait()

    async with open_nats_journal(url) as here:
        async with cable(url) as (_, far):
            dying = await NatsJournal.connect(far)
            await dying.follow(work, place=place)
            await at_rest(url, place)
            await here.record([fact(1)])
            await taken.get()
        async with open_nats_journal(url) as next_one, open_nats_journal(url) as other:
            await next_one.follow(work, place=place)
            async with asyncio.timeout(2 * SILENT_SECONDS):
                await taken.get()
            await other.follow(follower, place=place)
            await asyncio.sleep(1.5 * SILENT_SECONDS)
            assert follower.generations == []
            done.set()
            await here.record([fact(2)])
            await at_rest(url, place)
        await dying.close()
    assert follower.generations in ([], [2])


async def at_rest(url: str, place: str, *, asked: bool = True) -> None:
    """Return when all that was told at *place* is confirmed, and somebody asks there or nobody."""
    stranger = await nats.connect(url)
    while True:
        info = await stranger.jetstream().consumer_info(STREAM, place)
        if bool(info.num_waiting) == asked and not info.num_ack_pending:
            break
        await asyncio.sleep(0.01)
    await stranger.close()
