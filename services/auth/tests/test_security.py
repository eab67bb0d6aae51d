"""Abuse: forged tokens, and secrets that must not be written anywhere."""

import base64
import hmac
import json
import logging
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from joserfc import jws
from joserfc.jwk import RSAKey

from services.auth.tests.stage import CHANNEL, PASSWORD, Stage, bearer, body_of
from sidetone.auth.application.log_in import LogIn
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.account import Account
from sidetone.auth.domain.login import Client
from sidetone.auth.infrastructure.sql_accounts import SqlAccounts
from sidetone.credentials.passwords import Passwords
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime import logs
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox

ATTACKER = RSAKey.generate_key(2048, private=True, auto_kid=False)


class Forge:
    """Makes tokens from the parts of a real one."""

    def __init__(self, token: str, private_pem: bytes, jwks: dict[str, Any]) -> None:
        header, claims, self.signature = token.split(".")
        self.header: dict[str, Any] = json.loads(_decode(header))
        self.claims: dict[str, Any] = json.loads(_decode(claims))
        self.ours = RSAKey.import_key(private_pem)
        self.jwk = jwks["keys"][0]

    def signed(
        self,
        key: Any = None,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
    ) -> str:
        made = self.header | (header or {})
        payload = json.dumps(self.claims | (claims or {})).encode()
        return jws.serialize_compact(
            {name: value for name, value in made.items() if value is not None},
            payload,
            key or self.ours,
            algorithms=[made["alg"]],
        )


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encode(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
async def forge(stage: Stage) -> Forge:
    login = await stage.sign_up("Ada")
    [[private]] = await stage.database.fetch(
        "SELECT private FROM auth_keys WHERE purpose = 'token'", {}
    )
    assert isinstance(private, bytes)
    jwks = (await stage.get("/auth/jwks.json")).json()
    forge = Forge(login["access_token"], private, jwks)
    assert await tried(stage, forge.signed()) == (200, None)
    return forge


async def tried(stage: Stage, token: str) -> tuple[int, str | None]:
    answer = await stage.get(f"/auth/users/{UUID(int=1)}", token)
    if answer.status_code == 404:
        return 200, None
    return answer.status_code, answer.json()["code"]


async def test_the_key_set_is_public_and_strong(stage: Stage) -> None:
    answer = await stage.get("/auth/jwks.json")
    [key] = answer.json()["keys"]
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert {"kty", "n", "e", "kid", "use", "alg"} == set(key)
    assert len(_decode(key["n"])) * 8 == 3072


async def test_a_token_says_what_the_profile_asks(forge: Forge) -> None:
    assert forge.header == {"alg": "RS256", "typ": "at+jwt", "kid": forge.jwk["kid"]}
    assert set(forge.claims) == {"iss", "aud", "sub", "sid", "scp", "iat", "exp", "jti"}
    assert forge.claims["exp"] - forge.claims["iat"] == 600


async def test_an_unsigned_token_is_refused(stage: Stage, forge: Forge) -> None:
    for algorithm in ("none", "None", "NONE"):
        header = _encode(forge.header | {"alg": algorithm})
        for signature in ("", forge.signature):
            token = f"{header}.{_encode(forge.claims)}.{signature}"
            assert await tried(stage, token) == (401, "token_invalid")


async def test_our_public_key_is_no_shared_secret(stage: Stage, forge: Forge) -> None:
    public = RSAKey.import_key(forge.jwk)
    for secret in (public.as_pem(private=False), json.dumps(forge.jwk).encode()):
        signed = f"{_encode(forge.header | {'alg': 'HS256'})}.{_encode(forge.claims)}"
        mac = hmac.digest(secret, signed.encode(), "sha256")
        assert await tried(stage, f"{signed}.{_encode(mac)}") == (401, "token_invalid")


async def refused(stage: Stage, tokens: Iterable[str]) -> bool:
    return {await tried(stage, token) for token in tokens} == {(401, "token_invalid")}


async def test_only_one_algorithm_is_accepted(stage: Stage, forge: Forge) -> None:
    algorithms = ("RS384", "RS512", "PS256")
    assert await refused(stage, [forge.signed(header={"alg": each}) for each in algorithms])


async def test_a_token_with_wrong_claims_is_refused(stage: Stage, forge: Forge) -> None:
    wrong: list[dict[str, Any]] = [
        {"iss": "elsewhere"},
        {"aud": "elsewhere"},
        {"aud": ["sidetone", "elsewhere"]},
        {"sub": "ada"},
        {"sid": None},
        {"exp": "tomorrow"},
    ]
    for claims in wrong:
        assert await refused(stage, [forge.signed(claims=claims)]), claims


async def test_a_token_without_the_scope_gets_nowhere(stage: Stage, forge: Forge) -> None:
    for scopes in ([], ["voice"], ["API"]):
        token = forge.signed(claims={"scp": scopes})
        assert await tried(stage, token) == (403, "scope_missing")


async def test_an_expired_token_is_refused_with_a_code_of_its_own(
    stage: Stage, forge: Forge
) -> None:
    past = stage.clock.now_ms() // 1000
    assert await tried(stage, forge.signed(claims={"exp": past})) == (401, "token_expired")
    stage.clock.offset_ms += 600_000
    assert await tried(stage, forge.signed()) == (401, "token_expired")


async def test_another_kind_of_token_is_refused(stage: Stage, forge: Forge) -> None:
    for typ in ("JWT", "jwt", "refresh", "", None):
        assert await refused(stage, [forge.signed(header={"typ": typ})]), typ


async def test_an_unknown_key_is_refused(stage: Stage, forge: Forge) -> None:
    for kid in ("unknown", "", "../../etc/passwd", None):
        assert await refused(stage, [forge.signed(header={"kid": kid})]), kid


async def test_keys_that_a_token_brings_along_are_ignored(stage: Stage, forge: Forge) -> None:
    theirs = ATTACKER.as_dict(private=False)
    for header in (
        {"jku": "https://evil.example/jwks.json"},
        {"jwk": theirs},
        {"x5u": "https://evil.example/cert.pem"},
        {"jku": "https://evil.example/jwks.json", "kid": "evil"},
        {"jwk": theirs, "kid": None},
    ):
        token = forge.signed(ATTACKER, header)
        assert await tried(stage, token) == (401, "token_invalid")


async def test_a_damaged_token_is_refused(stage: Stage, forge: Forge) -> None:
    token = forge.signed()
    last = "AAAA" if token[-4:] != "AAAA" else "BBBB"
    damaged = (
        token[:-4] + last,
        token.rsplit(".", 1)[0] + ".",
        token + "." + token,
        token.replace(".", ""),
        "..",
        "a.b.c",
        "\u00e9".join(token.split(".")),
        token + "A" * 5000,
        "bnVsbA.bnVsbA.bnVsbA",
    )
    for each in damaged:
        headers = {b"authorization": b"Bearer " + each.encode()}
        answer = await stage.client.get(f"/auth/users/{UUID(int=1)}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid"), each


async def test_a_refresh_token_is_no_access_token(stage: Stage) -> None:
    login = await stage.sign_up("Ben")
    assert await tried(stage, login["refresh_token"]) == (401, "token_invalid")
    assert (await stage.refresh(login["access_token"])).status_code == 401


async def nobody(account: Account, client: Client) -> LoggedIn:
    raise AssertionError("nobody gets in here")


async def test_an_unknown_account_costs_the_work_of_a_known_one(stage: Stage) -> None:
    await stage.sign_up("Ada")
    passwords = Passwords()
    limiter = Limiter(stage.around.store, "test", Limit(100, 60_000))
    accounts = SqlAccounts(stage.database, await Outbox.open(stage.around, "auth"))
    log_in = LogIn(accounts, passwords, nobody, Throttle(limiter, limiter), limiter, limiter)
    work = []
    for name in ("Ada", "Nobody", "\x00", "n" * 1000):
        before = passwords.computed
        with pytest.raises(Unauthenticated):
            await log_in(name, "not the password", Client("", "192.0.2.1"))
        work.append(passwords.computed - before)
    assert work == [1, 1, 1, 1]


async def drive_every_route(stage: Stage) -> list[str]:
    """Use every route rightly and wrongly; return the secrets that went over the wire."""
    login = await stage.sign_up("Canary")
    identity = stage.identity(login)
    wrong_password = f"wrong {uuid4()}"
    secrets = [PASSWORD, wrong_password, login["access_token"], login["refresh_token"]]
    await stage.log_in("Canary", wrong_password)
    second = (await stage.log_in("Canary")).json()
    third = (await stage.refresh(second["refresh_token"])).json()
    await stage.refresh(second["refresh_token"])
    secrets += [second["refresh_token"], third["refresh_token"], third["access_token"]]
    await stage.put_device(login, identity)
    grant = await stage.post(
        "/auth/grants",
        login["access_token"],
        channel=str(CHANNEL),
        device=str(UUID(bytes=identity.device)),
    )
    secrets += [grant.json()["wire"], base64.b64encode(body_of(identity).certificate).decode()]
    for path in ("/auth/jwks.json", "/auth/grant-keys", f"/auth/users/{login['user']}"):
        await stage.get(path, login["access_token"])
    await provoke(stage, login)
    await stage.post("/auth/logout", refresh_token=login["refresh_token"])
    return secrets


async def provoke(stage: Stage, login: dict[str, Any]) -> None:
    """Send what cannot be read, and break the database under a request."""
    token = login["access_token"]
    for path in ("/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"):
        body = json.dumps({"name": 5, "password": PASSWORD, "refresh_token": [token]})
        await stage.client.post(path, content=body)
        await stage.client.post(path, content=body[:-4], headers=bearer(token))
    await stage.get(f"/auth/users/{login['user']}", token[:-1])
    await stage.database.run_script("ALTER TABLE devices RENAME TO elsewhere")
    identity = stage.identity(login)
    answer: httpx.Response = await stage.put_device(login, identity)
    assert answer.status_code >= 500
    await stage.database.run_script("ALTER TABLE elsewhere RENAME TO devices")


@pytest.mark.parametrize("form", ["console", "json"])
async def test_no_secret_is_logged_or_counted(
    stage: Stage, form: logs.Form, capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    level = root.level
    logs.configure(form, "debug")
    try:
        secrets = await drive_every_route(stage)
        metrics = (await stage.get("/metrics")).text
    finally:
        for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
            root.removeHandler(handler)
        root.setLevel(level)
        structlog.reset_defaults()
    captured = capfd.readouterr()
    written = captured.out + captured.err + metrics
    assert "request_failed" in written or "database" in written
    for secret in secrets:
        assert secret not in written
        # The distinctive end of a long secret must not be there either, cut or wrapped.
        assert secret[-24:] not in written or secret == PASSWORD
