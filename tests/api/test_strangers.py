"""Every route, asked by who has no business there: generated from the OpenAPI document.

A stranger with a good token tries each route upon what belongs to another, with bodies that would
be fine from the owner. Whatever is new in the interface is tried by itself.
"""

import json
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.town import Town, open_town, requests_of

# What is open to everybody who holds the code, or who knows the user: that is what it is for.
OPEN = {
    "preview_invite",
    "accept_invite",
    "read_template",
    "find_user",
    "find_user_by_name",
    "set_relationship",
    "begin_provider_login",
    "link_provider",
    "unlink_provider",
    "put_upload_bytes",
    "post_by_webhook",
    # A device belongs to whoever certified it; the tests of auth try another's.
    "register_device",
}
# What a stranger must not see or change, in the words of the paths.
OWNED = {
    "server",
    "channel",
    "message",
    "thread",
    "role",
    "emoji",
    "report",
    "bot",
    "call",
    "login",
    "device",
    "passkey",
    "file",
    "code",
    "member",
    "webhook",
}
NO = {403, 404}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Town]:
    async with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.mark.asyncio(loop_scope="module")
async def test_a_stranger_gets_nowhere_and_leaves_no_trace(town: Town) -> None:
    document = await document_of(town)
    before = await everything_of(town)
    reached: dict[str, int] = {}
    tried = 0
    for method, path, operation in operations(document):
        if operation["operationId"] in OPEN or not concerns_another(operation):
            continue
        tried += 1
        response = await ask_as(town, town.eve, method, path, operation)
        if response.status_code not in NO:
            reached[f"{method} {path}: {response.text[:200]}"] = response.status_code
    assert reached == {}
    assert tried >= 70
    assert await everything_of(town) == before


@pytest.mark.asyncio(loop_scope="module")
async def test_without_a_token_nothing_is_open_but_the_way_in(town: Town) -> None:
    document = await document_of(town)
    async with httpx.AsyncClient(base_url=town.url, verify=False) as nobody:
        for method, path, operation in operations(document):
            if not operation.get("security"):
                continue
            response = await nobody.request(method, filled(town, path), **body_of(town, operation))
            assert response.status_code == 401, f"{method} {path}: {response.text}"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_owner_reaches_what_the_stranger_did_not(town: Town) -> None:
    """Otherwise the stranger may have failed for another reason than being one."""
    document = await document_of(town)
    for method, path, operation in operations(document):
        if (
            method == "GET"
            and concerns_another(operation)
            and operation["operationId"] not in OPEN
        ):
            response = await ask_as(town, town.ada, method, path, operation)
            # There is no small copy of a text file.
            wanted = 404 if path.endswith("/preview") else 200
            assert response.status_code == wanted, f"{method} {path}: {response.text}"


async def document_of(town: Town) -> dict[str, Any]:
    return json.loads(await requests_of(town.ada).fetch("/openapi.json"))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                yield method.upper(), path, operation


def concerns_another(operation: dict[str, Any]) -> bool:
    return bool(OWNED & {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"})


async def ask_as(
    town: Town, client: Any, method: str, path: str, operation: dict[str, Any]
) -> httpx.Response:
    """Send the request that would do something if it were the owner's."""
    login = await requests_of(client).fresh_login()
    headers = {"authorization": f"Bearer {login.access_token}"}
    async with httpx.AsyncClient(base_url=town.url, verify=False) as http:
        query = {"q": "brings"} if operation["operationId"] == "search_messages" else None
        place = filled(town, path)
        return await http.request(
            method, place, headers=headers, params=query, **body_of(town, operation)
        )


def filled(town: Town, path: str) -> str:
    """Return *path* with Ada's things in it."""
    things = dict(town.things)
    if path.startswith("/chat/conversations"):
        things["server"] = things["conversation"]
    if "/incoming/" in path:
        things["webhook"] = things["incoming"]
    things["code"] = things["invite" if "/invites/" in path else "template"]
    if "/reactions/" in path:
        things["emoji"] = "🍺"
    things |= {"name": "Ada", "provider": "none", "secret": "none", "passkey": things["login"]}
    return path.format_map(things)


def body_of(town: Town, operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return {}
    example = content.get("example") or next(iter(content["examples"].values()))["value"]
    return {"json": fitted(town, example)}


def fitted(town: Town, example: Any, field: str = "") -> Any:
    """Return the document's example with Ada's things for its ids, and fewer wishes."""
    if isinstance(example, dict):
        kept = {k: v for k, v in example.items() if k not in {"document", "template", "parent"}}
        return {name: fitted(town, value, name) for name, value in kept.items()}
    if isinstance(example, list):
        return [fitted(town, value, field) for value in example]
    singular = {"users": "member", "user": "member", "reply_to": "message", "parent": "channel"}
    thing = singular.get(field, field.removesuffix("s"))
    is_id = isinstance(example, str) and example.count("-") == 4
    if is_id and thing in {"icon", "avatar", "attachment"}:
        return town.things["file"]
    return town.things[thing] if is_id and thing in town.things else example


async def everything_of(town: Town) -> list[Any]:
    """Return all that a stranger could have changed."""
    api, state = town.ada.api, town.state
    server = state.server.id
    channels = [one.id for one in state.channels if one.kind == "text"]
    return [
        await api.servers.state(server),
        [await api.messages.history(channel) for channel in channels],
        [await api.messages.pins(channel) for channel in channels],
        [await api.messages.threads(channel) for channel in channels],
        await api.servers.invites(server),
        await api.moderation.bans(server),
        await api.moderation.reports(server),
        await api.moderation.audit_log(server),
        await api.people.conversations(),
        await api.people.relationships(),
        await api.voice.calls(),
        await api.accounts.bots(),
        [login.id for login in await api.accounts.logins()],
    ]
