"""Bots: users that are programs."""

from typing import Any

import pytest

from services.auth.tests.stage import Stage
from sidetone.protocol.events import AccountClosed, LoginEnded, UserChanged
from sidetone.runtime.callers import denied_key

Json = dict[str, Any]


async def create(stage: Stage, login: Json, name: str = "Robo", *scopes: str) -> Json:
    answer = await stage.post(
        "/auth/bots", login["access_token"], name=name, scopes=list(scopes) or ["read", "voice"]
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def log_in(stage: Stage, token: str) -> Any:
    return await stage.post("/auth/bots/token", token=token)


async def test_a_bot_logs_in_with_its_token_and_may_do_what_its_scopes_say(stage: Stage) -> None:
    made = await create(stage, await stage.sign_up("Ada"), "Robo", "voice", "read", "read")
    assert made["bot"]["scopes"] == ["read", "voice"]
    assert made["token"].startswith("stbot_")
    access = (await log_in(stage, made["token"])).json()
    assert "refresh_token" not in access
    token = access["access_token"]
    user = (await stage.get(f"/auth/users/{made['bot']['user']}", token)).json()
    assert (user["name"], user["bot"]) == ("Robo", True)
    assert (await stage.get("/auth/devices", token)).status_code == 200
    answer = await stage.patch("/auth/me", token, bio="beep")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_bot_can_write_its_profile_but_touch_no_account(stage: Stage) -> None:
    made = await create(stage, await stage.sign_up("Ada"), "Robo", "write", "manage", "read")
    token = (await log_in(stage, made["token"])).json()["access_token"]
    assert (await stage.patch("/auth/me", token, bio="beep")).status_code == 200
    for method, path in (
        ("POST", "/auth/bots"),
        ("GET", "/auth/bots"),
        ("GET", "/auth/logins"),
        ("DELETE", "/auth/logins"),
        ("PUT", "/auth/password"),
        ("PUT", "/auth/address"),
        ("POST", "/auth/totp"),
        ("POST", "/auth/totp/confirm"),
        ("POST", "/auth/totp/remove"),
        ("POST", "/auth/recovery-codes"),
        ("POST", "/auth/passkeys"),
        ("POST", "/auth/passkeys/options"),
        ("GET", "/auth/passkeys"),
        ("GET", "/auth/identities"),
        ("POST", "/auth/identities"),
        ("POST", "/auth/identities/house"),
        ("GET", "/auth/export"),
        ("POST", "/auth/me/deletion"),
        ("POST", "/auth/me/deletion/confirm"),
        ("DELETE", f"/auth/devices/{made['bot']['user']}"),
    ):
        headers = {"authorization": f"Bearer {token}"}
        answer = await stage.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path


async def test_a_bot_has_no_password(stage: Stage) -> None:
    await create(stage, await stage.sign_up("Ada"))
    for password in ("", "plum tree in the rain"):
        assert (await stage.log_in("Robo", password)).status_code == 401


async def test_a_new_token_makes_the_old_one_void_at_once(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    made = await create(stage, login)
    access = (await log_in(stage, made["token"])).json()["access_token"]
    path = f"/auth/bots/{made['bot']['user']}/token"
    fresh = (await stage.post(path, login["access_token"])).json()["token"]
    fact = await stage.heard(LoginEnded)
    assert isinstance(fact.event, LoginEnded)
    assert await stage.around.store.get(denied_key(fact.event.login)) is not None
    assert (await stage.get("/auth/me", access)).status_code == 401
    assert (await log_in(stage, made["token"])).status_code == 401
    access = (await log_in(stage, fresh)).json()["access_token"]
    assert (await stage.get("/auth/me", access)).status_code == 200


async def test_other_scopes_hold_from_the_next_access_token_on(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    made = await create(stage, login)
    access = (await log_in(stage, made["token"])).json()["access_token"]
    path = f"/auth/bots/{made['bot']['user']}"
    answer = await stage.patch(path, login["access_token"], scopes=["write"], display_name="R2")
    assert answer.json() == made["bot"] | {"scopes": ["write"], "display_name": "R2"}
    await stage.heard(LoginEnded)
    changed = await stage.heard(UserChanged)
    assert isinstance(changed.event, UserChanged)
    assert changed.event.user.display_name == "R2"
    assert (await stage.get("/auth/me", access)).status_code == 401
    access = (await log_in(stage, made["token"])).json()["access_token"]
    assert (await stage.get("/auth/me", access)).status_code == 403
    assert (await stage.patch("/auth/me", access, bio="beep")).status_code == 200


async def test_only_the_owner_has_a_bot(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    made = await create(stage, ada)
    path = f"/auth/bots/{made['bot']['user']}"
    theirs = ben["access_token"]
    assert (await stage.get("/auth/bots", theirs)).json() == []
    assert (await stage.patch(path, theirs, scopes=["read"])).status_code == 404
    assert (await stage.post(f"{path}/token", theirs)).status_code == 404
    assert (await stage.delete(path, theirs)).status_code == 404
    assert (await stage.get("/auth/bots", ada["access_token"])).json() == [made["bot"]]


async def test_a_deleted_bot_is_gone_and_its_name_stays_taken(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    made = await create(stage, login)
    access = (await log_in(stage, made["token"])).json()["access_token"]
    path = f"/auth/bots/{made['bot']['user']}"
    assert (await stage.delete(path, login["access_token"])).status_code == 204
    await stage.heard(LoginEnded)
    await stage.heard(AccountClosed)
    assert (await stage.get("/auth/me", access)).status_code == 401
    assert (await log_in(stage, made["token"])).status_code == 401
    assert (await stage.delete(path, login["access_token"])).status_code == 404
    again = await stage.post("/auth/bots", login["access_token"], name="Robo", scopes=["read"])
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "Robo", "scopes": []}, (422, "scopes_missing")),
        ({"name": "\x00", "scopes": ["read"]}, (422, "name_invalid")),
        ({"name": "Ada", "scopes": ["read"]}, (409, "name_taken")),
        ({"name": "Robo", "scopes": ["api"]}, (400, "malformed")),
    ],
    ids=str,
)
async def test_a_bad_bot_is_not_made(stage: Stage, body: Json, expected: tuple[int, str]) -> None:
    login = await stage.sign_up("Ada")
    answer = await stage.post("/auth/bots", login["access_token"], **body)
    assert (answer.status_code, answer.json()["code"]) == expected
    assert (await stage.get("/auth/bots", login["access_token"])).json() == []


async def test_an_account_has_at_most_25_bots(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    for number in range(25):
        await create(stage, login, f"bot{number}")
    answer = await stage.post(
        "/auth/bots", login["access_token"], name="one.more", scopes=["read"]
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bots_too_many")


async def test_the_database_holds_no_token_of_a_bot(stage: Stage) -> None:
    made = await create(stage, await stage.sign_up("Ada"))
    rows = await stage.database.fetch("SELECT * FROM bots", {})
    assert made["token"] not in repr(rows)
    assert made["token"].encode() not in repr(rows).encode()
