"""Logging in with an OpenID provider: the way in, and every way around it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from joserfc.jwk import RSAKey

from services.auth.tests.provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OpenIdProvider,
    open_provider,
    with_query,
)
from services.auth.tests.stage import PASSWORD, PATIENT, Opener, Stage
from services.auth.tests.test_second_factor import set_up
from sidetone.auth.infrastructure.oidc import ProviderPolicy
from sidetone.runtime.clock import SystemClock

REDIRECT = "http://127.0.0.1:49152/oauth/callback"
Json = dict[str, Any]


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    async with open_provider(SystemClock()) as provider:
        yield provider


@pytest.fixture
async def stage(provider: OpenIdProvider, open_stage: Opener) -> Stage:
    policy = ProviderPolicy(
        "house",
        "House",
        provider.issuer,
        CLIENT_ID,
        CLIENT_SECRET,
        redirect_uris=["https://app.example.org/back"],
    )
    stage = await open_stage(msgspec.structs.replace(PATIENT, providers=[policy]))
    provider.clock = stage.clock
    return stage


async def begin(stage: Stage, redirect_uri: str = REDIRECT) -> Json:
    answer = await stage.post("/auth/providers/house/login", redirect_uri=redirect_uri)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def come_back(stage: Stage, provider: OpenIdProvider, **changes: str) -> Any:
    flow = await begin(stage)
    body = {"flow": flow["flow"], **provider.authorize(flow["url"]), **changes}
    return await stage.post("/auth/providers/finish", **body)


async def register(stage: Stage, provider: OpenIdProvider, name: str = "Ada") -> Json:
    ticket = (await come_back(stage, provider)).json()
    assert ticket["type"] == "name_required"
    answer = await stage.post("/auth/providers/register", ticket=ticket["ticket"], name=name)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_the_first_login_makes_an_account_and_the_next_ones_use_it(
    stage: Stage, provider: OpenIdProvider
) -> None:
    assert (await stage.get("/auth/providers")).json() == [{"id": "house", "title": "House"}]
    step = (await come_back(stage, provider)).json()
    assert step["suggestion"] == "ada"
    await stage.sign_up("taken")
    for name, status in (("taken", 409), ("\x00", 422), ("Ada", 201), ("Eve", 401)):
        answer = await stage.post("/auth/providers/register", ticket=step["ticket"], name=name)
        assert answer.status_code == status, name
    again = (await come_back(stage, provider)).json()
    assert (again["type"], again["name"]) == ("logged_in", "Ada")
    me = (await stage.get("/auth/me", again["access_token"])).json()
    assert me["password"] is False
    assert (await stage.log_in("Ada", "")).status_code == 401


async def test_the_request_has_pkce_state_and_nonce_of_its_own_each_time(
    stage: Stage, provider: OpenIdProvider
) -> None:
    flows = [await begin(stage) for _ in range(2)]
    for flow in flows:
        assert flow["url"].startswith(f"{provider.issuer}/authorize?prompt=login&")
        assert flow["flow"] not in flow["url"]
        assert provider.authorize(flow["url"])["state"] == flow["state"]
    seen = [code.query for code in provider.codes.values()]
    for name in ("state", "nonce", "code_challenge"):
        assert len({query[name] for query in seen}) == 2
        assert all(len(query[name]) >= 43 for query in seen)


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://127.0.0.1/oauth/callback",
        "http://127.0.0.1:80/oauth/callback/",
        "http://127.0.0.1:80/oauth/callback?x=1",
        "http://127.0.0.1:99999/oauth/callback",
        "http://127.0.0.1:80@evil.example:80/oauth/callback",
        "http://localhost:80/oauth/callback",
        "https://127.0.0.1:80/oauth/callback",
        "https://evil.example/oauth/callback",
        "https://app.example.org/back/",
        "https://app.example.org/back?x",
        "",
    ],
)
async def test_the_browser_comes_back_where_it_may_and_nowhere_else(
    stage: Stage, redirect_uri: str
) -> None:
    answer = await stage.post("/auth/providers/house/login", redirect_uri=redirect_uri)
    assert (answer.status_code, answer.json()["code"]) == (422, "redirect_not_allowed")


async def test_any_port_of_the_loopback_will_do(stage: Stage) -> None:
    for redirect_uri in (
        "http://127.0.0.1:1/oauth/callback",
        "http://[::1]:65535/oauth/callback",
        "https://app.example.org/back",
    ):
        await begin(stage, redirect_uri)
    answer = await stage.post("/auth/providers/other/login", redirect_uri=REDIRECT)
    assert (answer.status_code, answer.json()["code"]) == (404, "provider_unknown")


async def test_the_provider_would_refuse_a_request_without_pkce_or_with_another_redirect(
    stage: Stage, provider: OpenIdProvider
) -> None:
    url = (await begin(stage))["url"]
    for changes in (
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"redirect_uri": "http://127.0.0.1:1/elsewhere"},
        {"response_type": "token"},
    ):
        with pytest.raises(AssertionError):
            provider.authorize(with_query(url, **changes))


async def test_a_code_of_another_flow_is_refused(stage: Stage, provider: OpenIdProvider) -> None:
    """Whoever injects a stolen code has another verifier, nonce and state."""
    stolen = provider.authorize((await begin(stage))["url"])["code"]
    answer = await come_back(stage, provider, code=stolen)
    assert (answer.status_code, answer.json()["code"]) == (401, "provider_refused")


async def test_a_code_and_a_flow_work_once(stage: Stage, provider: OpenIdProvider) -> None:
    flow = await begin(stage)
    body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
    answers = await asyncio.gather(
        *(stage.post("/auth/providers/finish", **body) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    assert len(provider.asked) == 1


async def test_a_code_is_too_late_after_a_minute_and_a_flow_after_ten(
    stage: Stage, provider: OpenIdProvider
) -> None:
    flow = await begin(stage)
    body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
    stage.clock.offset_ms += 60_000
    answer = await stage.post("/auth/providers/finish", **body)
    assert (answer.status_code, answer.json()["code"]) == (401, "provider_refused")
    flow = await begin(stage)
    stage.clock.offset_ms += 600_000
    body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
    answer = await stage.post("/auth/providers/finish", **body)
    assert (answer.status_code, answer.json()["code"]) == (401, "flow_invalid")


@pytest.mark.parametrize(
    "changes",
    [{"state": "another"}, {"state": ""}, {"flow": "A" * 43}, {"state": "\u00e9"}],
    ids=str,
)
async def test_another_state_or_flow_is_refused_before_the_provider_is_asked(
    stage: Stage, provider: OpenIdProvider, changes: dict[str, str]
) -> None:
    answer = await come_back(stage, provider, **changes)
    assert (answer.status_code, answer.json()["code"]) == (401, "flow_invalid")
    assert provider.asked == []


@pytest.mark.parametrize("iss", ["https://evil.example", ""])
async def test_an_answer_of_another_issuer_is_refused(
    stage: Stage, provider: OpenIdProvider, iss: str
) -> None:
    answer = await come_back(stage, provider, iss=iss)
    assert (answer.status_code, answer.json()["code"]) == (401, "provider_refused")
    assert provider.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": ""},
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": [CLIENT_ID, "another"]},
        {"aud": CLIENT_ID, "azp": "another"},
        {"exp": 0},
        {"iat": 99_999_999_999},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": None},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_us_is_refused(
    stage: Stage, provider: OpenIdProvider, claims: Json
) -> None:
    provider.claims = claims
    answer = await come_back(stage, provider)
    assert (answer.status_code, answer.json()["code"]) == (401, "provider_refused")


async def test_an_id_token_of_another_key_is_refused(
    stage: Stage, provider: OpenIdProvider
) -> None:
    provider.forged_key = RSAKey.generate_key(2048, private=True, auto_kid=False)
    assert (await come_back(stage, provider)).status_code == 401


async def test_a_new_key_of_the_provider_is_fetched(
    stage: Stage, provider: OpenIdProvider
) -> None:
    await register(stage, provider)
    provider.key = RSAKey.generate_key(2048, private=True, auto_kid=False)
    provider.kid = "k2"
    assert (await come_back(stage, provider)).status_code == 401
    stage.clock.offset_ms += 60_000
    assert (await come_back(stage, provider)).json()["type"] == "logged_in"


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
async def test_a_provider_that_is_not_who_it_says_is_not_used(
    stage: Stage, provider: OpenIdProvider, metadata: Json
) -> None:
    provider.metadata = metadata
    answer = await stage.post("/auth/providers/house/login", redirect_uri=REDIRECT)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


async def test_a_provider_that_is_down_is_told(stage: Stage, provider: OpenIdProvider) -> None:
    provider.down = True
    answer = await stage.post("/auth/providers/house/login", redirect_uri=REDIRECT)
    assert answer.status_code == 503
    provider.down = False
    flow = await begin(stage)
    back = provider.authorize(flow["url"])
    provider.down = True
    answer = await stage.post("/auth/providers/finish", flow=flow["flow"], **back)
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")


async def link(stage: Stage, provider: OpenIdProvider, login: Json) -> Any:
    token = login["access_token"]
    flow = (await stage.post("/auth/identities/house", token, redirect_uri=REDIRECT)).json()
    body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
    return await stage.post("/auth/identities", token, **body)


async def test_an_account_is_linked_and_unlinked(stage: Stage, provider: OpenIdProvider) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    assert (await link(stage, provider, ada)).status_code == 204
    [identity] = (await stage.get("/auth/identities", ada["access_token"])).json()
    assert identity["provider"] == "house"
    assert (await come_back(stage, provider)).json()["name"] == "Ada"
    taken = await link(stage, provider, ben)
    assert (taken.status_code, taken.json()["code"]) == (409, "identity_linked")
    provider.subject = "person-2"
    assert (await link(stage, provider, ada)).status_code == 409
    provider.subject = "person-1"
    for _ in range(2):
        gone = await stage.delete("/auth/identities/house", ada["access_token"])
        assert gone.status_code == 204
    assert (await come_back(stage, provider)).json()["type"] == "name_required"


async def test_a_flow_that_began_for_one_account_links_no_other(
    stage: Stage, provider: OpenIdProvider
) -> None:
    ada, ben = await stage.sign_up("Ada"), await stage.sign_up("Ben")
    for finish in ("/auth/identities", "/auth/providers/finish"):
        flow = (
            await stage.post("/auth/identities/house", ada["access_token"], redirect_uri=REDIRECT)
        ).json()
        body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
        answer = await stage.post(finish, ben["access_token"], **body)
        assert (answer.status_code, answer.json()["code"]) == (401, "flow_invalid")
    flow = await begin(stage)
    body = {"flow": flow["flow"], **provider.authorize(flow["url"])}
    answer = await stage.post("/auth/identities", ben["access_token"], **body)
    assert answer.status_code == 401


async def test_the_last_way_in_stays_open(stage: Stage, provider: OpenIdProvider) -> None:
    login = await register(stage, provider)
    token = login["access_token"]
    answer = await stage.delete("/auth/identities/house", token)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")
    first = await stage.put("/auth/password", token, new_password=PASSWORD)
    assert first.status_code == 204
    assert (await stage.delete("/auth/identities/house", token)).status_code == 204
    assert (await stage.log_in("Ada")).status_code == 200


async def test_without_a_password_a_fresh_login_is_the_proof(
    stage: Stage, provider: OpenIdProvider
) -> None:
    login = await register(stage, provider)
    stage.clock.offset_ms += 599_000
    assert (await stage.post("/auth/totp", login["access_token"], password="")).status_code == 201
    stage.clock.offset_ms += 2_000
    login = (await stage.refresh(login["refresh_token"])).json()
    answer = await stage.post("/auth/totp", login["access_token"], password="")
    assert (answer.status_code, answer.json()["code"]) == (403, "login_too_old")


async def test_a_provider_does_not_replace_the_second_factor(
    stage: Stage, provider: OpenIdProvider
) -> None:
    login = await stage.sign_up("Ada")
    await link(stage, provider, login)
    await set_up(stage, login)
    assert (await come_back(stage, provider)).json()["type"] == "second_factor_required"
