"""Passkeys, with an authenticator made of software."""

import asyncio
from typing import Any

import pytest

from services.auth.tests.authenticator import Authenticator, encode
from services.auth.tests.stage import PASSWORD, Stage
from services.auth.tests.test_second_factor import set_up

Login = dict[str, Any]


async def asked_for_new(stage: Stage, login: Login) -> dict[str, Any]:
    answer = await stage.post("/auth/passkeys/options", login["access_token"], password=PASSWORD)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def add(stage: Stage, login: Login, key: Authenticator, name: str = "phone") -> Any:
    asked = await asked_for_new(stage, login)
    return await stage.post(
        "/auth/passkeys",
        login["access_token"],
        request=asked["request"],
        name=name,
        credential=key.make(asked["options"]),
    )


async def use(stage: Stage, key: Authenticator, challenge: str = "", **changes: Any) -> Any:
    asked = await stage.post("/auth/login/passkey/options", challenge=challenge)
    assert asked.status_code == 200, asked.text
    body = asked.json()
    return await stage.post(
        "/auth/login/passkey",
        request=body["request"],
        credential=key.use(body["options"], **changes),
    )


async def test_a_passkey_logs_in_without_name_and_password(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    added = await add(stage, login, key)
    assert added.status_code == 201, added.text
    stage.clock.offset_ms += 1_000
    for _ in range(2):
        answer = await use(stage, key)
        assert answer.status_code == 200, answer.text
        assert answer.json()["name"] == "Ada"
    [listed] = (await stage.get("/auth/passkeys", login["access_token"])).json()
    assert listed["id"] == added.json()["id"]
    assert listed["name"] == "phone"
    assert listed["used_at_ms"] == listed["created_at_ms"] + 1_000


async def test_a_passkey_alone_is_enough_where_there_is_an_app(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    await set_up(stage, login)
    assert (await use(stage, key)).status_code == 200


async def test_a_passkey_is_a_second_factor(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    await set_up(stage, login)
    asked = (await stage.log_in("Ada")).json()
    assert asked["methods"] == ["code", "passkey"]
    options = await stage.post("/auth/login/passkey/options", challenge=asked["challenge"])
    allowed = options.json()["options"]["allowCredentials"]
    assert [each["id"] for each in allowed] == [encode(key.credential)]
    answer = await use(stage, key, asked["challenge"])
    assert answer.status_code == 200, answer.text
    again = await stage.post("/auth/login/passkey/options", challenge=asked["challenge"])
    assert (again.status_code, again.json()["code"]) == (401, "challenge_invalid")


async def test_anothers_passkey_is_no_second_factor(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    hers, his = Authenticator(), Authenticator()
    await add(stage, ada, hers)
    await add(stage, ben, his)
    await set_up(stage, ada)
    challenge = (await stage.log_in("Ada")).json()["challenge"]
    answer = await use(stage, his, challenge)
    assert (answer.status_code, answer.json()["code"]) == (401, "challenge_invalid")


async def test_presence_alone_logs_nobody_in(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    key._flags = 0x01
    answer = await use(stage, key)
    assert (answer.status_code, answer.json()["code"]) == (401, "passkey_wrong")


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://evil.example"},
        {"asked": encode(bytes(32))},
        {"kind": "webauthn.create"},
        {"rp_id": "evil.example"},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    ],
    ids=str,
)
async def test_an_answer_that_does_not_hold_is_refused(
    stage: Stage, changes: dict[str, Any]
) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    answer = await use(stage, key, **changes)
    assert (answer.status_code, answer.json()["code"]) == (401, "passkey_wrong")
    assert (await use(stage, key)).status_code == 200


async def test_an_answer_works_once(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    body = (await stage.post("/auth/login/passkey/options", challenge="")).json()
    answer = key.use(body["options"])
    tried = await asyncio.gather(
        *(
            stage.post("/auth/login/passkey", request=body["request"], credential=answer)
            for _ in range(3)
        )
    )
    assert sorted(each.status_code for each in tried) == [200, 401, 401]


async def test_a_copied_authenticator_is_noticed(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    for _ in range(3):
        assert (await use(stage, key)).status_code == 200
    key.uses = 1
    assert (await use(stage, key)).status_code == 401


async def test_garbage_is_refused_and_nothing_else(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    key = Authenticator()
    await add(stage, login, key)
    for garbage in (
        {},
        {"rawId": 5},
        {"rawId": "\u00e9"},
        {"rawId": encode(key.credential)},
        {"rawId": encode(key.credential), "id": 7, "response": [], "type": "public-key"},
        key.use({"rpId": "localhost", "challenge": ""}) | {"response": {"clientDataJSON": "e30"}},
    ):
        body = (await stage.post("/auth/login/passkey/options", challenge="")).json()
        answer = await stage.post(
            "/auth/login/passkey", request=body["request"], credential=garbage
        )
        assert answer.status_code == 401, garbage
        asked = await asked_for_new(stage, login)
        answer = await stage.post(
            "/auth/passkeys",
            login["access_token"],
            request=asked["request"],
            name="phone",
            credential=garbage,
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "passkey_invalid")


async def test_a_passkey_is_registered_once_and_for_who_asked(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    key = Authenticator()
    assert (await add(stage, ada, key)).status_code == 201
    again = await add(stage, ben, key)
    assert (again.status_code, again.json()["code"]) == (409, "passkey_known")
    asked = await asked_for_new(stage, ada)
    answer = await stage.post(
        "/auth/passkeys",
        ben["access_token"],
        request=asked["request"],
        name="phone",
        credential=Authenticator().make(asked["options"]),
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "request_unknown")


async def test_a_passkey_that_knows_no_user_is_not_registered(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    answer = await add(stage, login, Authenticator(verifies=False))
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey_invalid")


async def test_a_passkey_is_renamed_and_removed_by_its_owner_alone(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    key = Authenticator()
    path = f"/auth/passkeys/{(await add(stage, ada, key)).json()['id']}"
    assert (await stage.patch(path, ben["access_token"], name="mine")).status_code == 404
    assert (await stage.patch(path, ada["access_token"], name="\x00")).status_code == 422
    assert (await stage.patch(path, ada["access_token"], name="laptop")).status_code == 204
    removal = f"{path}/remove"
    no_proof = await stage.post(removal, ada["access_token"], password="not the password")
    assert no_proof.status_code == 403
    theirs = await stage.post(removal, ben["access_token"], password=PASSWORD)
    assert theirs.status_code == 404
    assert (await use(stage, key)).status_code == 200
    gone = await stage.post(removal, ada["access_token"], password=PASSWORD)
    assert gone.status_code == 204
    assert (await use(stage, key)).status_code == 401


async def test_a_login_alone_names_no_credentials(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    await add(stage, login, Authenticator())
    options = (await stage.post("/auth/login/passkey/options", challenge="")).json()["options"]
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
