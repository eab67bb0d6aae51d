"""What an outsider reaches of a server that is not theirs: nothing, by any route."""

import pytest
from litestar import Router

from sidetone.protocol.servers import Server
from tests.scenarios.conftest import Cast
from tests.scenarios.world import code_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER, CHANNEL = (404, "server_unknown"), (404, "channel_unknown")

# Every route that names something of somebody, with a body that a member could send.
CLOSED = {
    ("POST", "/chat/servers/{server}/channels"): ({"name": "mine", "kind": "voice"}, SERVER),
    ("GET", "/chat/servers/{server}/channels"): (None, SERVER),
    ("GET", "/chat/servers/{server}/members"): (None, SERVER),
    ("DELETE", "/chat/servers/{server}/members/{member}"): (None, SERVER),
    ("POST", "/chat/servers/{server}/invites"): ({}, SERVER),
    ("PUT", "/chat/channels/{channel}/overwrites/{subject}"): ({"allow": 0, "deny": 0}, CHANNEL),
    ("POST", "/voice/channels/{channel}/join"): ("device", CHANNEL),
}
# Routes that name nothing, or whose name is the key.
OPEN = {
    ("POST", "/chat/servers"),
    ("GET", "/chat/servers"),
    ("POST", "/chat/invites/{code}/accept"),
}


def routes_of(routers: list[Router]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for router in routers:
        for route in router.routes:
            path = route.path_format
            found |= {(method, path) for method in route.methods if method != "OPTIONS"}
    return found


async def test_every_route_is_in_one_of_the_tables(cast: Cast) -> None:
    assert routes_of(cast.platform.routers) == CLOSED.keys() | OPEN


@pytest.mark.parametrize("route", CLOSED, ids=" ".join)
async def test_an_outsider_reaches_nothing(cast: Cast, route: tuple[str, str]) -> None:
    server = await cast.ada.found()
    await cast.ada.let_in(cast.ben, server)
    channel = await cast.ada.place(server, "voice")
    method, pattern = route
    body, expected = CLOSED[route]
    for subject in (cast.ada.user, cast.ben.user, cast.eve.user):
        path = pattern.format(server=server.id, channel=channel, member=subject, subject=subject)
        sent = {"device": cast.eve.device} if body == "device" else body
        assert code_of(await cast.eve.send(method, path, sent)) == expected
    assert len(await cast.ada.channels(server)) == 2
    assert server not in await cast.eve.ask("GET", "/chat/servers", list[Server])


@pytest.mark.parametrize("route", [*CLOSED, *OPEN], ids=" ".join)
async def test_without_a_token_there_is_nothing(cast: Cast, route: tuple[str, str]) -> None:
    method, pattern = route
    some = str(cast.eve.user)
    path = pattern.format(server=some, channel=some, member=some, subject=some, code="a" * 16)
    url = cast.platform.urls[path.split("/")[1]][0] + path
    for headers in ({}, {"authorization": "Bearer nonsense"}):
        answer = await cast.platform.http.request(method, url, headers=headers)
        assert answer.status_code == 401
