"""Where a call goes before anybody is in it, over both stores."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.voice.tests.stage import MovedClock, node, room
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.refusals import Unavailable
from sidetone.storage import KeyValue
from sidetone.storage.memory import MemoryKeyValue
from sidetone.voice.application.place_room import PlaceRoom
from sidetone.voice.domain.fleet import HEALTHY_MS, Fleet
from sidetone.voice.domain.placement import choose
from sidetone.voice.infrastructure.keyvalue import LEASE_SECONDS, KeyValuePlacements
from tests.surroundings import open_keyvalue

LOUNGE = room(42)
ONE, TWO, THREE = node(1), node(2), node(3)


@pytest.fixture(params=["memory", "valkey"])
async def store(request: pytest.FixtureRequest) -> AsyncGenerator[KeyValue]:
    async with open_keyvalue(request.param) as store:
        yield store


async def test_the_first_claim_holds_for_those_after_it(store: KeyValue) -> None:
    placements = KeyValuePlacements(store)
    assert await placements.claim(LOUNGE, TWO, [ONE, TWO]) is TWO
    assert await placements.claim(LOUNGE, ONE, [ONE, TWO]) is TWO
    assert await placements.claim(room(43), ONE, [ONE, TWO]) is ONE


async def test_services_that_claim_at_once_agree(store: KeyValue) -> None:
    services = [KeyValuePlacements(store) for _ in range(6)]
    wishes = [ONE, TWO, THREE] * 2
    given = await asyncio.gather(
        *[
            service.claim(LOUNGE, wanted, [ONE, TWO, THREE])
            for service, wanted in zip(services, wishes, strict=True)
        ]
    )
    assert len({one.node for one in given}) == 1


async def test_services_agree_on_who_comes_after_a_dead_unit(store: KeyValue) -> None:
    placements = KeyValuePlacements(store)
    await placements.claim(LOUNGE, ONE, [ONE, TWO, THREE])
    given = await asyncio.gather(
        *[placements.claim(LOUNGE, wanted, [TWO, THREE]) for wanted in [TWO, THREE] * 4]
    )
    assert len({one.node for one in given}) == 1
    # The next one may die as well.
    (left,) = {TWO.node, THREE.node} - {given[0].node}
    last = TWO if left == TWO.node else THREE
    assert await placements.claim(LOUNGE, last, [last]) is last


async def test_garbage_in_the_store_stops_nobody(store: KeyValue) -> None:
    await store.put(f"voice:room:{LOUNGE}", b"\xffgarbage of any length", 60)
    assert await KeyValuePlacements(store).claim(LOUNGE, ONE, [ONE]) is ONE


async def test_a_claim_renews_the_lease() -> None:
    now = [0.0]
    placements = KeyValuePlacements(MemoryKeyValue(lambda: now[0]))
    await placements.claim(LOUNGE, ONE, [ONE, TWO])
    now[0] += LEASE_SECONDS - 1
    assert await placements.claim(LOUNGE, TWO, [ONE, TWO]) is ONE
    now[0] += LEASE_SECONDS - 1
    assert await placements.claim(LOUNGE, TWO, [ONE, TWO]) is ONE
    now[0] += LEASE_SECONDS + 1
    assert await placements.claim(LOUNGE, TWO, [ONE, TWO]) is TWO


class LostStore:
    """A store that cannot be reached."""

    async def claim(self, *_: object) -> NodeAlive:
        raise Unavailable("store_unavailable", "planted")


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


async def test_the_unit_that_reports_a_room_wins_over_store_and_hash(clock: MovedClock) -> None:
    fleet = Fleet()
    store = MemoryKeyValue()
    place_room = PlaceRoom(fleet, KeyValuePlacements(store), clock)
    for one in (ONE, TWO, THREE):
        fleet.hear(one, clock.ms)
    given = await place_room(LOUNGE)
    other = next(one for one in (ONE, TWO, THREE) if one.node != given.node)
    holding = node(other.node, LOUNGE)
    fleet.hear(holding, clock.ms)
    assert await place_room(LOUNGE) == holding


async def test_without_the_store_services_still_agree(clock: MovedClock) -> None:
    fleet = Fleet()
    for one in (ONE, TWO, THREE):
        fleet.hear(one, clock.ms)
    place_room = PlaceRoom(fleet, LostStore(), clock)
    assert await place_room(LOUNGE) == choose(LOUNGE, [ONE, TWO, THREE])


async def test_without_a_unit_there_is_no_call(clock: MovedClock) -> None:
    fleet = Fleet()
    place_room = PlaceRoom(fleet, KeyValuePlacements(MemoryKeyValue()), clock)
    with pytest.raises(Unavailable, match="no_voice_node"):
        await place_room(LOUNGE)
    fleet.hear(ONE, clock.ms)
    assert await place_room(LOUNGE) == ONE
    clock.ms += HEALTHY_MS
    with pytest.raises(Unavailable, match="no_voice_node"):
        await place_room(LOUNGE)
