"""Tokens and logins that end while their sockets are open."""

from uuid import uuid4

from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.events import (
    AccountClosed,
    Around,
    LoginEnded,
    Services,
)
from sidetone.protocol.frames import CloseCode, Identify, Renew, Resume, Resumed
from sidetone.protocol.ids import LoginId
from sidetone.runtime.callers import denied_key
from tests.gateway_listener import listening
from tests.gateway_stage import Town, gateway_stage


async def test_a_token_that_is_not_good_is_told(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    tokens = [
        "not a token",
        town.token(ann, age_ms=600_000),
        town.token(ann, scope="write"),
    ]
    for token in tokens:
        async with listening(port) as client:
            await client.hello()
            await client.say(Identify(token))
            assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_a_token_that_ends_ends_the_connection_unless_it_is_renewed(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as one, listening(port) as two:
        # Its last whole second has begun, and is over within the next.
        await one.ready(town.token(ann, age_ms=598_000))
        session = (await two.ready(town.token(ann, age_ms=598_000))).session
        await one.say(Renew(town.token(ann)))
        assert await two.closed() == CloseCode.TOKEN_EXPIRED
        await one.hears_nothing()
    async with listening(port) as back:
        await back.hello()
        await back.say(Resume(town.token(ann), session, 0))
        assert await back.frame() == Resumed()


async def test_renewing_with_anothers_token_ends_it(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, eve = town.user("ann"), town.user("eve")
    async with listening(port) as client:
        await client.ready(town.token(ann))
        await client.say(Renew(town.token(eve)))
        assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_the_end_of_a_login_ends_its_sessions_and_no_others(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann = town.user("ann")
    other = LoginId(uuid4())
    async with listening(port) as one, listening(port) as two:
        session = (await one.ready(town.token(ann))).session
        await two.ready(town.token(ann, other))
        await town.record(Services(), LoginEnded(ann, town.logins[ann]))
        assert await one.closed() == CloseCode.UNAUTHENTICATED
        await two.hears_nothing()
    async with listening(port) as back:
        await back.hello()
        await back.say(Resume(town.token(ann, other), session, 0))
        assert await back.closed() == CloseCode.SESSION_LOST


async def test_a_login_that_the_store_knows_to_be_over_is_refused(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann = town.user("ann")
    await town.around.store.put(denied_key(town.logins[ann]), b"1", 60)
    async with listening(port) as client:
        await client.hello()
        await client.say(Identify(town.token(ann)))
        assert await client.closed() == CloseCode.UNAUTHENTICATED


async def test_who_identifies_over_and_over_has_to_wait() -> None:
    async with gateway_stage(policy=Policy(identifies_per_minute=2)) as (town, port):
        ann, bob = town.user("ann"), town.user("bob")
        for _ in range(2):
            async with listening(port) as client:
                await client.ready(town.token(ann))
        async with listening(port) as client:
            await client.hello()
            await client.say(Identify(town.token(ann)))
            assert await client.closed() == CloseCode.TOO_FAST
        async with listening(port) as client:
            await client.ready(town.token(bob))


async def test_a_closed_account_is_told_and_ends(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    town.server(ann, bob)
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        await b.ready(town.token(bob))
        await town.record(Around(ann), AccountClosed(ann))
        assert await b.event() == AccountClosed(ann)
        assert await a.closed() == CloseCode.UNAUTHENTICATED
