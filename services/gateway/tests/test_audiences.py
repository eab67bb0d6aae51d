"""Who is told of what, over real sockets."""

from uuid import uuid4

from sidetone.protocol.events import (
    Around,
    InChannel,
    PresenceChanged,
    RightsChanged,
    ServerChanged,
    ServerClosed,
    ServerOpened,
    Services,
    ToUsers,
    TypingStarted,
)
from sidetone.protocol.ids import ChannelId, RoleId
from sidetone.protocol.servers import Member, Role
from sidetone.protocol.social import Presence
from tests.gateway_listener import listening
from tests.gateway_stage import NOBODY, Town, channel_in, hidden_from, shown_to, told_in

# --- Who is told ---


async def test_only_those_who_see_a_channel_hear_of_it(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann, bob, eve = (town.user(name) for name in ("ann", "bob", "eve"))
    server = town.server(ann, bob)
    town.server(eve)
    secret = channel_in(server.server.id, 1, hidden_from(bob, "member"))
    await town.change(server, channels=[secret])
    async with listening(port) as a, listening(port) as b, listening(port) as e:
        for client, user in ((a, ann), (b, bob), (e, eve)):
            await client.ready(town.token(user))
        where = InChannel(server.server.id, secret.id)
        await town.record(where, told_in(secret.id))
        assert await a.event() == told_in(secret.id)
        await town.signal(where, TypingStarted(secret.id, ann))
        assert await a.event() == TypingStarted(secret.id, ann)
        await town.record(ToUsers([bob, eve]), NOBODY)
        assert await b.event() == NOBODY
        assert await e.event() == NOBODY


async def test_a_presence_reaches_friends_and_who_shares_a_server(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob, fay, eve = (town.user(name) for name in ("ann", "bob", "fay", "eve"))
    town.server(ann, bob)
    town.server(eve)
    async with listening(port) as b, listening(port) as f, listening(port) as e:
        for client, user in ((b, bob), (f, fay), (e, eve)):
            await client.ready(town.token(user))
        news = PresenceChanged(Presence(ann, "online"))
        await town.signal(Around(ann, [fay]), news)
        assert await b.event() == news
        assert await f.event() == news
        await e.hears_nothing()
        async with listening(port) as a:
            await a.ready(town.token(ann))
            again = PresenceChanged(Presence(ann, "idle"))
            await town.signal(Around(ann, [fay]), again)
            assert await a.event() == await b.event() == await f.event() == again
            await e.hears_nothing()


async def test_all_sessions_of_a_user_are_told(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    async with listening(port) as one, listening(port) as two:
        await one.ready(town.token(ann))
        await two.ready(town.token(ann))
        await town.record(ToUsers([ann, ann]), NOBODY)
        assert await one.event() == await two.event() == NOBODY
        await one.hears_nothing()


async def test_what_is_between_services_stays_there(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann = town.user("ann")
    server = town.server(ann)
    channel = ChannelId(next(iter(server.channels)))
    async with listening(port) as client:
        await client.ready(town.token(ann))
        await town.record(Services(), RightsChanged(channel, 2, {ann: 0}))
        await town.record(
            InChannel(server.server.id, channel), RightsChanged(channel, 2, {ann: 0})
        )
        await town.record(ToUsers([ann]), NOBODY)
        assert await client.event() == NOBODY


# --- Servers ---


async def test_joining_opens_a_server_and_leaving_closes_it(stage: tuple[Town, int]) -> None:
    town, port = stage
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, channels=2)
    secret = channel_in(server.server.id, 9, hidden_from(server.server.id))
    await town.change(server, channels=[secret])
    channel = ChannelId(next(iter(server.channels)))
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        assert (await b.ready(town.token(bob))).servers == []
        joined = await town.change(server, members=[Member(bob, 5)])
        assert await a.event() == joined
        opened = await b.event()
        assert isinstance(opened, ServerOpened)
        assert opened.state == server.view(bob)
        assert secret.id not in {one.id for one in opened.state.channels}
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        assert await a.event() == await b.event() == told_in(channel)
        left = await town.change(server, gone=[bob])
        assert await a.event() == left
        assert await b.event() == ServerClosed(server.server.id)
        await town.record(InChannel(server.server.id, channel), told_in(channel))
        assert await a.event() == told_in(channel)
        await b.hears_nothing()


async def test_a_deleted_server_is_closed_for_all(embedded: tuple[Town, int]) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    async with listening(port) as a, listening(port) as b:
        await a.ready(town.token(ann))
        await b.ready(town.token(bob))
        await town.change(server, deleted=True)
        assert await a.event() == await b.event() == ServerClosed(server.server.id)
    async with listening(port) as a:
        assert (await a.ready(town.token(ann))).servers == []


async def test_a_role_shows_a_channel_and_taking_it_away_hides_it(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    staff = RoleId(uuid4())
    secret = channel_in(
        server.server.id, 1, hidden_from(server.server.id), shown_to(staff, "role")
    )
    await town.change(server, roles=[Role(staff, "staff", 1, 0)], channels=[secret])
    where = InChannel(server.server.id, secret.id)
    async with listening(port) as b:
        assert secret not in (await b.ready(town.token(bob))).servers[0].channels
        await town.record(where, told_in(secret.id))
        promoted = await town.change(server, members=[Member(bob, 0, roles=[staff])])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.generation, seen.channels) == (promoted.generation, [secret])
        await town.record(where, told_in(secret.id))
        assert await b.event() == told_in(secret.id)
        await town.change(server, members=[Member(bob, 0)])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.channels, seen.gone) == ([], [secret.id])
        await town.record(where, told_in(secret.id))
        await town.change(server, gone=[secret.id])
        seen = await b.event()
        assert isinstance(seen, ServerChanged)
        assert (seen.channels, seen.gone) == ([], []), "nobody says that a hidden channel is gone"


async def test_a_change_that_was_missed_is_repaired_with_the_whole_state(
    embedded: tuple[Town, int],
) -> None:
    town, port = embedded
    ann, bob = town.user("ann"), town.user("bob")
    server = town.server(ann, bob)
    async with listening(port) as b:
        await b.ready(town.token(bob))
        new = channel_in(server.server.id, 1)
        # This one is never told.
        server.apply(ServerChanged(server.server.id, server.generation + 1, channels=[new]))
        await town.change(server, members=[Member(bob, 0, nickname="bobby")])
        opened = await b.event()
        assert isinstance(opened, ServerOpened)
        assert opened.state == server.view(bob)
