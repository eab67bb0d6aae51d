import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.community import Community
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.protocol.servers import Server, ServerState
from sidetone.runtime.communities import Communities

OWNER = UserId(UUID(int=1))


def server_id(number: int) -> ServerId:
    return ServerId(UUID(int=1000 + number))


SERVER = server_id(0)


def named(name: str, server: ServerId = SERVER) -> Server:
    return Server(server, name, OWNER)


def changed(generation: int, server: ServerId = SERVER) -> ServerChanged:
    return ServerChanged(server, generation, now=named(f"name {generation}", server))


class Chat:
    """What chat holds; each question waits until the test lets it be answered."""

    def __init__(self) -> None:
        self.generation = 1
        self.asked = 0
        self.refusal: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.was_asked = asyncio.Event()

    async def describe(self, server: ServerId) -> ServerState:
        self.asked += 1
        self.was_asked.set()
        state = ServerState(
            named(f"name {self.generation}", server), self.generation, [], [], [], []
        )
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal
        return state


def shows(community: Community | None, generation: int) -> bool:
    return (
        community is not None
        and community.generation == generation
        and community.server.name == f"name {generation}"
    )


async def test_a_server_is_loaded_once_for_all_who_ask() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    first, *others = await asyncio.gather(*(communities.get(SERVER) for _ in range(5)))
    assert shows(first, 1)
    assert all(other is first for other in others)
    assert await communities.get(SERVER) is first
    assert communities.held(SERVER) is first
    assert chat.asked == 1


async def test_what_is_not_held_is_not_loaded_for_a_change() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.hear(changed(2))
    assert communities.held(SERVER) is None
    assert chat.asked == 0


async def test_the_next_change_is_applied_and_a_repeat_is_not() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    await communities.hear(changed(2))
    await communities.hear(changed(1))
    assert shows(communities.held(SERVER), 2)
    assert chat.asked == 1


async def test_after_a_gap_the_server_is_loaded_anew() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    chat.generation = 5
    await communities.hear(changed(4))
    assert shows(communities.held(SERVER), 5)
    assert chat.asked == 2


async def test_a_gap_that_cannot_be_filled_keeps_the_old_state_and_is_tried_again() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    chat.refusal = Unavailable("bus_down", "nobody answers")
    with pytest.raises(Unavailable):
        await communities.hear(changed(3))
    assert shows(communities.held(SERVER), 1)
    chat.refusal, chat.generation = None, 3
    await communities.hear(changed(3))
    assert shows(communities.held(SERVER), 3)


async def test_changes_that_overtake_the_loading_are_applied_after_it() -> None:
    chat = Chat()
    chat.open.clear()
    communities = Communities(chat.describe)
    getting = asyncio.create_task(communities.get(SERVER))
    await asyncio.sleep(0)
    for generation in (1, 2, 3):
        await communities.hear(changed(generation))
    chat.open.set()
    assert shows(await getting, 3)
    assert chat.asked == 1


async def test_a_change_beyond_what_was_loaded_means_another_load() -> None:
    chat = Chat()
    chat.open.clear()
    communities = Communities(chat.describe)
    getting = asyncio.create_task(communities.get(SERVER))
    await chat.was_asked.wait()
    await communities.hear(changed(7))
    chat.generation = 8
    chat.open.set()
    assert shows(await getting, 8)
    assert chat.asked == 2


async def test_a_loader_that_stays_behind_is_a_refusal_and_not_a_loop() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    with pytest.raises(Unavailable):
        await communities.hear(changed(9))
    assert chat.asked <= 10


async def test_a_deleted_server_is_dropped_also_while_it_is_loaded() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    await communities.hear(ServerChanged(SERVER, 2, deleted=True))
    assert communities.held(SERVER) is None

    chat.open.clear()
    getting = asyncio.create_task(communities.get(SERVER))
    await asyncio.sleep(0)
    await communities.hear(ServerChanged(SERVER, 2, deleted=True))
    chat.open.set()
    with pytest.raises(NotFound):
        await getting
    assert communities.held(SERVER) is None


async def test_a_server_that_is_gone_when_a_gap_is_filled_is_dropped() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    chat.refusal = NotFound("server_unknown", "there is no such server")
    await communities.hear(changed(3))
    assert communities.held(SERVER) is None


async def test_a_refused_load_is_told_to_all_who_wait_and_tried_again_afterwards() -> None:
    chat = Chat()
    chat.refusal = NotFound("server_unknown", "there is no such server")
    communities = Communities(chat.describe)
    answers = await asyncio.gather(
        *(communities.get(SERVER) for _ in range(3)), return_exceptions=True
    )
    assert all(isinstance(answer, NotFound) for answer in answers)
    chat.refusal = None
    assert shows(await communities.get(SERVER), 1)


async def test_who_gives_up_waiting_does_not_take_the_answer_from_others() -> None:
    chat = Chat()
    chat.open.clear()
    communities = Communities(chat.describe)
    impatient = asyncio.create_task(communities.get(SERVER))
    patient = asyncio.create_task(communities.get(SERVER))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    chat.open.set()
    assert shows(await patient, 1)


async def test_the_longest_unused_is_dropped_unless_it_is_in_use() -> None:
    chat = Chat()
    pinned = {server_id(0)}
    communities = Communities(chat.describe, kept_max=2, in_use=pinned.__contains__)
    for number in (0, 1, 2):
        await communities.get(server_id(number))
    assert communities.held(server_id(0)) is not None
    assert communities.held(server_id(1)) is None
    pinned |= {server_id(2), server_id(3)}
    await communities.get(server_id(3))
    assert all(communities.held(server_id(number)) is not None for number in (0, 2, 3))


async def test_forgetting_makes_the_next_who_asks_load() -> None:
    chat = Chat()
    communities = Communities(chat.describe)
    await communities.get(SERVER)
    communities.forget(SERVER)
    chat.generation = 2
    assert shows(await communities.get(SERVER), 2)


class Life:
    """Changes that are heard one after the other or lost, beside those who ask."""

    def __init__(self) -> None:
        self.chat = Chat()
        self.communities = Communities(self.chat.describe)
        self.running: list[asyncio.Task[None]] = []
        self._last: asyncio.Task[None] | None = None

    def lose(self) -> None:
        self.chat.generation += 1

    def repeat(self) -> None:
        self._last = asyncio.create_task(self._hear(self._last, changed(self.chat.generation)))
        self.running.append(self._last)

    def change(self) -> None:
        self.lose()
        self.repeat()

    def get(self) -> None:
        self.running.append(asyncio.create_task(self._get()))

    def hold_answers(self) -> None:
        self.chat.open.clear()

    def answer(self) -> None:
        self.chat.open.set()

    def wait(self) -> None:
        """Let a turn of the loop pass."""

    async def _hear(self, after: asyncio.Task[None] | None, change: ServerChanged) -> None:
        if after is not None:
            await after
        await self.communities.hear(change)

    async def _get(self) -> None:
        await self.communities.get(SERVER)


STEPS = [Life.lose, Life.repeat, Life.change, Life.get, Life.hold_answers, Life.answer, Life.wait]


@given(st.lists(st.sampled_from(STEPS)))
def test_whatever_is_lost_or_late_the_last_change_leaves_the_right_state(
    steps: list[Callable[[Life], None]],
) -> None:
    async def live() -> None:
        life = Life()
        for step in [Life.get, *steps, Life.change, Life.answer]:
            step(life)
            await asyncio.sleep(0)
        await asyncio.gather(*life.running)
        assert shows(life.communities.held(SERVER), life.chat.generation)

    asyncio.run(live())
