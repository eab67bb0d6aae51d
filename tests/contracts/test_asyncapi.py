"""The document of public events: up to date, valid, and only ever added to."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from sidetone.integrations.interface.asyncapi import document
from tests.additions import taken_away

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN: dict[str, Any] = json.loads((DOCS / "asyncapi.json").read_text())
RELEASED: dict[str, Any] = json.loads((DOCS / "asyncapi" / "released.json").read_text())
# AsyncAPI's own, from the npm package @asyncapi/specs 6.11.1 (Apache-2.0).
SCHEMA = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text())


def test_the_document_is_what_the_types_say() -> None:
    assert document() == WRITTEN, "run `./just asyncapi`"


def test_the_document_is_valid_asyncapi() -> None:
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [error.message for error in validator.iter_errors(WRITTEN)] == []


def test_nothing_of_the_last_release_was_taken_away() -> None:
    assert taken_away(RELEASED, WRITTEN) == []


def without_the_channel(new: dict[str, Any]) -> None:
    del new["channels"]["message.sent"]


def with_another_address(new: dict[str, Any]) -> None:
    new["channels"]["message.sent"]["address"] = "events.{server}.message.written"


def without_the_field(new: dict[str, Any]) -> None:
    del new["components"]["schemas"]["Message"]["properties"]["text"]


def with_the_field_of_another_type(new: dict[str, Any]) -> None:
    new["components"]["schemas"]["PublicEvent"]["properties"]["at_ms"]["type"] = "string"


def with_the_field_left_out_at_times(new: dict[str, Any]) -> None:
    new["components"]["schemas"]["Message"]["required"].remove("text")


def with_null_for_it(new: dict[str, Any]) -> None:
    text = new["components"]["schemas"]["Message"]["properties"]["text"]
    new["components"]["schemas"]["Message"]["properties"]["text"] = {
        "anyOf": [text, {"type": "null"}]
    }


def with_another_type_beside_null(new: dict[str, Any]) -> None:
    edited = new["components"]["schemas"]["Message"]["properties"]["edited_at_ms"]
    edited["anyOf"].append({"type": "string"})


@pytest.mark.parametrize(
    "change",
    [
        with_another_type_beside_null,
        without_the_channel,
        with_another_address,
        without_the_field,
        with_the_field_of_another_type,
        with_the_field_left_out_at_times,
        with_null_for_it,
    ],
)
def test_a_change_that_breaks_readers_is_noticed(change: Any) -> None:
    new = deepcopy(RELEASED)
    change(new)
    assert len(taken_away(RELEASED, new)) == 1


def test_what_is_added_breaks_nobody() -> None:
    new = deepcopy(RELEASED)
    new["channels"]["poll.opened"] = {"address": "events.{server}.poll.opened"}
    new["components"]["schemas"]["Message"]["properties"]["mood"] = {"type": "string"}
    new["components"]["schemas"]["Message"]["required"].append("mood")
    new["components"]["schemas"]["Message"]["properties"]["kind"]["enum"].append("poll")
    new["components"]["schemas"]["PublicEvent"]["properties"]["event"]["anyOf"].append(
        {"$ref": "#/components/schemas/PollOpened"}
    )
    assert taken_away(RELEASED, new) == []
