"""Who people are: profiles, looking them up, taking one's data along, leaving."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.auth.tests.stage import PASSWORD, UNKNOWN_FILE, Stage, bearer
from services.auth.tests.test_bots import create
from services.auth.tests.test_second_factor import set_up
from sidetone.auth.app import operation, purging
from sidetone.auth.application.find_users import FindUsers
from sidetone.auth.domain.account import Account
from sidetone.protocol.events import AccountClosed, Around, LoginEnded, UserChanged
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.questions import WhoAre
from sidetone.protocol.refusals import Conflict, Invalid

Json = dict[str, Any]
ADA = UserId(UUID(int=0xADA))
PICTURE, OTHER_PICTURE = FileId(UUID(int=0xA1)), FileId(UUID(int=0xA2))


async def edit(stage: Stage, login: Json, version: str | None = None, **changes: object) -> Any:
    headers = bearer(login["access_token"]) | ({"if-match": version} if version else {})
    return await stage.client.patch("/auth/me", json=changes, headers=headers)


async def test_a_profile_is_edited_and_everybody_around_is_told(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    answer = await edit(stage, login, display_name="  Ada   L. ", bio="Hello\r\nthere 🦉")
    assert answer.status_code == 200, answer.text
    user = answer.json()
    assert (user["display_name"], user["bio"]) == ("Ada L.", "Hello\nthere 🦉")
    fact = await stage.heard(UserChanged)
    assert fact.audience == Around(UserId(UUID(login["user"])))
    assert isinstance(fact.event, UserChanged)
    assert fact.event.user.display_name == "Ada L."
    assert (await stage.get(f"/auth/users/{login['user']}", login["access_token"])).json() == user


async def test_an_avatar_is_a_file_that_was_claimed_for_it(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    assert (await edit(stage, login, avatar=str(PICTURE))).json()["avatar"] == str(PICTURE)
    assert stage.claimed == [PICTURE]
    assert (await edit(stage, login, bio="x")).json()["avatar"] == str(PICTURE)
    await edit(stage, login, avatar=str(OTHER_PICTURE))
    assert (await edit(stage, login, avatar=None)).json()["avatar"] is None
    assert stage.claimed == [PICTURE, OTHER_PICTURE]
    assert stage.dropped == [PICTURE, OTHER_PICTURE]
    answer = await edit(stage, login, avatar=str(UNKNOWN_FILE))
    assert (answer.status_code, answer.json()["code"]) == (404, "file_unknown")


async def test_an_edit_of_an_old_version_is_refused(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    first = (await stage.get("/auth/me", login["access_token"])).headers["etag"]
    answer = await edit(stage, login, first, bio="one")
    assert answer.status_code == 200
    stale = await edit(stage, login, first, bio="two")
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_version")
    assert (await edit(stage, login, answer.headers["etag"], bio="two")).status_code == 200
    me = await stage.get("/auth/me", login["access_token"])
    assert me.headers["etag"] not in {first, answer.headers["etag"]}
    assert me.json()["user"]["bio"] == "two"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"display_name": "x" * 33}, "text_too_long"),
        ({"display_name": "x" * 3300}, "text_too_long"),
        ({"display_name": "a\u202eb"}, "text_unreadable"),
        ({"bio": "x" * 501}, "text_too_long"),
        ({"bio": "x" * 5010}, "text_too_long"),
        ({"bio": "a\x07b"}, "text_unreadable"),
    ],
    ids=str,
)
async def test_a_profile_that_cannot_be_shown_is_refused(
    stage: Stage, changes: Json, code: str
) -> None:
    login = await stage.sign_up("Ada")
    answer = await edit(stage, login, **changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_people_are_found_by_id_and_by_name(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    token = ada["access_token"]
    ids = [ben["user"], str(uuid4()), ada["user"], ben["user"]]
    found = await stage.client.get("/auth/users", params={"ids": ids}, headers=bearer(token))
    assert [user["name"] for user in found.json()] == ["Ben", "Ada"]
    assert (await stage.get("/auth/users/named/bEN", token)).json()["id"] == ben["user"]
    for name in ("Be", "Benn", "%00", "n" * 500):
        assert (await stage.get(f"/auth/users/named/{name}", token)).status_code == 404
    assert (await stage.get(f"/auth/users/{uuid4()}", token)).status_code == 404
    assert (await stage.get("/auth/users", token)).status_code == 400
    too_many = {"ids": [str(uuid4())] * 101}
    answer = await stage.client.get("/auth/users", params=too_many, headers=bearer(token))
    assert answer.status_code == 400


async def test_services_ask_who_people_are_and_hear_what_changed(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    ada = UserId(UUID(login["user"]))
    [user] = await stage.bus.ask(WhoAre([ada, UserId(uuid4()), ada]))
    assert user.display_name == ""
    await edit(stage, login, display_name="Countess")
    await stage.heard(UserChanged)
    [user] = await stage.bus.ask(WhoAre([ada]))
    assert user.display_name == "Countess"
    with pytest.raises(Invalid, match="users_too_many"):
        await stage.bus.ask(WhoAre([UserId(uuid4()) for _ in range(501)]))


class Overtaken:
    """Accounts whose reader is overtaken by a change."""

    def __init__(self) -> None:
        self.reads = 0
        self.hear: Any = None
        self.fact: Any = None

    async def many(self, users: list[UserId]) -> list[Account]:
        self.reads += 1
        if self.fact is not None:
            await self.hear(self.fact)
        return [Account(user, "Ada", "") for user in users]


async def test_what_a_change_overtook_or_nobody_follows_is_not_held(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    await edit(stage, login, display_name="Countess")
    accounts = Overtaken()
    find = FindUsers(accounts)  # type: ignore[arg-type]
    await find(ADA)
    await find(ADA)
    assert accounts.reads == 2
    find.begin_holding()
    accounts.hear, accounts.fact = find.hear, await stage.heard(UserChanged)
    await find(ADA)
    accounts.fact = None
    await find(ADA)
    await find(ADA)
    assert accounts.reads == 4


async def test_an_export_holds_what_is_kept_and_no_secret(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    await stage.put_device(login, stage.identity(login))
    bot = await create(stage, login)
    answer = await stage.get("/auth/export", login["access_token"])
    export = answer.json()
    assert export["me"]["user"]["name"] == "Ada"
    assert len(export["logins"]) == len(export["devices"]) == len(export["bots"]) == 1
    assert export["elsewhere"]
    for secret in (PASSWORD, "argon2", login["refresh_token"], bot["token"]):
        assert secret not in answer.text


async def close(stage: Stage, login: Json) -> int:
    token = login["access_token"]
    answer = await stage.post("/auth/me/deletion", token, password=PASSWORD)
    assert answer.status_code == 201, answer.text
    confirmed = await stage.post("/auth/me/deletion/confirm", token, token=answer.json()["token"])
    return confirmed.status_code


async def test_a_closed_account_is_forgotten_but_its_name_is_not_free(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    await edit(stage, ada, avatar=str(PICTURE), display_name="Countess", bio="secret life")
    await stage.put_device(ada, stage.identity(ada))
    bot = await create(stage, ada)
    assert await close(stage, ada) == 204
    ended = [await stage.heard(LoginEnded), await stage.heard(AccountClosed)]
    assert {str(fact.event.user) for fact in ended} == {bot["bot"]["user"]}  # type: ignore[union-attr]
    ended = [await stage.heard(LoginEnded), await stage.heard(AccountClosed)]
    assert {str(fact.event.user) for fact in ended} == {ada["user"]}  # type: ignore[union-attr]
    assert stage.dropped == [PICTURE]
    for user in (ada["user"], bot["bot"]["user"]):
        assert (await stage.get(f"/auth/users/{user}", ben["access_token"])).status_code == 404
    assert (await stage.get("/auth/users/named/Ada", ben["access_token"])).status_code == 404
    assert (await stage.log_in("Ada")).status_code == 401
    assert (await stage.refresh(ada["refresh_token"])).status_code == 401
    assert (await stage.get("/auth/me", ada["access_token"])).status_code == 401
    assert (await stage.post("/auth/bots/token", token=bot["token"])).status_code == 401
    answer = await stage.post("/auth/register", name="ada", password=PASSWORD)
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


async def test_nothing_personal_is_left_of_a_closed_account(stage: Stage) -> None:
    ada = await stage.sign_up("Ada")
    await edit(stage, ada, display_name="Countess", bio="secret life")
    await stage.put_device(ada, stage.identity(ada))
    await set_up(stage, await stage.sign_up("Ben"))
    assert await close(stage, ada) == 204
    for table in ("logins", "devices", "totp", "recovery_codes", "passkeys", "addresses"):
        rows = await stage.database.fetch(
            f"SELECT count(*) FROM {table} WHERE account = :user", {"user": UUID(ada["user"])}
        )
        assert rows == [(0,)], table
    [row] = await stage.database.fetch(
        "SELECT * FROM accounts WHERE id = :user", {"user": UUID(ada["user"])}
    )
    assert not {"Countess", "secret life", "Ada"} & {*row}


async def test_closing_takes_proof_and_two_steps(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    token = ada["access_token"]
    answer = await stage.post("/auth/me/deletion", token, password="not the password")
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_wrong")
    begun = (await stage.post("/auth/me/deletion", token, password=PASSWORD)).json()["token"]
    for who, what in ((ben, begun), (ada, "A" * 43)):
        answer = await stage.post("/auth/me/deletion/confirm", who["access_token"], token=what)
        assert (answer.status_code, answer.json()["code"]) == (404, "deletion_unknown")
    assert (await stage.log_in("Ada")).status_code == 200


async def test_a_deletion_is_confirmed_within_ten_minutes(stage: Stage) -> None:
    ada = await stage.sign_up("Ada")
    begun = await stage.post("/auth/me/deletion", ada["access_token"], password=PASSWORD)
    stage.clock.offset_ms += 599_000
    ada = (await stage.refresh(ada["refresh_token"])).json()
    stage.clock.offset_ms += 1_000
    answer = await stage.post(
        "/auth/me/deletion/confirm", ada["access_token"], token=begun.json()["token"]
    )
    assert answer.status_code == 404


async def test_devices_are_listed_and_forgotten_by_their_owner_alone(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    identity = stage.identity(ada)
    await stage.put_device(ada, identity)
    path = f"/auth/devices/{UUID(bytes=identity.device)}"
    [listed] = (await stage.get("/auth/devices", ada["access_token"])).json()
    assert listed["id"] == str(UUID(bytes=identity.device))
    assert (await stage.delete(path, ben["access_token"])).status_code == 404
    assert (await stage.delete(path, ada["access_token"])).status_code == 204
    assert (await stage.delete(path, ada["access_token"])).status_code == 404
    assert (await stage.get("/auth/devices", ada["access_token"])).json() == []


async def test_the_name_of_a_closed_account_is_free_when_an_operator_says_so(
    stage: Stage,
) -> None:
    await stage.sign_up("Ada")
    await stage.sign_up("Ben")
    operate = operation(stage.around)
    with pytest.raises(Conflict, match="name_taken"):
        await operate.create("ada", None)
    await operate.delete("Ada")
    with pytest.raises(Conflict, match="name_taken"):
        await operate.create("ada", None)
    purge = purging(stage.around, 30)
    assert (await purge.due(), await purge()) == (0, 0)
    stage.clock.offset_ms += 31 * 24 * 3_600_000
    assert await purging(stage.around, 0)() == 0
    assert await purge.due() == 1
    assert await purge() == 1
    line, _ = await operate.create("ada", None)
    assert line.name == "ada"
    assert (await operate.find("Ben")).name == "Ben"
