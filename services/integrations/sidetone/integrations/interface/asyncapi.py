"""The document of the public events, made of their types: ``docs/asyncapi.json``.

``python -m sidetone.integrations.interface.asyncapi FILE`` writes it.
"""

import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final, cast, get_args

import msgspec

from sidetone.protocol.public import PublicEvent, PublicFact

# Raised when something is added; nothing is ever taken away.
VERSION: Final = "1.0.0"
_SCHEMAS: Final = "#/components/schemas"
_ABOUT: Final = """
What happens in public on a Sidetone server: in channels that every member of a community sees.

Read it from your place in the JetStream stream EVENTS, which keeps a week: an event comes at least
once and in the order in which it happened, and its id tells a repeat. Webhooks carry the same
bodies. Ids are UUIDv7; times are milliseconds since 1970 UTC. Ignore fields and kinds that you do
not know: a later version may have more, and none has less.
"""


def document() -> dict[str, Any]:
    """Return the AsyncAPI 3 document."""
    kinds = {str(kind.__struct_config__.tag): kind for kind in get_args(PublicFact)}
    _, schemas = msgspec.json.schema_components([PublicEvent], ref_template=_SCHEMAS + "/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sidetone public events",
            "version": VERSION,
            "description": cleandoc(_ABOUT),
        },
        "defaultContentType": "application/json",
        "servers": {
            "nats": {
                "host": "{host}:4222",
                "protocol": "nats",
                "description": "The operator gives you a file of credentials and the name.",
                "variables": {"host": {"description": "Where the operator's NATS server is."}},
                "security": [{"$ref": "#/components/securitySchemes/credentials"}],
            }
        },
        "channels": {kind: _channel(kind) for kind in kinds},
        "operations": {f"send.{kind}": _operation(kind) for kind in kinds},
        "components": {
            "messages": {kind: _message(kind, each) for kind, each in kinds.items()},
            "schemas": {name: _cleaned(schema) for name, schema in sorted(schemas.items())},
            "securitySchemes": {
                "credentials": {
                    "type": "asymmetricEncryption",
                    "description": "A NATS credentials file: a signed token and an Ed25519 key.",
                }
            },
        },
    }


def _channel(kind: str) -> dict[str, Any]:
    return {
        "address": f"events.{{server}}.{kind}",
        "parameters": {"server": {"description": "The id of the server, without hyphens."}},
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
    }


def _operation(kind: str) -> dict[str, Any]:
    channel = f"#/channels/{kind}"
    return {
        "action": "send",
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{kind}"}],
    }


def _message(kind: str, event: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "name": kind,
        "summary": cleandoc(event.__doc__ or "").splitlines()[0],
        "payload": {
            "allOf": [
                {"$ref": f"{_SCHEMAS}/PublicEvent"},
                {"properties": {"event": {"$ref": f"{_SCHEMAS}/{event.__name__}"}}},
            ]
        },
    }


def _cleaned(schema: Any) -> Any:  # noqa: ANN401 - any part of a document
    """Return *schema* with its descriptions as prose, without the indent of the source.

    The discriminator is OpenAPI's; here the kinds say of themselves which they are.
    """
    match schema:
        case dict():
            parts = cast("dict[str, Any]", schema)
            kept = {name: _cleaned(part) for name, part in parts.items()}
            kept.pop("discriminator", None)
            if isinstance(kept.get("description"), str):
                kept["description"] = cleandoc(kept["description"])
            return kept
        case list():
            return [_cleaned(part) for part in cast("list[Any]", schema)]
        case _:
            return schema


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(msgspec.json.format(msgspec.json.encode(document())) + b"\n")
