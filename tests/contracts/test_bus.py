"""What every bus does, told once, between two ends of it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from sidetone.bus import Bus
from sidetone.protocol.events import NodeAlive, SessionClosed, VoiceRights
from sidetone.protocol.ids import (
    ChannelId,
    DeviceId,
    NodeId,
    RoleId,
    ServerId,
    SessionId,
    UserId,
)
from sidetone.protocol.questions import (
    Briefing,
    BriefNode,
    ChannelRights,
    DescribeServer,
    IssueGrant,
    WhatMayUserDo,
)
from sidetone.protocol.refusals import NotFound, RateLimited, Refusal, Unavailable
from sidetone.protocol.servers import Member, Server, ServerState
from tests.surroundings import BusKind, open_buses, open_children_of, open_local_buses

CHANNEL, USER = ChannelId(UUID(int=1)), UserId(UUID(int=2))
QUESTION = WhatMayUserDo(user=USER, channel=CHANNEL)

KINDS = (
    "memory",
    "nats",
    "child to parent",
    "parent to child",
    "child to child",
    "child to nats",
    "nats to child",
)


class Ends:
    """Two ends of a bus: *here* and *there* may be two processes."""

    def __init__(self, here: Bus, there: Bus) -> None:
        self.here = here
        self.there = there


@pytest.fixture(params=KINDS)
async def ends(request: pytest.FixtureRequest) -> AsyncGenerator[Ends]:
    kind: str = request.param
    async with AsyncExitStack() as stack:
        if kind in {"memory", "nats"}:
            here, there = await stack.enter_async_context(open_buses(kind))
        elif "nats" in kind:
            parent, far = await stack.enter_async_context(open_buses("nats"))
            (child,) = await stack.enter_async_context(open_children_of(parent, children=1))
            here, there = (child, far) if kind.startswith("child") else (far, child)
        else:
            parent, first, second = await stack.enter_async_context(open_local_buses(children=2))
            here = parent if kind.startswith("parent") else first
            there = parent if kind.endswith("parent") else second
        yield Ends(here, there)


class Listener:
    """Collects what it hears; ``wait_for`` returns when it heard so much."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self._changed = asyncio.Condition()

    async def __call__(self, event: VoiceRights) -> None:
        self.heard.append(event.generation)
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, count: int) -> list[int]:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.heard) >= count)
        return self.heard


def rights(generation: int) -> VoiceRights:
    return VoiceRights(channel=CHANNEL, user=USER, perms=7, generation=generation)


def answering(permissions: int) -> Callable[[WhatMayUserDo], Awaitable[ChannelRights]]:
    async def answer(question: WhatMayUserDo) -> ChannelRights:
        return ChannelRights(permissions=permissions, generation=1)

    return answer


async def test_an_event_arrives_as_it_was_published(ends: Ends) -> None:
    heard: asyncio.Queue[NodeAlive] = asyncio.Queue()
    alive = NodeAlive(
        node=NodeId(2**63 - 1),
        host="127.0.0.1",
        port=4433,
        spki_sha256=b"\x00" * 32,
        certificate_sha256=[b"\xff" * 32],
        connections=3,
        rooms=[CHANNEL],
        draining=False,
    )

    async def hear(event: NodeAlive) -> None:
        heard.put_nowait(event)

    await ends.there.subscribe(NodeAlive, hear)
    await ends.here.publish(alive)
    assert await heard.get() == alive


async def test_events_of_one_publisher_arrive_in_order(ends: Ends) -> None:
    listener = Listener()
    await ends.there.subscribe(VoiceRights, listener)
    for generation in range(200):
        await ends.here.publish(rights(generation))
    assert await listener.wait_for(200) == list(range(200))


async def test_every_subscriber_hears_an_event_once(ends: Ends) -> None:
    listeners = [Listener() for _ in range(4)]
    await asyncio.gather(
        *(ends.there.subscribe(VoiceRights, listener) for listener in listeners[:2]),
        *(ends.here.subscribe(VoiceRights, listener) for listener in listeners[2:]),
    )
    for generation in (1, 2):
        await ends.here.publish(rights(generation))
    for listener in listeners:
        assert await listener.wait_for(2) == [1, 2]


async def test_a_subscriber_hears_only_its_kind(ends: Ends) -> None:
    listener = Listener()
    await ends.there.subscribe(VoiceRights, listener)
    await ends.here.publish(SessionClosed(SessionId(UUID(int=9)), USER, left=True))
    await ends.here.publish(rights(1))
    assert await listener.wait_for(1) == [1]


async def test_nothing_is_heard_after_unsubscribing(ends: Ends) -> None:
    gone, present = Listener(), Listener()
    unsubscribe = await ends.there.subscribe(VoiceRights, gone)
    await ends.there.subscribe(VoiceRights, present)
    await ends.here.publish(rights(1))
    await gone.wait_for(1)
    await unsubscribe()
    await unsubscribe()
    await ends.here.publish(rights(2))
    assert await present.wait_for(2) == [1, 2]
    assert gone.heard == [1]


async def test_a_handler_may_unsubscribe_itself_and_finish(ends: Ends) -> None:
    finished = asyncio.Event()

    async def once(event: VoiceRights) -> None:
        await unsubscribe()
        await asyncio.sleep(0)
        finished.set()

    unsubscribe = await ends.there.subscribe(VoiceRights, once)
    await ends.here.publish(rights(1))
    await finished.wait()


async def test_a_failing_handler_hears_the_next_event(ends: Ends) -> None:
    listener = Listener()

    async def fail_first(event: VoiceRights) -> None:
        await listener(event)
        if event.generation == 1:
            raise ZeroDivisionError

    await ends.there.subscribe(VoiceRights, fail_first)
    for generation in (1, 2):
        await ends.here.publish(rights(generation))
    assert await listener.wait_for(2) == [1, 2]


async def test_a_stalled_handler_delays_nobody(ends: Ends) -> None:
    async def stall(event: VoiceRights) -> None:
        await asyncio.Event().wait()

    listener = Listener()
    await ends.there.subscribe(VoiceRights, stall)
    await ends.there.subscribe(VoiceRights, listener)
    for generation in range(20):
        await ends.here.publish(rights(generation))
    assert len(await listener.wait_for(20)) == 20


async def test_a_question_gets_its_answer(ends: Ends) -> None:
    await ends.there.answer(WhatMayUserDo, answering(permissions=42))
    answer = await ends.here.ask(QUESTION)
    assert answer == ChannelRights(permissions=42, generation=1)


async def test_an_answer_keeps_its_types(ends: Ends) -> None:
    briefing = Briefing(
        ticket_keys={1: b"\x01" * 32},
        watermarks=[VoiceRights(channel=CHANNEL, user=USER, perms=3, generation=2)],
    )

    async def answer(question: BriefNode) -> Briefing:
        assert question.node == 2**63 - 1
        return briefing

    await ends.there.answer(BriefNode, answer)
    assert await ends.here.ask(BriefNode(NodeId(2**63 - 1))) == briefing


@pytest.mark.parametrize("kind", ["memory", "nats"])
async def test_a_server_of_thousands_is_described_in_one_answer(kind: BusKind) -> None:
    """Between services; what a service tells its child is small, and bounded."""
    server = Server(ServerId(uuid7()), "A city", UserId(uuid7()))
    roles = [RoleId(uuid7()) for _ in range(200)]
    members = [
        Member(UserId(uuid7()), n, f"Citizen {n} of the north", roles[n % 190 : n % 190 + 4])
        for n in range(5_000)
    ]
    state = ServerState(server, 7, [], [], members)

    async def describe(_: DescribeServer) -> ServerState:
        return state

    async with open_buses(kind) as (here, there):
        await there.answer(DescribeServer, describe)
        assert await here.ask(DescribeServer(server.id)) == state


async def test_an_end_may_ask_itself(ends: Ends) -> None:
    await ends.here.answer(WhatMayUserDo, answering(permissions=5))
    assert (await ends.here.ask(QUESTION)).permissions == 5


async def test_a_refusal_crosses_the_bus(ends: Ends) -> None:
    async def refuse(question: WhatMayUserDo) -> ChannelRights:
        raise RateLimited("too_fast", "wait a little", retry_after_seconds=1.5)

    await ends.there.answer(WhatMayUserDo, refuse)
    with pytest.raises(RateLimited) as refused:
        await ends.here.ask(QUESTION)
    assert refused.value.code == "too_fast"
    assert refused.value.retry_after_seconds == 1.5


async def test_a_question_that_nobody_answers_is_unavailable(ends: Ends) -> None:
    with pytest.raises(Unavailable) as refused:
        await ends.here.ask(QUESTION)
    assert refused.value.code == "nobody_answers"


async def test_a_bug_of_the_answerer_stays_there(ends: Ends) -> None:
    async def fail(question: WhatMayUserDo) -> ChannelRights:
        raise ZeroDivisionError("secret")

    await ends.there.answer(WhatMayUserDo, fail)
    for _ in range(2):
        with pytest.raises(Unavailable) as refused:
            await ends.here.ask(QUESTION)
        assert refused.value.code == "answer_failed"
        assert "secret" not in str(refused.value)


async def test_an_answer_that_never_comes_is_unavailable_in_the_end(ends: Ends) -> None:
    async def hang(question: WhatMayUserDo) -> ChannelRights:
        await asyncio.Event().wait()
        raise AssertionError

    await ends.there.answer(WhatMayUserDo, hang)
    with pytest.raises(Unavailable) as refused:
        await ends.here.ask(QUESTION)
    assert refused.value.code == "answer_late"


async def test_a_slow_answer_delays_no_other_question(ends: Ends) -> None:
    release = asyncio.Event()

    async def answer(question: WhatMayUserDo) -> ChannelRights:
        if question.channel == CHANNEL:
            await release.wait()
        return ChannelRights(permissions=1, generation=1)

    await ends.there.answer(WhatMayUserDo, answer)
    slow = asyncio.create_task(ends.here.ask(QUESTION))
    other = WhatMayUserDo(user=USER, channel=ChannelId(UUID(int=3)))
    answers = await asyncio.gather(*(ends.here.ask(other) for _ in range(20)))
    assert len(answers) == 20
    assert not slow.done()
    release.set()
    await slow


async def test_an_answerer_may_ask_in_its_turn(ends: Ends) -> None:
    async def hide(question: WhatMayUserDo) -> ChannelRights:
        raise NotFound("channel_unknown", "no such channel")

    async def issue(question: IssueGrant) -> object:
        return await ends.there.ask(WhatMayUserDo(user=question.user, channel=question.channel))

    await ends.here.answer(WhatMayUserDo, hide)
    await ends.there.answer(IssueGrant, issue)
    with pytest.raises(NotFound):
        await ends.here.ask(IssueGrant(USER, DeviceId(UUID(int=4)), CHANNEL))


@pytest.mark.alone
async def test_more_questions_than_a_bus_holds_are_refused_and_not_lost(ends: Ends) -> None:
    await ends.there.answer(WhatMayUserDo, answering(permissions=1))
    answers = await asyncio.gather(
        *(ends.here.ask(QUESTION) for _ in range(1_000)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert {refusal.code for refusal in refused} <= {"bus_busy"}
    assert len(answers) - len(refused) >= 250
    assert (await ends.here.ask(QUESTION)).permissions == 1
