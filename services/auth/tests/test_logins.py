"""Seeing and ending logins; what ends one is told at once and everywhere."""

import pytest

from services.auth.tests.stage import PASSWORD, Opener, Stage, login_of
from sidetone.auth.app import Policy
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.auth.infrastructure.store import StoreDenials
from sidetone.protocol.events import LoginEnded, Services
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.callers import denied_key
from sidetone.runtime.limits import Limit, Limiter

NEW_PASSWORD = "a walk along the river"


async def test_a_user_sees_where_they_are_logged_in(stage: Stage) -> None:
    here = await stage.sign_up("Ada")
    await stage.client.post(
        "/auth/login",
        json={"name": "Ada", "password": PASSWORD},
        headers={"user-agent": "Sidetone/1.0 (phone)" + "x" * 200},
    )
    stage.clock.offset_ms += 5_000
    await stage.refresh(here["refresh_token"])
    logins = (await stage.get("/auth/logins", here["access_token"])).json()
    assert [login["current"] for login in logins] == [True, False]
    assert logins[0]["used_at_ms"] == logins[0]["created_at_ms"] + 5_000
    assert logins[1]["client"].startswith("Sidetone/1.0 (phone)")
    assert len(logins[1]["client"]) == 120
    assert {login["address"] for login in logins} == {"127.0.0.0/24"}


async def test_a_login_that_nobody_used_for_a_month_is_not_shown(stage: Stage) -> None:
    await stage.sign_up("Ada")
    stage.clock.offset_ms += 30 * 24 * 3_600_000
    here = (await stage.log_in("Ada")).json()
    assert len((await stage.get("/auth/logins", here["access_token"])).json()) == 1


async def test_an_ended_login_is_over_at_once(stage: Stage) -> None:
    here = await stage.sign_up("Ada")
    other = (await stage.log_in("Ada")).json()
    answer = await stage.delete(f"/auth/logins/{login_of(other)}", here["access_token"])
    assert answer.status_code == 204
    fact = await stage.heard(LoginEnded)
    assert isinstance(fact.audience, Services)
    assert isinstance(fact.event, LoginEnded)
    assert str(fact.event.login) == login_of(other)
    assert await stage.around.store.get(denied_key(fact.event.login)) is not None
    assert (await stage.get("/auth/export", other["access_token"])).status_code == 401
    assert (await stage.refresh(other["refresh_token"])).status_code == 401
    assert (await stage.refresh(here["refresh_token"])).status_code == 200


async def test_another_users_login_is_unknown(stage: Stage) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    answer = await stage.delete(f"/auth/logins/{login_of(ben)}", ada["access_token"])
    assert (answer.status_code, answer.json()["code"]) == (404, "login_unknown")
    assert (await stage.refresh(ben["refresh_token"])).status_code == 200


async def test_all_other_logins_end_together(stage: Stage) -> None:
    here = await stage.sign_up("Ada")
    others = [(await stage.log_in("Ada")).json() for _ in range(2)]
    assert (await stage.delete("/auth/logins", here["access_token"])).status_code == 204
    for other in others:
        assert (await stage.get("/auth/export", other["access_token"])).status_code == 401
        assert (await stage.refresh(other["refresh_token"])).status_code == 401
    assert (await stage.refresh(here["refresh_token"])).status_code == 200


async def test_logging_out_and_a_stolen_token_end_access_too(stage: Stage) -> None:
    first = await stage.sign_up("Ada")
    await stage.post("/auth/logout", refresh_token=first["refresh_token"])
    await stage.heard(LoginEnded)
    assert (await stage.get("/auth/export", first["access_token"])).status_code == 401
    second = (await stage.log_in("Ada")).json()
    following = (await stage.refresh(second["refresh_token"])).json()
    await stage.refresh(second["refresh_token"])
    await stage.heard(LoginEnded)
    assert (await stage.get("/auth/export", following["access_token"])).status_code == 401


async def test_a_changed_password_ends_the_other_logins(stage: Stage) -> None:
    here = await stage.sign_up("Ada")
    other = (await stage.log_in("Ada")).json()
    answer = await stage.put(
        "/auth/password",
        here["access_token"],
        new_password=NEW_PASSWORD,
        proof={"password": PASSWORD},
    )
    assert answer.status_code == 204, answer.text
    assert (await stage.log_in("Ada")).status_code == 401
    assert (await stage.log_in("Ada", NEW_PASSWORD)).status_code == 200
    assert (await stage.refresh(other["refresh_token"])).status_code == 401
    assert (await stage.get("/auth/export", other["access_token"])).status_code == 401
    assert (await stage.refresh(here["refresh_token"])).status_code == 200


async def test_a_password_is_not_changed_without_the_old_one_or_to_a_bad_one(
    stage: Stage,
) -> None:
    here = await stage.sign_up("Ada")
    for password, new, expected in (
        ("not the password", NEW_PASSWORD, (403, "proof_wrong")),
        ("", NEW_PASSWORD, (403, "proof_wrong")),
        (PASSWORD, "short", (422, "password_too_short")),
        (PASSWORD, "password1234", (422, "password_common")),
    ):
        answer = await stage.put(
            "/auth/password",
            here["access_token"],
            new_password=new,
            proof={"password": password},
        )
        assert (answer.status_code, answer.json()["code"]) == expected
    assert (await stage.log_in("Ada")).status_code == 200


async def test_whoever_stole_a_token_cannot_guess_the_password(open_stage: Opener) -> None:
    stage = await open_stage(Policy(proofs_per_account=Limit(3, 60_000)))
    here = await stage.sign_up("Ada")
    answers = [
        await stage.put(
            "/auth/password",
            here["access_token"],
            new_password=NEW_PASSWORD,
            proof={"password": f"guess number {number}"},
        )
        for number in range(4)
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert answers[-1].headers["retry-after"] == "20"


class BrokenStore:
    """A key-value store that is down."""

    def __getattr__(self, name: str) -> object:
        async def down(*_: object) -> object:
            raise Unavailable("store_unavailable", "the store is down")

        return down


async def test_a_login_that_ends_while_the_store_is_down_is_denied_later(stage: Stage) -> None:
    here = await stage.sign_up("Ada")
    await stage.post("/auth/logout", refresh_token=here["refresh_token"])
    fact = await stage.heard(LoginEnded)
    broken = StoreDenials(BrokenStore())  # type: ignore[arg-type]
    await broken.deny([])
    try:
        await broken.hear(fact)
    except Unavailable:
        pass
    else:
        raise AssertionError("the journal would not tell it again")


async def test_an_address_with_many_neighbours_has_no_more_tries(open_stage: Opener) -> None:
    stage = await open_stage(Policy(requests_per_network=Limit(3, 60_000)))
    answers = [await stage.refresh("A" * 86) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


async def test_the_limits_of_logging_in_fail_closed() -> None:
    limiter = Limiter(BrokenStore(), "login", Limit(5, 60_000))  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        await Throttle(limiter, limiter).take(Client("", "192.0.2.1"))
