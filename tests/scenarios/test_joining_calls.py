"""From an account to the door of a call, told once, run in every topology."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from sidetone.credentials.tickets import LIFETIME_SECONDS, Perm
from sidetone.e2ee.grant import verify_grant
from sidetone.permissions import Permission
from sidetone.protocol.accounts import GrantKeys
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.events import NodeAlive, VoiceRights
from sidetone.protocol.ids import ChannelId, NodeId
from sidetone.protocol.questions import BriefNode
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Invite, Member, Server
from sidetone.runtime.limits import Limit
from tests.scenarios.conftest import Cast
from tests.scenarios.world import (
    PASSWORD,
    POLICIES,
    Person,
    code_of,
    open_platform,
    sign_up,
)
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = ChannelId(UUID("01890000-0000-7000-8000-000000000000"))


def unit(number: int, *rooms: ChannelId, draining: bool = False) -> NodeAlive:
    return NodeAlive(
        NodeId(number), "127.0.0.1", 4_500 + number, b"p" * 32, [b"c" * 32], 0, [*rooms], draining
    )


async def report(cast: Cast, *units: NodeAlive) -> None:
    """Report as *units*, and return when every voice service has heard the last of them."""
    probe = await cast.ada.found("probe")
    room = await cast.ada.place(probe, "voice")
    for one in units[:-1]:
        await cast.platform.bus.publish(one)
    last = units[-1]
    holding = msgspec.structs.replace(last, rooms=[*last.rooms, room])
    for replica in range(len(cast.platform.urls["voice"])):

        async def heard(replica: int = replica) -> bool:
            await cast.platform.bus.publish(holding)
            response = await cast.ada.join(room, replica=replica)
            if response.status_code != 200:
                return False
            ticket = msgspec.json.decode(response.content, type=VoiceTicket)
            return ticket.port == last.port

        await until(heard)


async def tavern(cast: Cast) -> tuple[Server, ChannelId]:
    """Return a new server with Ada and Ben, and its voice channel."""
    server = await cast.ada.found()
    await cast.ada.let_in(cast.ben, server)
    return server, await cast.ada.place(server, "voice")


async def follow(cast: Cast, user: Person) -> asyncio.Queue[VoiceRights]:
    """Return the rights of *user* that units hear of from now on."""
    heard: asyncio.Queue[VoiceRights] = asyncio.Queue()

    async def hear(rights: VoiceRights) -> None:
        if rights.user == user.user:
            heard.put_nowait(rights)

    await cast.platform.bus.subscribe(VoiceRights, hear)
    return heard


async def rights_in(
    heard: asyncio.Queue[VoiceRights], channel: ChannelId, perms: Perm
) -> VoiceRights:
    """Return the first rights in *channel* with *perms*."""
    async with asyncio.timeout(30):
        while (rights := await heard.get()).channel != channel or rights.perms != perms:
            pass
    return rights


async def test_two_members_get_tickets_for_the_same_unit(cast: Cast) -> None:
    await report(cast, unit(1), unit(2), unit(3))
    server, lounge = await tavern(cast)
    members = await cast.ben.ask("GET", f"/chat/servers/{server.id}/members", Page[Member])
    assert [member.user for member in members.items] == [cast.ada.user, cast.ben.user]

    adas = await cast.ada.ticket(lounge)
    bens = await cast.ben.ticket(lounge, replica=1)

    assert (adas.host, adas.port, adas.spki_sha256) == (bens.host, bens.port, bens.spki_sha256)
    keys = await cast.ben.ask("GET", "/auth/grant-keys", GrantKeys)
    for person, answer in ((cast.ada, adas), (cast.ben, bens)):
        ticket = await cast.platform.read_ticket(answer)
        assert (ticket.user, ticket.device) == (person.user, person.device)
        assert (ticket.channel, ticket.node) == (lounge, answer.port - 4_500)
        assert ticket.expires_at - ticket.issued_at == LIFETIME_SECONDS
        assert abs(ticket.issued_at - cast.platform.now_ms() // 1000) < 30
        assert answer.grant_keys == keys.keys
        grant = verify_grant(answer.grant.wire, answer.grant_keys)
        assert (grant.user, grant.device) == (person.user.bytes, person.device.bytes)
        assert (grant.channel, grant.dk) == (lounge.bytes, person.identity.dk)
    assert (await cast.platform.read_ticket(adas)).perms == Perm(sum(Perm)) & ~Perm.DEAFENED
    assert (await cast.platform.read_ticket(bens)).perms == Perm.CONNECT | Perm.SPEAK | Perm.VIDEO


async def test_no_ticket_is_made_twice(cast: Cast) -> None:
    await report(cast, unit(1))
    _, lounge = await tavern(cast)
    tickets = [await cast.platform.read_ticket(await cast.ben.ticket(lounge)) for _ in range(5)]
    assert len({ticket.jti for ticket in tickets}) == 5


async def test_everybody_who_comes_at_once_meets_in_one_place(cast: Cast) -> None:
    await report(cast, unit(1), unit(2), unit(3))
    _, lounge = await tavern(cast)
    people = [cast.ada, cast.ben] * 6
    answers = await asyncio.gather(
        *[person.ticket(lounge, replica=number) for number, person in enumerate(people)]
    )
    assert len({answer.port for answer in answers}) == 1


async def test_the_unit_that_holds_a_room_gets_the_next_member(cast: Cast) -> None:
    await report(cast, unit(1), unit(2), unit(3))
    _, lounge = await tavern(cast)
    given = (await cast.ada.ticket(lounge)).port - 4_500
    other = given % 3 + 1
    await report(cast, unit(other, lounge))
    for replica in range(2):
        assert (await cast.ben.ticket(lounge, replica=replica)).port == 4_500 + other


async def test_a_draining_unit_gets_no_more_members(cast: Cast) -> None:
    await report(cast, unit(1), unit(2), unit(3))
    _, lounge = await tavern(cast)
    first = (await cast.ada.ticket(lounge)).port - 4_500
    rest = [number for number in (1, 2, 3) if number != first]
    await report(cast, unit(first, lounge, draining=True), *[unit(number) for number in rest])
    ports = {(await cast.ben.ticket(lounge, replica=replica)).port for replica in range(4)}
    assert len(ports) == 1
    assert ports != {4_500 + first}


async def test_without_a_living_unit_there_is_no_call(cast: Cast) -> None:
    await report(cast, unit(1))
    _, lounge = await tavern(cast)

    async def is_refused() -> bool:
        answer = await cast.ben.join(lounge)
        return not answer.is_success and code_of(answer) == (503, "no_voice_node")

    # Nobody reports any more, and after a moment the last report counts no more.
    await until(is_refused)


async def test_who_is_put_out_cannot_join_and_the_units_know(cast: Cast) -> None:
    await report(cast, unit(1))
    server, lounge = await tavern(cast)
    in_flight = await cast.platform.read_ticket(await cast.ben.ticket(lounge))
    heard = await follow(cast, cast.ben)

    await cast.ada.tell("DELETE", f"/chat/servers/{server.id}/members/{cast.ben.user}")

    told = await rights_in(heard, lounge, Perm(0))
    assert told.generation > in_flight.generation
    assert told in (await cast.platform.bus.ask(BriefNode(NodeId(1)))).watermarks
    assert code_of(await cast.ben.join(lounge)) == (404, "channel_unknown")

    await cast.ada.let_in(cast.ben, server)
    again = await cast.platform.read_ticket(await cast.ben.ticket(lounge))
    assert again.generation > told.generation


async def test_a_member_who_leaves_is_out_of_the_call(cast: Cast) -> None:
    server, lounge = await tavern(cast)
    heard = await follow(cast, cast.ben)
    await cast.ben.tell("DELETE", f"/chat/servers/{server.id}/members/{cast.ben.user}")
    await rights_in(heard, lounge, Perm(0))


async def test_a_muted_member_hears_of_it_during_the_call_and_in_the_next_ticket(
    cast: Cast,
) -> None:
    await report(cast, unit(1))
    _, lounge = await tavern(cast)
    heard = await follow(cast, cast.ben)
    await cast.ada.overwrite(lounge, cast.ben.user, deny=int(Permission.SPEAK))
    muted = Perm.CONNECT | Perm.VIDEO
    told = await rights_in(heard, lounge, muted)
    ticket = await cast.platform.read_ticket(await cast.ben.ticket(lounge))
    assert (ticket.perms, ticket.generation) == (muted, told.generation)


async def test_a_channel_may_let_its_members_in_or_not(cast: Cast) -> None:
    _, lounge = await tavern(cast)
    await cast.ada.overwrite(lounge, "everyone", deny=int(Permission.CONNECT))
    assert code_of(await cast.ben.join(lounge)) == (403, "permission_missing")
    await cast.ada.overwrite(lounge, cast.ben.user, allow=int(Permission.CONNECT))
    await report(cast, unit(1))
    assert (await cast.ben.join(lounge)).status_code == 200


async def test_a_hidden_channel_is_as_unknown_as_none(cast: Cast) -> None:
    server, lounge = await tavern(cast)
    await cast.ada.overwrite(lounge, "everyone", deny=int(Permission.VIEW_CHANNEL))
    assert lounge not in [channel.id for channel in await cast.ben.channels(server)]
    hidden, absent = await cast.ben.join(lounge), await cast.ben.join(NOWHERE)
    assert code_of(hidden) == code_of(absent) == (404, "channel_unknown")
    assert hidden.content == absent.content


async def test_nobody_talks_in_a_text_channel(cast: Cast) -> None:
    server, _ = await tavern(cast)
    general = await cast.ada.place(server, "text")
    for person in (cast.ada, cast.ben):
        assert code_of(await person.join(general)) == (403, "permission_missing")


async def test_a_device_is_its_owners_alone(cast: Cast) -> None:
    await report(cast, unit(1))
    _, lounge = await tavern(cast)
    path = f"/voice/channels/{lounge}/join"
    for device in (cast.ada.device, NOWHERE):
        answer = await cast.ben.send("POST", path, {"device": device})
        assert code_of(answer) == (404, "device_unknown")


async def test_a_wrong_password_is_refused(cast: Cast) -> None:
    url = f"{cast.platform.urls['auth'][0]}/auth/login"
    for name in (cast.ada.login.name, "nobody of this name"):
        answer = await cast.platform.http.post(
            url, json={"name": name, "password": "not the password"}
        )
        assert answer.status_code == 401
    assert (
        await cast.platform.http.post(
            url, json={"name": cast.ada.login.name, "password": PASSWORD}
        )
    ).status_code == 200


async def test_an_expired_token_opens_nothing(cast: Cast) -> None:
    server, lounge = await tavern(cast)
    with cast.platform.later(11 * 60_000):
        for answer in (
            await cast.ben.join(lounge),
            await cast.ben.send("GET", "/chat/servers"),
            await cast.ada.send("POST", f"/chat/servers/{server.id}/invites", {}),
        ):
            assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (f"/voice/channels/{NOWHERE}/join", {}, 400, "malformed"),
        (f"/voice/channels/{NOWHERE}/join", {"device": "mine"}, 400, "malformed"),
        ("/voice/channels/lounge/join", {"device": NOWHERE}, 404, "route_unknown"),
        ("/chat/servers", {"name": ""}, 422, "name_empty"),
        ("/chat/servers", {"name": "x" * 101}, 422, "name_too_long"),
        ("/chat/servers", {"name": 7}, 400, "malformed"),
        ("/chat/servers", {"name": "tavern", "owner": str(NOWHERE)}, 400, "malformed"),
        ("/chat/invites/aaaaaaaaaaaaaaaa/accept", {}, 404, "invite_unknown"),
        ("/chat/invites/%00/accept", {}, 404, "invite_unknown"),
    ],
)
async def test_wrong_requests_have_a_status_and_a_code(
    cast: Cast, path: str, body: object, status: int, code: str
) -> None:
    assert code_of(await cast.ben.send("POST", path, body)) == (status, code)


async def test_wrong_changes_have_a_status_and_a_code(cast: Cast) -> None:
    server, lounge = await tavern(cast)
    wish = {"allow": 0, "deny": int(Permission.SPEAK)}
    at = f"/chat/channels/{lounge}/overwrites"
    assert [
        code_of(await cast.ben.send("PUT", f"{at}/everyone", wish)),
        code_of(await cast.ada.send("PUT", f"{at}/nobody", wish)),
        code_of(await cast.ada.send("PUT", f"{at}/{cast.eve.user}", wish)),
        code_of(await cast.ada.send("PUT", f"{at}/{cast.ada.user}", wish)),
        code_of(await cast.ada.send("PUT", f"{at}/everyone", {"allow": 1 << 40, "deny": 0})),
        code_of(await cast.ada.send("PUT", f"{at}/everyone", {"allow": 10**30, "deny": 0})),
        code_of(await cast.ben.send("DELETE", f"/chat/servers/{server.id}/members/{NOWHERE}")),
        code_of(await cast.ada.send("DELETE", f"/chat/servers/{server.id}/members/{NOWHERE}")),
        code_of(
            await cast.ada.send("DELETE", f"/chat/servers/{server.id}/members/{cast.ada.user}")
        ),
    ] == [
        (403, "permission_missing"),
        (404, "member_unknown"),
        (404, "member_unknown"),
        (403, "owner_above_overwrites"),
        (422, "permission_unsettable"),
        (422, "permission_unsettable"),
        (404, "member_unknown"),
        (404, "member_unknown"),
        (403, "owner_stays"),
    ]


async def test_guessing_invites_is_slowed_down() -> None:
    chat = msgspec.structs.replace(POLICIES.chat, invites_per_address=Limit(10, 60_000))
    policies = msgspec.structs.replace(POLICIES, chat=chat)
    async with open_platform("embedded", policies) as platform:
        mallory = await sign_up(platform, "Mallory")
        answers = [
            code_of(await mallory.send("POST", f"/chat/invites/{'a' * 16}/accept"))
            for _ in range(11)
        ]
        assert answers == [(404, "invite_unknown")] * 10 + [(429, "rate_limited")]
        last = await mallory.send("POST", f"/chat/invites/{'a' * 16}/accept")
        assert int(last.headers["retry-after"]) >= 1
        server = await mallory.found()
        assert await mallory.ask("POST", f"/chat/servers/{server.id}/invites", Invite, {})
