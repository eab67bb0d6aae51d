"""What one may not see looks like what is not there; what one sees and may not change says so."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from sidetone.protocol.messages import Message
from sidetone.protocol.servers import Role, Server
from tests.api.conftest import Document
from tests.scenarios.world import Person, Platform, sign_up

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOWHERE = "0193f3c5-7a10-7c3e-9b6a-2f1d4e5a6b7c"


class Belongings(msgspec.Struct, frozen=True):
    """Ada's server, the stranger, and what the parameters of paths can name."""

    ada: Person
    eve: Person
    server: Server
    ids: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def belongings(platform: Platform) -> Belongings:
    ada, ben, eve = [await sign_up(platform, name) for name in ("Ada", "Ben", "Eve")]
    server = await ada.found()
    await ada.let_in(ben, server)
    channel = await ada.place(server, "text")
    message = await ben.say(channel, "a secret")
    role = await ada.ask("POST", f"/chat/servers/{server.id}/roles", Role, {"name": "Scout"})
    ids = {
        "server": server.id,
        "channel": channel,
        "message": message.id,
        "role": role.id,
        "member": ben.user,
        "other": ben.user,
        "subject": ben.user,
        "whose": ben.user,
        "emoji": "%F0%9F%91%8D",
        "thread": channel,
        "report": NOWHERE,
        "code": "a" * 16,
    }
    return Belongings(ada, eve, server, {name: str(value) for name, value in ids.items()})


def routes(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every route of chat that names something of a server."""
    for path, methods in document["paths"].items():
        if path.startswith("/chat/") and ("{server}" in path or "{channel}" in path):
            for method, operation in methods.items():
                yield method.upper(), path, operation


def body_of(operation: Mapping[str, Any]) -> object:
    if "requestBody" not in operation:
        return None
    return operation["requestBody"]["content"]["application/json"]["example"]


async def test_a_stranger_cannot_tell_the_hidden_from_the_absent(
    document: Document, belongings: Belongings
) -> None:
    nothing = dict.fromkeys(belongings.ids, NOWHERE)
    nothing |= {name: belongings.ids[name] for name in ("emoji", "code")}
    telling: dict[str, object] = {}
    tried = 0
    for method, pattern, operation in routes(document):
        answers = [
            await belongings.eve.send(method, pattern.format_map(ids), body_of(operation))
            for ids in (belongings.ids, nothing)
        ]
        hidden, absent = [(one.status_code, one.json().get("code")) for one in answers]
        tried += 1
        if hidden != absent:
            telling[f"{method} {pattern}"] = hidden, absent
    assert telling == {}
    assert tried > 50


async def test_members_without_rights_are_told_so(belongings: Belongings) -> None:
    cho = await sign_up(belongings.ada.platform, "Cho")
    await belongings.ada.let_in(cho, belongings.server)
    server = belongings.server.id
    channel = await cho.place(belongings.server, "text")
    message = await belongings.ada.say(channel, "mine")
    for method, path, body in [
        ("PATCH", f"/chat/servers/{server}", {"name": "mine"}),
        ("DELETE", f"/chat/servers/{server}", None),
        ("POST", f"/chat/servers/{server}/channels", {"name": "mine", "kind": "text"}),
        ("DELETE", f"/chat/channels/{channel}", None),
        ("POST", f"/chat/servers/{server}/roles", {"name": "mine"}),
        ("DELETE", f"/chat/servers/{server}/members/{belongings.ids['member']}", None),
        ("PATCH", f"/chat/channels/{channel}/messages/{message.id}", {"text": "mine now"}),
        ("DELETE", f"/chat/channels/{channel}/messages/{message.id}", None),
    ]:
        answer = await cho.send(method, path, body)
        assert answer.status_code == 403, f"{method} {path}: {answer.text}"
    unchanged = await cho.ask("GET", f"/chat/channels/{channel}/messages/{message.id}", Message)
    assert unchanged.text == "mine"
