"""Registering, logging in, staying signed in, logging out."""

import asyncio
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher

from services.auth.tests.stage import PASSWORD, Opener, Stage
from sidetone.auth.app import Policy
from sidetone.auth.domain.login import read_refresh_token
from sidetone.runtime.limits import Limit

DAY_MS = 24 * 3_600_000


def code(answer: Any) -> str:
    return answer.json()["code"]


async def test_who_registers_is_signed_in(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    answer = await stage.get(f"/auth/users/{login['user']}", login["access_token"])
    assert answer.json() == {
        "id": login["user"],
        "name": "Ada",
        "display_name": "",
        "avatar": None,
        "bio": "",
        "bot": False,
    }
    assert login["expires_at_ms"] > stage.clock.now_ms()


async def test_a_password_logs_in_whatever_the_capitals_of_the_name(stage: Stage) -> None:
    await stage.sign_up("Ada")
    answer = await stage.log_in(" aDA ")
    assert answer.status_code == 200
    assert answer.json()["name"] == "Ada"


async def test_a_name_is_taken_in_every_spelling(stage: Stage) -> None:
    await stage.sign_up("Ada")
    for name in ("ada", "ADA", "Ａｄａ", " Ada "):
        answer = await stage.post("/auth/register", name=name, password=PASSWORD)
        assert (answer.status_code, code(answer)) == (409, "name_taken"), name


async def test_of_two_who_want_a_name_at_once_one_gets_it(stage: Stage) -> None:
    answers = await asyncio.gather(
        *(stage.post("/auth/register", name="Ada", password=PASSWORD) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_bad_registration_says_what_is_wrong(stage: Stage) -> None:
    for name, password, expected in (
        ("a", PASSWORD, "name_invalid"),
        ("a" * 33, PASSWORD, "name_invalid"),
        ("a\x00b", PASSWORD, "name_invalid"),
        ("Ada", "short", "password_too_short"),
        ("Ada", "password1234", "password_common"),
        ("Ada", "x" * 2000, "password_too_long"),
    ):
        answer = await stage.post("/auth/register", name=name, password=password)
        assert (answer.status_code, code(answer)) == (422, expected), (name, password)


async def test_nobody_learns_from_a_refused_login_who_has_an_account(stage: Stage) -> None:
    await stage.sign_up("Ada")
    wrong = await stage.log_in("Ada", "not her password")
    unknown = await stage.log_in("Bob", "not her password")
    impossible = await stage.log_in("\x00", "not her password")
    assert wrong.status_code == unknown.status_code == impossible.status_code == 401
    assert wrong.content == unknown.content == impossible.content
    differing = {"x-request-id", "date"}
    assert {k: v for k, v in wrong.headers.items() if k not in differing} == {
        k: v for k, v in unknown.headers.items() if k not in differing
    }


async def test_a_hash_with_older_parameters_is_renewed_at_login(open_stage: Opener) -> None:
    stage = await open_stage(Policy())
    await stage.sign_up("Ada")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await stage.database.execute("UPDATE accounts SET password_hash = :weak", {"weak": weak})
    assert (await stage.log_in("Ada")).status_code == 200
    [[stored]] = await stage.database.fetch("SELECT password_hash FROM accounts", {})
    assert str(stored).startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert (await stage.log_in("Ada")).status_code == 200


async def test_a_refresh_token_keeps_the_login_and_works_once(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    answer = await stage.refresh(login["refresh_token"])
    assert answer.status_code == 200
    following = answer.json()
    assert following["user"] == login["user"]
    assert following["refresh_token"] != login["refresh_token"]
    assert (await stage.refresh(following["refresh_token"])).status_code == 200


async def test_a_reused_refresh_token_ends_the_whole_family(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    other = (await stage.log_in("Ada")).json()
    second = (await stage.refresh(login["refresh_token"])).json()
    third = (await stage.refresh(second["refresh_token"])).json()
    answer = await stage.refresh(login["refresh_token"])
    assert (answer.status_code, code(answer)) == (401, "refresh_token_reused")
    answer = await stage.refresh(third["refresh_token"])
    assert (answer.status_code, code(answer)) == (401, "refresh_token_invalid")
    assert (await stage.refresh(other["refresh_token"])).status_code == 200


async def test_of_two_refreshes_at_once_at_most_one_succeeds_and_the_login_ends(
    stage: Stage,
) -> None:
    login = await stage.sign_up("Ada")
    answers = await asyncio.gather(*(stage.refresh(login["refresh_token"]) for _ in range(5)))
    succeeded = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(succeeded) <= 1
    for following in succeeded:
        assert (await stage.refresh(following["refresh_token"])).status_code == 401


async def test_guessing_the_second_half_of_a_token_needs_the_first(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    token = login["refresh_token"]
    invented = ("A" if token[0] != "A" else "B") + token[1:]
    assert (await stage.refresh(invented)).status_code == 401
    assert (await stage.refresh(token)).status_code == 200


async def test_an_invented_refresh_token_is_refused(stage: Stage) -> None:
    for token in ("", "x", "\u00e9" * 86, "A" * 86, "A" * 5000, "\x00" * 86):
        answer = await stage.refresh(token)
        assert (answer.status_code, code(answer)) == (401, "refresh_token_invalid"), token


async def test_an_idle_login_ends_after_thirty_days(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    stage.clock.offset_ms += 30 * DAY_MS - 60_000
    following = (await stage.refresh(login["refresh_token"])).json()
    stage.clock.offset_ms += 30 * DAY_MS
    assert (await stage.refresh(following["refresh_token"])).status_code == 401


async def test_a_login_ends_after_ninety_days_however_busy(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    for _ in range(5):
        stage.clock.offset_ms += 15 * DAY_MS
        login = (await stage.refresh(login["refresh_token"])).json()
    stage.clock.offset_ms += 15 * DAY_MS
    assert (await stage.refresh(login["refresh_token"])).status_code == 401


async def test_logging_out_ends_the_login_and_may_be_repeated(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    for _ in range(2):
        answer = await stage.post("/auth/logout", refresh_token=login["refresh_token"])
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await stage.refresh(login["refresh_token"])).status_code == 401
    assert (await stage.post("/auth/logout", refresh_token="garbage")).status_code == 204


async def test_an_account_keeps_its_newest_hundred_logins(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    [[account]] = await stage.database.fetch("SELECT id FROM accounts", {})
    now_ms = stage.clock.now_ms()
    await stage.database.execute_many(
        """
        INSERT INTO logins
            (id, account, family_sha256, secret_sha256, created_at_ms, used_at_ms)
        VALUES (:id, :account, :family, :family, :now, :now)
        """,
        [
            {"id": uuid4(), "account": account, "family": bytes([i]), "now": now_ms + i}
            for i in range(1, 151)
        ],
    )
    newest = (await stage.log_in("Ada")).json()
    [[count]] = await stage.database.fetch("SELECT count(*) FROM logins", {})
    assert count == 100
    assert (await stage.refresh(login["refresh_token"])).status_code == 401
    assert (await stage.refresh(newest["refresh_token"])).status_code == 200


async def test_the_database_holds_no_refresh_token_and_no_password(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    await stage.refresh(login["refresh_token"])
    rows = [
        await stage.database.fetch(f"SELECT * FROM {table} LIMIT 50", {})
        for table in ("accounts", "logins")
    ]
    text = repr(rows)
    assert PASSWORD not in text
    token = read_refresh_token(login["refresh_token"])
    assert token is not None
    for secret in (token.family, token.secret):
        assert repr(secret) not in text


async def test_the_sixth_login_of_an_account_in_a_minute_must_wait(open_stage: Opener) -> None:
    stage = await open_stage(Policy())
    await stage.sign_up("Ada")
    answers = [await stage.log_in("Ada", "wrong password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "12"
    assert (await stage.log_in("ADA")).status_code == 429
    stage.clock.offset_ms += 12_000
    assert (await stage.log_in("Ada")).status_code == 200


async def test_an_unknown_account_is_limited_like_a_known_one(open_stage: Opener) -> None:
    stage = await open_stage(Policy())
    answers = [await stage.log_in("Nobody", "wrong password") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_an_address_may_try_twenty_logins_a_minute(open_stage: Opener) -> None:
    stage = await open_stage(Policy())
    answers = [await stage.log_in(f"nobody{number}", "wrong password") for number in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]


async def test_a_forged_forwarding_header_changes_no_limit(open_stage: Opener) -> None:
    stage = await open_stage(Policy(login_per_address=Limit(2, 60_000)))
    statuses = [
        (
            await stage.client.post(
                "/auth/login",
                json={"name": f"nobody{number}", "password": "wrong password"},
                headers={"x-forwarded-for": f"192.0.2.{number}"},
            )
        ).status_code
        for number in range(3)
    ]
    assert statuses == [401, 401, 429]


async def test_an_address_may_register_ten_accounts_a_minute(open_stage: Opener) -> None:
    stage = await open_stage(Policy())
    answers = [
        await stage.post("/auth/register", name=f"user{number}", password="short")
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
