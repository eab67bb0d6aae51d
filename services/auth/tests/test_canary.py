"""No secret that goes over the wire is written anywhere else."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from services.auth.tests import test_mail, test_providers, test_second_factor
from services.auth.tests.authenticator import Authenticator
from services.auth.tests.provider import CLIENT_SECRET
from services.auth.tests.stage import PASSWORD, Stage
from services.auth.tests.test_bots import create
from services.auth.tests.test_passkeys import add, use
from services.auth.tests.test_people import close, edit
from sidetone.runtime import logs

SECRET = {
    "access_token",
    "refresh_token",
    "token",
    "password",
    "new_password",
    "challenge",
    "codes",
    "secret",
    "uri",
    "request",
    "flow",
    "ticket",
    "state",
    "url",
    "address",
    "signature",
}
LENGTH_MIN = 12


class Wiretap:
    """Remembers every secret that requests and answers carry."""

    def __init__(self) -> None:
        self.secrets = {PASSWORD, CLIENT_SECRET}

    async def request(self, request: httpx.Request) -> None:
        self._read(request.content)

    async def response(self, response: httpx.Response) -> None:
        self._read(await response.aread())

    def _read(self, body: bytes) -> None:
        if body.startswith((b"{", b"[")):
            self._collect(json.loads(body), secret=False)

    def _collect(self, value: Any, *, secret: bool) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                self._collect(inner, secret=name in SECRET)
        elif isinstance(value, list):
            for inner in value:
                self._collect(inner, secret=secret)
        elif secret and isinstance(value, str) and len(value) >= LENGTH_MIN:
            self.secrets.add(value)


@contextmanager
def everything_is_logged(form: logs.Form) -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    logs.configure(form, "debug")
    try:
        yield
    finally:
        for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
            root.removeHandler(handler)
        root.setLevel(level)
        structlog.reset_defaults()


async def live(stage: Stage, tmp_path: Path) -> None:
    """Use everything that an account can do, rightly and wrongly."""
    login = await test_mail.verified(stage, tmp_path)
    token = login["access_token"]
    await stage.post("/auth/password/reset", address=test_mail.ADDRESS)
    reset = test_mail.token_in((await test_mail.mails(tmp_path, 2))[-1])
    key = Authenticator()
    await add(stage, login, key)
    await use(stage, key)
    await use(stage, key, origin="https://evil.example")
    await test_providers.link(stage, stage.provider, login)
    await test_providers.come_back(stage, stage.provider)
    await test_providers.come_back(stage, stage.provider, state="wrong" * 5)
    stage.provider.down = True
    await test_providers.come_back(stage, stage.provider)
    bot = await create(stage, login)
    await stage.post("/auth/bots/token", token=bot["token"])
    await stage.post("/auth/bots/token", token=bot["token"] + "x")
    await edit(stage, login, display_name="Countess")
    app, codes = await test_second_factor.set_up(stage, login)
    challenge = await test_second_factor.challenged(stage)
    await test_second_factor.finish(stage, challenge, "000000")
    await test_second_factor.finish(stage, challenge, app.code())
    await stage.database.run_script("ALTER TABLE recovery_codes RENAME TO elsewhere")
    broken = await stage.post("/auth/login/code", challenge=challenge, code=codes[0])
    broken = await stage.post("/auth/recovery-codes", token, password=PASSWORD, code=codes[1])
    assert broken.status_code >= 500
    await stage.database.run_script("ALTER TABLE elsewhere RENAME TO recovery_codes")
    await stage.post(
        "/auth/password/reset/confirm", token=reset, new_password="a walk along the river"
    )
    for path in ("/auth/login", "/auth/refresh", "/auth/password/reset/confirm"):
        await stage.client.post(path, content=json.dumps({"token": [reset], "password": PASSWORD}))
    other = await stage.sign_up("Ben")
    assert await close(stage, other) == 204


@pytest.mark.parametrize("form", ["console", "json"])
async def test_nothing_that_is_secret_is_written_down(
    any_stage: Stage, form: logs.Form, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tap = Wiretap()
    hooks = {"request": [tap.request], "response": [tap.response]}
    any_stage.client.event_hooks = hooks
    with everything_is_logged(form):
        await live(any_stage, tmp_path)
        metrics = (await any_stage.get("/metrics")).text
    captured = capfd.readouterr()
    written = captured.out + captured.err + metrics
    assert "request_failed" in written or "database" in written
    assert len(tap.secrets) > 40
    assert [secret for secret in tap.secrets if secret in written] == []
