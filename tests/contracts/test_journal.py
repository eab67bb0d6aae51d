"""What every journal does, told once, between two ends of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from sidetone.bus import Journal
from sidetone.protocol.events import (
    Fact,
    InChannel,
    InServer,
    LoginEnded,
    ServerChanged,
    Services,
    ToUsers,
)
from sidetone.protocol.ids import ChannelId, FactId, LoginId, ServerId, UserId
from sidetone.protocol.refusals import Unavailable
from tests import engines
from tests.contracts.listening import SERVER, Follower, fact
from tests.surroundings import open_journals, open_nats_journal


class Ends:
    """Two ends of a journal: *here* and *there* may be two processes."""

    def __init__(self, here: Journal, there: Journal) -> None:
        self.here = here
        self.there = there


@pytest.fixture(params=["memory", "nats"])
async def ends(request: pytest.FixtureRequest) -> AsyncGenerator[Ends]:
    async with open_journals(request.param) as (here, there):
        yield Ends(here, there)


async def test_a_fact_comes_as_it_was_recorded(ends: Ends) -> None:
    told: asyncio.Queue[Fact] = asyncio.Queue()
    await ends.there.follow(told.put)
    user, channel = UserId(SERVER), ChannelId(SERVER)
    facts = [
        Fact(FactId(fact(0).id), audience, ServerChanged(SERVER, 3, gone=[SERVER]))
        for audience in (InServer(SERVER), InChannel(SERVER, channel), ToUsers([user]))
    ]
    facts.append(Fact(FactId(fact(0).id), Services(), LoginEnded(user, LoginId(SERVER))))
    await ends.here.record(facts)
    async with asyncio.timeout(30):
        assert [await told.get() for _ in facts] == facts


async def test_every_follower_gets_every_fact_in_order(ends: Ends) -> None:
    followers = [Follower() for _ in range(4)]
    for follower in followers[:2]:
        await ends.here.follow(follower)
    for follower in followers[2:]:
        await ends.there.follow(follower)
    for start in range(0, 2_000, 100):
        await ends.here.record([fact(generation) for generation in range(start, start + 100)])
    for follower in followers:
        assert await follower.wait_for(1_999) == list(range(2_000))


async def test_a_follower_hears_only_what_comes_after_it(ends: Ends) -> None:
    await ends.here.record([fact(1)])
    follower = Follower()
    await ends.there.follow(follower)
    await ends.here.record([fact(2)])
    assert await follower.wait_for(2) == [2]


async def test_who_wants_what_is_between_services_hears_nothing_else(ends: Ends) -> None:
    told: asyncio.Queue[Fact] = asyncio.Queue()
    await ends.there.follow(told.put, services_only=True)
    user = UserId(SERVER)
    endings = [
        Fact(fact(0).id, Services(), LoginEnded(user, LoginId(fact(0).id))) for _ in range(3)
    ]
    for ending in endings:
        await ends.here.record([fact(1), ending, fact(2)])
    async with asyncio.timeout(30):
        assert [await told.get() for _ in endings] == endings
    assert told.empty()


async def test_nothing_is_told_after_unsubscribing(ends: Ends) -> None:
    gone, present = Follower(), Follower()
    unsubscribe = await ends.there.follow(gone)
    await ends.there.follow(present)
    await ends.here.record([fact(1)])
    await gone.wait_for(1)
    await unsubscribe()
    await unsubscribe()
    await ends.here.record([fact(2)])
    await present.wait_for(2)
    assert gone.generations == [1]


async def test_a_repeat_is_left_out_whoever_records_it(ends: Ends) -> None:
    follower = Follower()
    await ends.there.follow(follower)
    facts = [fact(1), fact(2)]
    await ends.here.record(facts)
    await ends.there.record([*facts, fact(3)])
    await ends.here.record([facts[0], fact(4)])
    assert await follower.wait_for(4) == [1, 2, 3, 4]


async def test_recording_nothing_is_fine(ends: Ends) -> None:
    await ends.here.record([])


async def test_a_slow_follower_misses_nothing(ends: Ends) -> None:
    gate, slow = asyncio.Event(), Follower()

    async def wait_at_the_gate(told: Fact) -> None:
        await gate.wait()
        await slow(told)

    await ends.there.follow(wait_at_the_gate)
    recording = asyncio.create_task(ends.here.record([fact(number) for number in range(2_500)]))
    done, _ = await asyncio.wait([recording], timeout=0.2)
    # What is bounded in memory makes the recorder wait, what is on disk need not.
    assert not done or recording.exception() is None
    gate.set()
    await recording
    assert await slow.wait_for(2_499) == list(range(2_500))


async def test_a_follower_that_finds_a_store_away_gets_its_fact_again(ends: Ends) -> None:
    follower, refusals = Follower(), iter([Unavailable("database_unavailable", "away")])

    async def refuse_once(told: Fact) -> None:
        for refusal in refusals:
            raise refusal
        await follower(told)

    await ends.there.follow(refuse_once)
    await ends.here.record([fact(1), fact(2)])
    assert await follower.wait_for(2) == [1, 2]


async def test_a_bug_in_a_follower_costs_it_one_fact(
    ends: Ends, capsys: pytest.CaptureFixture[str]
) -> None:
    follower, well = Follower(), Follower()

    async def fail_first(told: Fact) -> None:
        if told.event == ServerChanged(SERVER, 1):
            raise ZeroDivisionError
        if told.event == ServerChanged(SERVER, 2):
            raise asyncio.CancelledError
        await follower(told)

    await ends.there.follow(fail_first)
    await ends.there.follow(well)
    await ends.here.record([fact(1), fact(2), fact(3)])
    assert await follower.wait_for(3) == [3]
    assert await well.wait_for(3) == [1, 2, 3]
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_facts_of_many_servers_keep_one_order_for_all(ends: Ends) -> None:
    heard: list[list[FactId]] = [[], []]
    last = fact(1)
    finished = asyncio.Event()

    def follower(own: list[FactId]) -> "FollowerOfIds":
        return FollowerOfIds(own, last.id, finished)

    await ends.here.follow(follower(heard[0]))
    await ends.there.follow(follower(heard[1]))

    async def record(end: Journal, server: int) -> None:
        id_ = ServerId(fact(server).id)
        for generation in range(20):
            change = ServerChanged(id_, generation)
            await end.record([Fact(fact(0).id, InServer(id_), change)])

    await asyncio.gather(*(record(end, n) for n in range(5) for end in (ends.here, ends.there)))
    await ends.here.record([last])
    async with asyncio.timeout(30):
        while not all(own and own[-1] == last.id for own in heard):
            await finished.wait()
            finished.clear()
    assert heard[0] == heard[1]
    assert len(set(heard[0])) == 201


class FollowerOfIds:
    """Writes down the ids it is told, until the last one."""

    def __init__(self, own: list[FactId], last: FactId, finished: asyncio.Event) -> None:
        self._own, self._last, self._finished = own, last, finished

    async def __call__(self, told: Fact) -> None:
        self._own.append(told.id)
        if told.id == self._last:
            self._finished.set()


async def test_a_killed_server_loses_nothing_that_was_recorded() -> None:
    """Recording goes on through three kills; each fact comes once per id, in order."""
    with engines.start_nats() as engine:
        async with AsyncExitStack() as stack:
            here = await stack.enter_async_context(open_nats_journal(engine.url))
            there = await stack.enter_async_context(open_nats_journal(engine.url))
            follower = Follower()
            await there.follow(follower)
            recorded = asyncio.Event()

            async def record_all() -> None:
                for start in range(0, 600, 3):
                    await insist(here, [fact(start + more) for more in range(3)])
                    recorded.set()

            recording = asyncio.create_task(record_all())
            for _ in range(3):
                recorded.clear()
                await recorded.wait()
                engine.kill()
                await asyncio.to_thread(engine.start)
            await recording
            assert await follower.wait_for(599) == list(range(600))


async def insist(journal: Journal, facts: list[Fact]) -> None:
    """Record until it is done, as the relay of an outbox does."""
    while True:
        try:
            await journal.record(facts)
        except Unavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def test_a_journal_without_a_server_refuses_at_once_and_recovers() -> None:
    with engines.start_nats() as engine:
        async with open_nats_journal(engine.url) as journal:
            follower = Follower()
            await journal.follow(follower)
            await journal.record([fact(1)])
            engine.kill()
            with pytest.raises(Unavailable):
                await journal.record([fact(2)])
            await asyncio.to_thread(engine.start)
            await insist(journal, [fact(3)])
            assert await follower.wait_for(3) == [1, 3]


async def test_a_stream_that_was_lost_is_made_anew_and_followed() -> None:
    with engines.start_nats() as engine:
        async with open_nats_journal(engine.url) as journal:
            follower = Follower()
            await journal.follow(follower)
            await journal.record([fact(number) for number in range(10)])
            await follower.wait_for(9)
            engine.kill()
            engine.wipe("jetstream")
            await asyncio.to_thread(engine.start)
            await insist(journal, [fact(10)])
            assert await follower.wait_for(10) == list(range(11))
