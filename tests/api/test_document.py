"""The OpenAPI document tells everything about every route."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar

from sidetone.all_in_one.app import SERVICES, Place
from sidetone.runtime.openapi_examples import example_of
from sidetone.storage.files_folder import FolderFiles
from tests.api.conftest import Document
from tests.scenarios.world import POLICIES
from tests.surroundings import open_surroundings

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Whoever asks here has no token yet, or the address is the key.
WITHOUT_TOKEN = re.compile(
    r"/auth/(register|login|logout|refresh|providers|password/reset|address/verify|bots/token"
    r"|jwks\.json|grant-keys)(/.*)?|/media/bytes/\{secret\}"
    r"|/integrations/incoming/\{webhook\}/\{secret\}"
)


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_every_route_says_what_it_is(document: Document) -> None:
    names = Counter(operation["operationId"] for _, _, operation in operations(document))
    assert [name for name, count in names.items() if count > 1] == []
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z][a-z_]+", operation["operationId"]), where
        assert operation["summary"].endswith("."), where
        assert operation["tags"], where


async def test_every_route_wants_a_token_unless_it_is_known_not_to(document: Document) -> None:
    for _, path, operation in operations(document):
        is_open = WITHOUT_TOKEN.fullmatch(path) is not None
        assert (operation["security"] == []) is is_open, path


async def test_every_route_tells_its_answers(document: Document) -> None:
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        answers = operation["responses"]
        assert [status for status in answers if status.startswith("2")], where
        assert {"400", "429", "503"} <= answers.keys(), where
        assert "401" in answers or not operation["security"], where
        assert ("404" in answers) or "{" not in path, where
        for status, answer in answers.items():
            if status[0] in "45":
                assert answer == {"$ref": f"#/components/responses/Refusal{status}"}, where


async def test_every_body_has_an_example_that_fits_its_schema(document: Document) -> None:
    for method, path, operation in operations(document):
        if "requestBody" in operation:
            ((media_type, body),) = operation["requestBody"]["content"].items()
            assert "schema" in body, f"{method} {path}"
            assert ("example" in body) is (media_type == "application/json"), f"{method} {path}"


async def test_every_example_is_one_that_a_service_would_decode(tmp_path: Path) -> None:
    async with open_surroundings("embedded") as around:
        place = Place(around, FolderFiles(tmp_path), POLICIES)
        routers = [await build(place) for build in SERVICES.values()]
        app = Litestar(routers, dependencies={}, openapi_config=None, logging_config=None)
        for route in app.routes:
            for handler in getattr(route, "route_handlers", []):
                data = handler.parsed_fn_signature.parameters.get("data")
                if data is not None:
                    msgspec.json.decode(json.dumps(example_of(data.raw)), type=data.raw)


async def test_parameters_in_paths_are_declared(document: Document) -> None:
    for method, path, operation in operations(document):
        declared = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), f"{method} {path}"
        for parameter in operation["parameters"]:
            assert parameter["schema"], f"{method} {path} {parameter['name']}"


async def test_the_document_is_not_too_large(document: Document) -> None:
    assert len(json.dumps(document)) < 600_000
