"""Servers over HTTP: what travels, with which statuses and versions."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from services.chat.tests.stage_messages import GENEROUS, Person, Stage, any_id, open_stage
from sidetone.chat.app import Policy
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import AuditEntry, Member, Role, Server, ServerState
from sidetone.runtime.limits import Limit
from tests.surroundings import TOPOLOGIES


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


async def code_of(person: Person, method: str, path: str, **more: object) -> tuple[int, str]:
    answer = await person.ask(method, path, **more)
    return answer.status_code, answer.json()["code"]


async def test_who_edits_what_another_has_edited_is_told(stage: Stage) -> None:
    tavern = await stage.tavern()
    server = f"/servers/{tavern.server.id}"
    for path in (server, f"/channels/{tavern.channel}", f"{server}/roles/{tavern.server.id}"):
        read = await tavern.owner.ask("GET", path)
        match = {"if-match": read.headers["etag"]}
        wish = {"name": "inn"}
        first = await tavern.owner.ask("PATCH", path, json=wish, headers=match)
        assert (first.status_code, first.json()["name"]) == (200, "inn")
        assert first.headers["etag"] != read.headers["etag"]
        late = await code_of(tavern.owner, "PATCH", path, json={"name": "bar"}, headers=match)
        assert late == (409, "stale_version")
        again = await tavern.owner.ask("GET", path)
        assert (again.json()["name"], again.headers["etag"]) == ("inn", first.headers["etag"])


async def test_what_is_unknown_forbidden_or_wrong_has_its_status(stage: Stage) -> None:
    tavern = await stage.tavern()
    server, eve = f"/servers/{tavern.server.id}", stage.person()
    nobody = any_id()
    assert await code_of(eve, "GET", server) == (404, "server_unknown")
    assert await code_of(tavern.guest, "DELETE", server) == (403, "owner_only")
    assert await code_of(tavern.guest, "GET", f"{server}/bans") == (403, "permission_missing")
    member = f"{server}/members/{nobody}"
    assert await code_of(tavern.owner, "GET", member) == (404, "member_unknown")
    role = f"{server}/roles/{nobody}"
    assert await code_of(tavern.owner, "DELETE", role) == (404, "role_unknown")
    long = {"name": "x" * 101}
    assert await code_of(tavern.owner, "PATCH", server, json=long) == (422, "name_too_long")
    odd = {"name": "x", "colour": 1}
    assert (await tavern.owner.ask("PATCH", server, json=odd)).status_code == 400
    overwrite = f"/channels/{tavern.channel}/overwrites/someone"
    body = {"allow": 0, "deny": 0}
    assert await code_of(tavern.owner, "PUT", overwrite, json=body) == (404, "member_unknown")
    far = {"limit": 101}
    assert (await tavern.owner.ask("GET", f"{server}/members", params=far)).status_code == 400


async def test_members_come_in_pages(stage: Stage) -> None:
    tavern = await stage.tavern(guests=4)
    path = f"/servers/{tavern.server.id}/members"
    seen: list[Member] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": 2} | ({} if cursor is None else {"cursor": cursor})
        page = await tavern.guest.get(path, Page[Member], **params)
        seen += page.items
        cursor = page.next
    assert cursor is None
    assert {member.user for member in seen} == {
        tavern.owner.user,
        *(guest.user for guest in tavern.guests),
    }
    assert seen[0].user == tavern.owner.user
    wrong = await code_of(tavern.guest, "GET", path, params={"cursor": "nonsense"})
    assert wrong == (422, "cursor_unknown")


async def test_a_role_is_made_given_and_taken(stage: Stage) -> None:
    tavern = await stage.tavern()
    server = f"/servers/{tavern.server.id}"
    wish = {"name": "mods", "permissions": int(Permission.KICK_MEMBERS), "hoisted": True}
    made = await tavern.owner.ask("POST", f"{server}/roles", json=wish)
    assert made.status_code == 201
    role = msgspec.json.decode(made.content, type=Role)
    held = f"{server}/members/{tavern.guest.user}/roles/{role.id}"
    given = await tavern.owner.ask("PUT", held)
    assert (given.status_code, given.json()["roles"]) == (200, [str(role.id)])
    victim = await tavern.newcomer()
    kick = f"{server}/members/{victim.user}"
    assert (await tavern.guest.ask("DELETE", kick)).status_code == 204
    assert (await tavern.owner.ask("DELETE", held)).status_code == 204
    assert (await tavern.owner.ask("DELETE", f"{server}/roles/{role.id}")).status_code == 204


async def test_the_audit_log_names_the_request(stage: Stage) -> None:
    tavern = await stage.tavern()
    server = f"/servers/{tavern.server.id}"
    answer = await tavern.owner.ask("PATCH", server, json={"description": "for all"})
    log = await tavern.owner.get(f"{server}/audit-log", Page[AuditEntry])
    assert (log.items[0].action, log.items[0].request) == (
        "server.edit",
        answer.headers["x-request-id"],
    )
    check = await tavern.owner.ask("GET", f"{server}/audit-log/check")
    assert check.json() == {"broken_at": None}


async def test_a_state_holds_what_one_sees(stage: Stage) -> None:
    tavern = await stage.tavern()
    await tavern.overwrite("everyone", deny=int(Permission.VIEW_CHANNEL))
    path = f"/servers/{tavern.server.id}/state"
    owners, guests = [
        await person.get(path, ServerState) for person in (tavern.owner, tavern.guest)
    ]
    assert len(owners.channels) == len(guests.channels) + 1
    assert owners.roles[0].permissions == int(EVERYONE)
    assert len(guests.members) == 2


async def test_a_conversation_is_found_when_it_is_there(stage: Stage) -> None:
    ada, ben = stage.person(), stage.person()
    first = await ada.ask("POST", "/conversations", json={"users": [str(ben.user)]})
    again = await ben.ask("POST", "/conversations", json={"users": [str(ada.user)]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["server"] == again.json()["server"]
    page = await ada.get("/conversations", Page[ServerState])
    assert [str(state.server.id) for state in page.items] == [first.json()["server"]["id"]]
    assert await ada.get("/servers", list[Server]) == []
    (channel,) = page.items[0].channels
    assert (await ben.post(channel.id, text="hello")).status_code == 201


async def test_an_invite_is_shown_taken_and_revoked(stage: Stage) -> None:
    tavern = await stage.tavern()
    made = await tavern.owner.ask("POST", f"/servers/{tavern.server.id}/invites", json={})
    path, eve = f"/invites/{made.json()['code']}", stage.person()
    preview = (await eve.ask("GET", path)).json()
    assert (preview["server"]["name"], preview["members"]) == ("tavern", 2)
    assert await code_of(eve, "DELETE", path) == (404, "invite_unknown")
    assert await code_of(tavern.guest, "DELETE", path) == (403, "permission_missing")
    assert (await tavern.owner.ask("DELETE", path)).status_code == 204
    assert await code_of(eve, "POST", f"{path}/accept") == (404, "invite_unknown")


async def test_who_guesses_codes_has_to_wait() -> None:
    strict = msgspec.structs.replace(GENEROUS, invites_per_address=Policy().invites_per_address)
    async with open_stage("embedded", strict) as stage:
        eve = stage.person()
        assert strict.invites_per_address == Limit(10, 60_000)
        answers = [await eve.ask("GET", f"/invites/{'a' * 16}") for _ in range(11)]
        assert [answer.status_code for answer in answers] == [404] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        # Whatever way the codes are tried.
        other = await eve.ask("POST", f"/invites/{'b' * 16}/accept")
        assert other.status_code == 429
