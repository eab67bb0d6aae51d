"""Pages of the documentation that the code writes itself: the API, the events, the decisions.

A hook of mkdocs. Nothing of it is kept in the repository, so nothing of it can be out of date.
"""

import asyncio
import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import msgspec
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from sidetone.all_in_one.app import build
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.protocol import events
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase

Json = dict[str, Any]
REFERENCE = "#/components/schemas/"
API = (
    "Every route of a server, as its own `/openapi.json` tells them; "
    "[openapi.json](openapi.json) is that document, for generators of clients. "
    "Routes want an access token in `Authorization: Bearer …` unless they say otherwise."
)
EVENTS = (
    "What [the gateway](../gateway.md) dispatches and what services tell each other, by type. "
    "Each carries the whole new state of what it speaks of, so that hearing it twice does no "
    "harm. What a client is told, and when, stands on the gateway's page."
)
TITLE = re.compile(r"^# (\d+)\. (.+)$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages to those that are written by hand."""
    with warnings.catch_warnings(action="ignore"):
        document = asyncio.run(openapi())
    text = json.dumps(document, indent=1)
    pages = {
        "reference/openapi.json": text,
        "reference/api.md": api_page(document),
        "reference/events.md": events_page(),
        "reference/decisions.md": decisions_page(Path(config.docs_dir) / "decisions"),
    }
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


# --- The API ---


async def openapi() -> Json:
    """Return the document of a whole server, as the server itself gives it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = await SqliteDatabase.open(folder / "database")
        stack.push_async_callback(database.close)
        bus, journal, tasks = MemoryBus(), MemoryJournal(), Tasks()
        for each in (bus, journal, tasks):
            stack.push_async_callback(each.close)
        around = Surroundings(database, MemoryKeyValue(), bus, journal, SystemClock(), tasks)
        app = await build(around, FolderFiles(folder / "files"))
        stack.push_async_callback(app.gateway.close)
        transport = httpx.ASGITransport(app.http, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://sidetone") as client:
            return (await client.get("/openapi.json")).json()


def api_page(document: Json) -> str:
    """Return the page of all routes, by their tags, and of what they speak of."""
    lines = [
        "# The API",
        "",
        API,
    ]
    operations = [
        (operation["tags"][0], method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for tag, group in groupby(sorted(operations, key=lambda each: each[:3]), lambda each: each[0]):
        lines += ["", f"## {tag.capitalize()}"]
        for _, method, path, operation in group:
            lines += _operation(method, path, operation)
    lines += ["", "## What is sent and answered"]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    yield from ("", f"### `{method} {path}`", "", operation["summary"])
    if operation.get("description"):
        yield from ("", operation["description"])
    if operation["security"] == []:
        yield from ("", "Without a token.")
    rows = [
        f"| `{each['name']}` | {each['in']} | {_type(each['schema'])} |"
        for each in operation["parameters"]
    ]
    if rows:
        yield from ("", "| parameter | in | is |", "|---|---|---|", *rows)
    for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
        yield from ("", f"Takes {_type(body['schema'])} (`{media_type}`).")
    answers = [
        f"`{status}`{_content(answer)}"
        for status, answer in operation["responses"].items()
        if status[0] in "23"
    ]
    refused = [f"`{status}`" for status in operation["responses"] if status[0] in "45"]
    yield from ("", f"Answers {', '.join(answers)}; refuses with {', '.join(refused)}.")


def _content(answer: Json) -> str:
    schemas = [body["schema"] for body in answer.get("content", {}).values() if "schema" in body]
    return f" with {_type(schemas[0])}" if schemas else ""


# --- Events ---


def events_page() -> str:
    """Return the page of everything that a gateway dispatches and services announce."""
    kinds = [
        kind
        for kind in vars(events).values()
        if isinstance(kind, type)
        and issubclass(kind, msgspec.Struct)
        and kind.__module__ == events.__name__
        and isinstance(kind.__struct_config__.tag, str)
    ]
    _, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE + "{name}")
    lines = [
        "# Events",
        "",
        EVENTS,
    ]
    own = {kind.__name__ for kind in kinds}
    for kind in kinds:
        name = kind.__name__
        title = f"## `{kind.__struct_config__.tag}` {{ #{name.lower()} }}"
        lines += ["", title, "", *_described(components[name])]
    lines += ["", "## What events carry"]
    for name, schema in sorted(components.items()):
        if name not in own:
            lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


# --- Schemas ---


def _schema(name: str, schema: Json) -> list[str]:
    return ["", f"### {name} {{ #{name.lower()} }}", "", *_described(schema)]


def _described(schema: Json) -> Iterator[str]:
    if schema.get("description"):
        yield from (_plain(schema["description"]), "")
    if "enum" in schema:
        yield f"One of {', '.join(f'`{value}`' for value in schema['enum'])}."
    elif "anyOf" in schema:
        yield f"{_type(schema)}."
    elif schema.get("properties"):
        required = set(schema.get("required", []))
        yield from ("| field | is | |", "|---|---|---|")
        for field, part in schema["properties"].items():
            note = "" if field in required else "may be left out"
            yield f"| `{field}` | {_type(part)} | {note} |"


def _plain(description: str) -> str:
    """Return a docstring without the lines that it was broken into."""
    return re.sub(r"(?<!\n)\n(?!\n)\s*", " ", description)


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return f"[{name}](#{name.lower()})"
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return _list(schema)
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{_type(schema['additionalProperties'])} by key"
    kind = schema.get("type", "anything")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _list(schema: Json) -> str:
    if "prefixItems" in schema:
        return f"list of {' and '.join(_type(each) for each in schema['prefixItems'])}"
    return f"list of {_type(schema.get('items', {}))}"


# --- Decisions ---


def decisions_page(folder: Path) -> str:
    """Return the list of the decisions, by number."""
    lines = ["# Decisions", "", "Why it is so: one page for each question that somebody may ask."]
    for page in sorted(folder.glob("[0-9]*.md")):
        found = TITLE.search(page.read_text(encoding="utf-8"))
        if found:
            lines += ["", f"{found[1]}. [{found[2]}](../decisions/{page.name})"]
    return "\n".join(lines) + "\n"
