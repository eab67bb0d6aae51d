"""The same stories on SQLite in one process, and on PostgreSQL, Valkey and NATS."""

import asyncio
from contextlib import AsyncExitStack
from importlib.resources import files
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
import pytest

from services.auth.tests import test_mail, test_providers, test_second_factor
from services.auth.tests.authenticator import Authenticator
from services.auth.tests.stage import PASSWORD, PATIENT, Stage, StillClock, raised
from services.auth.tests.test_bots import create
from services.auth.tests.test_passkeys import add, use
from services.auth.tests.test_people import close, edit
from sidetone.auth.app import rotate_keys
from sidetone.auth.infrastructure.store import StoreChallenges
from sidetone.protocol.events import AccountClosed, LoginEnded, UserChanged
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import WhoAre
from sidetone.storage.migrations import migrate, revert
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines
from tests.surroundings import TOPOLOGIES, Topology, open_surroundings


async def test_logins_end_everywhere(any_stage: Stage) -> None:
    stage = any_stage
    here = await stage.sign_up("Ada")
    others = [(await stage.log_in("Ada")).json() for _ in range(2)]
    assert len((await stage.get("/auth/logins", here["access_token"])).json()) == 3
    assert (await stage.delete("/auth/logins", here["access_token"])).status_code == 204
    for other in others:
        await stage.heard(LoginEnded)
        assert (await stage.get("/auth/export", other["access_token"])).status_code == 401
    following = (await stage.refresh(here["refresh_token"])).json()
    assert (await stage.refresh(here["refresh_token"])).status_code == 401
    assert (await stage.refresh(following["refresh_token"])).status_code == 401


async def test_an_account_keeps_its_newest_hundred_logins(any_stage: Stage) -> None:
    stage = any_stage
    login = await stage.sign_up("Ada")
    now_ms = stage.clock.now_ms()
    await stage.database.execute_many(
        """
        INSERT INTO logins
            (id, account, family_sha256, secret_sha256, created_at_ms, used_at_ms)
        VALUES (:id, :account, :family, :family, :now, :now)
        """,
        [
            {
                "id": uuid4(),
                "account": UUID(login["user"]),
                "family": bytes([n]),
                "now": now_ms + n,
            }
            for n in range(1, 121)
        ],
    )
    await stage.log_in("Ada")
    [[count]] = await stage.database.fetch("SELECT count(*) FROM logins", {})
    assert count == 100


async def test_factors_of_every_kind(any_stage: Stage) -> None:
    stage = any_stage
    login = await stage.sign_up("Ada")
    key = Authenticator()
    assert (await add(stage, login, key)).status_code == 201
    app, codes = await test_second_factor.set_up(stage, login)
    assert (await use(stage, key)).status_code == 200
    finish, challenged = test_second_factor.finish, test_second_factor.challenged
    code = app.code()
    for attempt, expected in ((code, 200), (code, 401), (codes[0], 200), (codes[0], 401)):
        assert (await finish(stage, await challenged(stage), attempt))[0] == expected
    challenge = await challenged(stage)
    assert (await use(stage, key, challenge)).status_code == 200
    proof = {"password": PASSWORD, "code": app.code()}
    answer = await stage.post("/auth/recovery-codes", login["access_token"], **proof)
    assert answer.status_code == 201
    [passkey] = (await stage.get("/auth/passkeys", login["access_token"])).json()
    proof = {"password": PASSWORD, "code": answer.json()["codes"][0]}
    path = f"/auth/passkeys/{passkey['id']}"
    assert (await stage.patch(path, login["access_token"], name="new")).status_code == 204
    gone = await stage.post(f"{path}/remove", login["access_token"], **proof)
    assert gone.status_code == 204
    proof = {"password": PASSWORD, "code": answer.json()["codes"][1]}
    assert (
        await stage.post("/auth/totp/remove", login["access_token"], **proof)
    ).status_code == 204


async def test_of_many_takers_of_a_challenge_one_gets_it(any_stage: Stage) -> None:
    challenges = StoreChallenges(any_stage.around.store)
    for _ in range(20):
        secret = await challenges.put("test", b"value", 60_000)
        assert await challenges.peek("test", secret) == b"value"
        taken = await asyncio.gather(*(challenges.take("test", secret) for _ in range(8)))
        assert sorted(one or b"" for one in taken) == [b""] * 7 + [b"value"]
        assert await challenges.peek("test", secret) is None
        assert await challenges.take("other", secret) is None


async def test_mail_resets_a_password(any_stage: Stage, tmp_path: Path) -> None:
    await test_mail.test_a_reset_replaces_the_password_once_and_ends_all_logins(
        any_stage, tmp_path
    )
    login = await any_stage.sign_up("Ben")
    assert await test_mail.give_address(any_stage, login) == 202
    mail = (await test_mail.mails(tmp_path, 3))[-1]
    answer = await any_stage.post("/auth/address/verify", token=test_mail.token_in(mail))
    assert (answer.status_code, answer.json()["code"]) == (409, "address_taken")


async def test_a_provider_makes_and_links_accounts(any_stage: Stage) -> None:
    stage, provider = any_stage, any_stage.provider
    await test_providers.register(stage, provider)
    taken = await test_providers.come_back(stage, provider)
    assert taken.json()["name"] == "Ada"
    ben = await stage.sign_up("Ben")
    assert (await test_providers.link(stage, provider, ben)).status_code == 409
    provider.subject = "person-2"
    assert (await test_providers.link(stage, provider, ben)).status_code == 204
    gone = await stage.delete("/auth/identities/house", ben["access_token"])
    assert gone.status_code == 204


async def test_bots_profiles_and_the_end(any_stage: Stage) -> None:
    stage = any_stage
    login = await stage.sign_up("Ada")
    made = await create(stage, login)
    path = f"/auth/bots/{made['bot']['user']}"
    await stage.patch(path, login["access_token"], scopes=["read"])
    fresh = (await stage.post(f"{path}/token", login["access_token"])).json()
    assert (await stage.post("/auth/bots/token", token=fresh["token"])).status_code == 200
    assert (await edit(stage, login, display_name="Countess")).status_code == 200
    await stage.heard(UserChanged)
    [user] = await stage.bus.ask(WhoAre([UserId(UUID(login["user"])), UserId(uuid4())]))
    assert user.display_name == "Countess"
    await stage.put_device(login, stage.identity(login))
    export = (await stage.get("/auth/export", login["access_token"])).json()
    assert len(export["devices"]) == len(export["bots"]) == 1
    await rotate_keys(stage.database, stage.clock)
    assert await close(stage, login) == 204
    for _ in range(2):
        await stage.heard(AccountClosed)
    answer = await stage.post("/auth/register", name="Ada", password=PASSWORD)
    assert answer.status_code == 409


@pytest.mark.parametrize("topology", TOPOLOGIES)
async def test_the_tables_go_as_they_came(topology: Topology) -> None:
    folder = files("sidetone.auth") / "migrations"
    async with open_surroundings(topology) as around:
        for to in (1, 0):
            await migrate(around.database, "auth", folder)
            await revert(around.database, "auth", folder, to)
        await migrate(around.database, "auth", folder)
        assert await around.database.fetch("SELECT accounts.id FROM bots, accounts", {}) == []


async def test_nobody_gets_in_while_the_store_is_down_and_all_do_afterwards() -> None:
    """Limits and the deny-list fail closed: what cannot be counted is refused."""
    with engines.start_valkey() as engine:
        async with open_surroundings("embedded", clock := StillClock()) as embedded:
            store = await ValkeyKeyValue.open(engine.url)
            around = msgspec.structs.replace(embedded, store=store)
            async with AsyncExitStack() as stack:
                stack.push_async_callback(store.close)
                stage = await raised(stack, around, clock, PATIENT)
                login = await stage.sign_up("Ada")
                engine.kill()
                for answer in (
                    await stage.log_in("Ada"),
                    await stage.refresh(login["refresh_token"]),
                    await stage.get("/auth/export", login["access_token"]),
                    await stage.post("/auth/password/reset", address="ada@example.org"),
                ):
                    assert answer.status_code == 503, answer.text
                    assert "retry-after" in answer.headers
                logged_out = await stage.post("/auth/logout", refresh_token=login["refresh_token"])
                assert logged_out.status_code == 204
                engine.start()
                async with asyncio.timeout(30):
                    while (await stage.log_in("Ada")).status_code != 200:  # noqa: ASYNC110 - it comes back by itself
                        await asyncio.sleep(0.05)
                    while (  # noqa: ASYNC110 - the announcement is heard again
                        await stage.get("/auth/export", login["access_token"])
                    ).status_code != 401:
                        await asyncio.sleep(0.05)
                assert (await stage.refresh(login["refresh_token"])).status_code == 401
