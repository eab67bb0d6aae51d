"""Authenticator apps, recovery codes, and what they are needed for."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp.totp import TOTP

from services.auth.tests.stage import PASSWORD, Opener, Stage
from sidetone.auth.app import Policy
from sidetone.auth.domain.second_factor import (
    accepted_step,
    recovery_codes,
    recovery_sha256,
)
from sidetone.runtime.limits import Limit

STEP_MS = 30_000


class App:
    """The authenticator app of a user."""

    def __init__(self, stage: Stage, secret: str) -> None:
        self._stage = stage
        self._totp = TOTP(secret)

    def code(self) -> str:
        """Return the code of now; each call is half a minute later than the one before."""
        self._stage.clock.offset_ms += STEP_MS
        return self._totp.generate_otp(self._stage.clock.now_ms() // STEP_MS)

    def same_code(self, steps: int = 0) -> str:
        return self._totp.generate_otp(self._stage.clock.now_ms() // STEP_MS + steps)


async def set_up(stage: Stage, login: dict[str, Any]) -> tuple[App, list[str]]:
    token = login["access_token"]
    answer = await stage.post("/auth/totp", token, password=PASSWORD)
    assert answer.status_code == 201, answer.text
    assert answer.json()["uri"].startswith("otpauth://totp/Sidetone:")
    app = App(stage, answer.json()["secret"])
    answer = await stage.post("/auth/totp/confirm", token, code=app.code())
    assert answer.status_code == 201, answer.text
    return app, answer.json()["codes"]


async def challenged(stage: Stage) -> str:
    answer = await stage.log_in("Ada")
    assert answer.status_code == 200
    assert answer.json()["type"] == "second_factor_required"
    return answer.json()["challenge"]


async def finish(stage: Stage, challenge: str, code: str) -> tuple[int, str]:
    answer = await stage.post("/auth/login/code", challenge=challenge, code=code)
    body = answer.json()
    return answer.status_code, body.get("code") or body["name"]


async def test_a_login_needs_the_code_as_well(stage: Stage) -> None:
    app, _ = await set_up(stage, await stage.sign_up("Ada"))
    answer = (await stage.log_in("Ada")).json()
    assert set(answer) == {"type", "challenge", "methods", "expires_at_ms"}
    assert answer["methods"] == ["code"]
    assert await finish(stage, answer["challenge"], "000000") == (401, "code_wrong")
    assert await finish(stage, answer["challenge"], app.code()) == (200, "Ada")
    assert await finish(stage, answer["challenge"], app.code()) == (401, "challenge_invalid")


async def test_a_code_works_once(stage: Stage) -> None:
    app, _ = await set_up(stage, await stage.sign_up("Ada"))
    code = app.code()
    assert await finish(stage, await challenged(stage), code) == (200, "Ada")
    assert await finish(stage, await challenged(stage), code) == (401, "code_wrong")
    before = app.same_code(-1)
    assert await finish(stage, await challenged(stage), before) == (401, "code_wrong")


async def test_of_two_uses_of_a_code_at_once_one_counts(stage: Stage) -> None:
    app, _ = await set_up(stage, await stage.sign_up("Ada"))
    challenges = [await challenged(stage) for _ in range(4)]
    code = app.code()
    answers = await asyncio.gather(*(finish(stage, each, code) for each in challenges))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_of_two_finishes_of_a_challenge_at_once_one_counts(stage: Stage) -> None:
    _, codes = await set_up(stage, await stage.sign_up("Ada"))
    challenge = await challenged(stage)
    answers = await asyncio.gather(*(finish(stage, challenge, code) for code in codes[:4]))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_a_challenge_is_over_after_five_minutes(stage: Stage) -> None:
    app, _ = await set_up(stage, await stage.sign_up("Ada"))
    challenge = await challenged(stage)
    stage.clock.offset_ms += 5 * 60_000
    assert await finish(stage, challenge, app.code()) == (401, "challenge_invalid")
    assert await finish(stage, "invented", app.code()) == (401, "challenge_invalid")


async def test_guessing_codes_is_limited_per_account(open_stage: Opener) -> None:
    policy = Policy(codes_per_account=Limit(4, 3_600_000))
    stage = await open_stage(policy)
    app, _ = await set_up(stage, await stage.sign_up("Ada"))
    challenge = await challenged(stage)
    statuses = [(await finish(stage, challenge, f"00000{n}"))[0] for n in range(3)]
    assert statuses == [401, 401, 401]
    answer = await stage.post("/auth/login/code", challenge=challenge, code=app.same_code())
    assert answer.status_code == 429


async def test_a_recovery_code_works_once_in_any_spelling(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    _, codes = await set_up(stage, login)
    assert len(set(codes)) == 10
    spelled = codes[0].lower().replace("-", " ")
    assert await finish(stage, await challenged(stage), spelled) == (200, "Ada")
    assert await finish(stage, await challenged(stage), codes[0]) == (401, "code_wrong")
    me = (await stage.get("/auth/me", login["access_token"])).json()
    assert (me["totp"], me["recovery_codes"]) == (True, 9)


async def test_new_recovery_codes_make_the_old_ones_void(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    app, codes = await set_up(stage, login)
    answer = await stage.post(
        "/auth/recovery-codes", login["access_token"], password=PASSWORD, code=app.code()
    )
    assert answer.status_code == 201
    assert await finish(stage, await challenged(stage), codes[0]) == (401, "code_wrong")
    fresh = answer.json()["codes"][9]
    assert await finish(stage, await challenged(stage), fresh) == (200, "Ada")


async def test_nobody_sets_up_or_removes_an_app_with_a_token_alone(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    token = login["access_token"]
    answer = await stage.post("/auth/totp", token, password="not the password")
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_wrong")
    app, _ = await set_up(stage, login)
    for path in ("/auth/totp/remove", "/auth/recovery-codes", "/auth/me/deletion"):
        answer = await stage.post(path, token, password=PASSWORD)
        assert (answer.status_code, answer.json()["code"]) == (403, "code_wrong"), path
    answer = await stage.post("/auth/totp/remove", token, password=PASSWORD, code=app.code())
    assert answer.status_code == 204
    assert (await stage.log_in("Ada")).json()["type"] == "logged_in"


async def test_an_app_that_was_not_confirmed_is_asked_for_nothing(stage: Stage) -> None:
    login = await stage.sign_up("Ada")
    token = login["access_token"]
    answer = await stage.post("/auth/totp/confirm", token, code="123456")
    assert (answer.status_code, answer.json()["code"]) == (409, "totp_not_begun")
    await stage.post("/auth/totp", token, password=PASSWORD)
    answer = await stage.post("/auth/totp/confirm", token, code="123456")
    assert (answer.status_code, answer.json()["code"]) == (422, "code_wrong")
    assert (await stage.log_in("Ada")).json()["type"] == "logged_in"
    await set_up(stage, login)
    answer = await stage.post("/auth/totp", token, password=PASSWORD, code="123456")
    assert answer.status_code == 403


async def test_the_database_holds_no_recovery_code(stage: Stage) -> None:
    _, codes = await set_up(stage, await stage.sign_up("Ada"))
    rows = await stage.database.fetch("SELECT code_sha256 FROM recovery_codes", {})
    assert not any(code.encode() in repr(rows).encode() for code in codes)


SECRET = bytes(range(20))
NOW_MS = int(time.time() * 1000) // STEP_MS * STEP_MS
NOW_STEP = NOW_MS // STEP_MS


@pytest.mark.parametrize(
    ("off", "last", "accepted"),
    [
        (0, 0, True),
        (-1, 0, True),
        (1, 0, True),
        (-2, 0, False),
        (2, 0, False),
        (0, NOW_STEP, False),
        (-1, NOW_STEP, False),
        (1, NOW_STEP, True),
    ],
)
def test_a_code_counts_a_step_early_or_late_but_never_again(
    off: int, last: int, accepted: bool
) -> None:
    code = TOTP("AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT").generate_otp(NOW_STEP + off)
    expected = NOW_STEP + off if accepted else None
    assert accepted_step(SECRET, code, last, NOW_MS) == expected


@given(st.text())
def test_garbage_is_no_code(text: str) -> None:
    assert accepted_step(SECRET, text, NOW_STEP + 1, NOW_MS) is None
    found = recovery_sha256(text)
    assert found is None or len(found) == 32


@given(st.binary(min_size=100, max_size=100))
def test_every_recovery_code_is_read_back(random: bytes) -> None:
    assert all(recovery_sha256(code) is not None for code in recovery_codes(random))
