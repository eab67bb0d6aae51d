import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidetone.e2ee.primitives import leaf_public
from sidetone.e2ee.vectors import Mismatch, check

TEXT = (Path(__file__).parent / "vx1.json").read_bytes()
SCALARS = {"leaf_sk", "eph_sk"}


def document() -> Any:
    return json.loads(TEXT)


def places(node: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where the hexadecimal and the displayed numbers of a document are."""
    if isinstance(node, dict):
        return [each for name, value in node.items() for each in places(value, (*path, name))]
    if isinstance(node, list):
        return [each for index, value in enumerate(node) for each in places(value, (*path, index))]
    return [path] if isinstance(node, str) and path[-1] not in {"protocol", "why"} else []


PLACES = places(document())


def at(root: Any, path: tuple[str | int, ...]) -> Any:
    for name in path:
        root = root[name]
    return root


def test_the_vectors_are_reproduced_byte_for_byte() -> None:
    lines = ("key packages 3", "commits 4", "frames 33", "rejections 6", "safety numbers 1")
    assert check(TEXT) == lines
    assert check(document()) == lines


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_flipped_digit_anywhere_is_noticed(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PLACES))
    changed = document()
    text = at(changed, path)
    position = data.draw(st.sampled_from([i for i, digit in enumerate(text) if digit != " "]))
    digits = "0123456789" if " " in text else "0123456789abcdef"
    digit = data.draw(st.sampled_from([each for each in digits if each != text[position]]))
    flipped = text[:position] + digit + text[position + 1 :]
    at(changed, path[:-1])[path[-1]] = flipped
    if path[-1] in SCALARS and leaf_public(bytes.fromhex(text)) == leaf_public(
        bytes.fromhex(flipped)
    ):
        return  # X25519 ignores this bit, so no implementation can tell.
    with pytest.raises(Mismatch):
        check(changed)


@pytest.mark.parametrize("path", PLACES[:: len(PLACES) // 40])
def test_a_missing_value_is_named(path: tuple[str | int, ...]) -> None:
    changed = document()
    del at(changed, path[:-1])[path[-1]]
    with pytest.raises(Mismatch):
        check(changed)


def test_the_first_mismatch_names_what_differs() -> None:
    changed = document()
    changed["epochs"][2]["confirm"] = "00" * 32
    with pytest.raises(Mismatch, match=r"epochs\[2\]\.confirm"):
        check(changed)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("now",), 1_800_000_000_001),
        (("ttl",), 1),
        (("ver",), 2),
        (("members", "bob", "sender"), 7),
        (("members", "bob", "created"), -1),
        (("epochs", 1, "epoch"), 2),
        (("epochs", 1, "kind"), 2),
        (("epochs", 1, "committer"), 1),
        (("epochs", 1, "rnd"), "00" * 32),
        (("epochs", 3, "removes"), [2]),
        (("epochs", 3, "wraps"), {}),
        (("frames", 3, "counter"), 2**31),
        (("frames", 3, "generation"), 1),
        (("frames", 3, "sub"), 9),
        (("frames", 3, "end"), True),
        (("bad_frames", 3, "base"), 99),
        (("bad_frames", 3, "why"), "tag"),
        (("safety_number",), {"alice,mallory": "0"}),
    ],
)
def test_a_changed_number_is_noticed(path: tuple[str | int, ...], value: object) -> None:
    changed = document()
    at(changed, path[:-1])[path[-1]] = value
    with pytest.raises(Mismatch):
        check(changed)


@given(
    st.binary(max_size=64)
    | st.dictionaries(
        st.sampled_from(sorted(document())), st.none() | st.integers() | st.text(max_size=9)
    )
)
def test_garbage_is_a_mismatch_and_nothing_else(garbage: Any) -> None:
    with pytest.raises(Mismatch):
        check(garbage)
