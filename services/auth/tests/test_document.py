"""What the OpenAPI document says of auth, tried by a machine."""

import json
from typing import Any

import pytest

from services.auth.tests.stage import Stage, bearer

# Who gets in without a token: to log in, and to look at public keys.
OPEN = {
    "register",
    "log_in",
    "log_in_with_code",
    "begin_passkey_login",
    "log_in_with_passkey",
    "refresh",
    "log_out",
    "ask_password_reset",
    "reset_password",
    "verify_address",
    "list_providers",
    "begin_provider_login",
    "log_in_with_provider",
    "register_with_provider",
    "log_in_bot",
    "token_keys",
    "grant_keys",
}


async def operations(stage: Stage) -> dict[str, tuple[str, str, dict[str, Any]]]:
    document = (await stage.get("/openapi.json")).json()
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        if path.startswith("/auth/")
        for method, operation in methods.items()
    }


async def test_only_what_must_be_open_is_open(stage: Stage) -> None:
    found = await operations(stage)
    assert {name for name, (_, _, one) in found.items() if not one["security"]} == OPEN
    for name, (method, path, _) in found.items():
        if name not in OPEN:
            concrete = path.replace("{", "").replace("}", "")
            headers = {"content-type": "application/json"}
            answer = await stage.client.request(method, concrete, content="{}", headers=headers)
            assert answer.status_code in {401, 404}, name
    assert len(found) > 50


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"a":' * 2000, b'"\\ud800"', b"1e999"],
    ids=lambda content: repr(content[:8]),
)
async def test_garbage_is_refused_on_every_route(stage: Stage, content: bytes) -> None:
    login = await stage.sign_up("Ada")
    for name, (method, path, one) in (await operations(stage)).items():
        if "requestBody" not in one:
            continue
        concrete = path
        for parameter in one["parameters"]:
            example = "00000000-0000-7000-8000-000000000001"
            if parameter["schema"].get("format") != "uuid":
                example = "none"
            concrete = concrete.replace("{" + parameter["name"] + "}", example)
        headers = bearer(login["access_token"]) | {"content-type": "application/json"}
        answer = await stage.client.request(method, concrete, content=content, headers=headers)
        assert str(answer.status_code) in one["responses"], (name, answer.text)
        assert answer.status_code < 500 or answer.status_code == 503, name


async def test_every_example_is_understood(stage: Stage) -> None:
    """What the document shows as an example is a body that the route can read."""
    login = await stage.sign_up("Ada")
    for name, (method, path, one) in (await operations(stage)).items():
        if "requestBody" not in one or "{" in path:
            continue
        example = one["requestBody"]["content"]["application/json"]["example"]
        headers = bearer(login["access_token"]) | {"content-type": "application/json"}
        answer = await stage.client.request(
            method, path, content=json.dumps(example), headers=headers
        )
        assert str(answer.status_code) in one["responses"], (name, answer.text)
        if answer.status_code == 400:
            assert answer.json()["code"] != "malformed", (name, example)
