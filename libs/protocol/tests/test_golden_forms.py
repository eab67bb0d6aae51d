"""Every type on every wire keeps its form: a new field may come, an old one stays as it is."""

import json
from typing import Any

import msgspec
import pytest

from libs.protocol.tests.examples import GOLDEN, example_of, name_of, structs, wire_of
from sidetone.protocol.requests import Body

KINDS = sorted(structs(), key=name_of)
FORMS: dict[str, Any] = json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_form_is_as_it_was_written_down(kind: type[msgspec.Struct]) -> None:
    form = wire_of(kind)
    assert form == FORMS[name_of(kind)]
    assert list(form) == list(FORMS[name_of(kind)])


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_the_form_is_read_back_in_both_encodings(kind: type[msgspec.Struct]) -> None:
    example = example_of(kind)
    assert msgspec.json.decode(json.dumps(FORMS[name_of(kind)]), type=kind) == example
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(example), type=kind) == example


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_only_what_a_client_sends_is_refused_for_an_unknown_field(
    kind: type[msgspec.Struct],
) -> None:
    newer = json.dumps(FORMS[name_of(kind)] | {"from_the_future": [1, {"x": None}]})
    if issubclass(kind, Body):
        with pytest.raises(msgspec.ValidationError, match="from_the_future"):
            msgspec.json.decode(newer, type=kind)
    else:
        assert msgspec.json.decode(newer, type=kind) == example_of(kind)


def test_no_form_is_kept_of_what_is_gone() -> None:
    assert set(FORMS) == {name_of(kind) for kind in KINDS}
