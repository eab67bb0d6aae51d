"""Examples for the OpenAPI document, made from the types that the service itself decodes with."""

from collections.abc import Mapping
from typing import Any

from msgspec import inspect

_DEPTH_MAX = 6
_ID = "0193f3c5-7a10-7c3e-9b6a-2f1d4e5a6b7c"
_AT_MS = 1_733_000_000_000
_BYTES = "c2lkZXRvbmU="

# What a field of this name usually holds.
_BY_NAME: Mapping[str, object] = {
    "name": "Tavern",
    "display_name": "Ada of the North",
    "nickname": "Ada",
    "bio": "Plays the healer.",
    "password": "a dozen green umbrellas",
    "email": "ada@example.org",
    "text": "See you at eight?",
    "topic": "Who brings what",
    "description": "Where we meet before a raid.",
    "reason": "Spam in every channel.",
    "emoji": "👍",
    "nonce": "6f1c2a9d",
    "code": "123456",
    "url": "https://example.org/",
    "media_type": "image/png",
    "game": "Chess",
    "color": 3447003,
    "limit": 50,
}


def example_of(kind: object) -> object:
    """Return a value of *kind* as it looks in JSON."""
    return _example(inspect.type_info(kind), "", 0)


def _example(kind: inspect.Type, name: str, depth: int) -> object:
    if isinstance(kind, inspect.Metadata | inspect.UnionType):
        return _example(_likeliest(kind), name, depth)
    if isinstance(kind, inspect.StructType):
        return _struct(kind, depth)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType | inspect.SetType):
        return [] if depth >= _DEPTH_MAX else [_example(kind.item_type, name, depth + 1)]
    if isinstance(kind, inspect.DictType):
        key = str(_example(kind.key_type, "", depth + 1))
        return {key: _example(kind.value_type, "", depth + 1)}
    if isinstance(kind, inspect.TupleType):
        return [_example(item, "", depth + 1) for item in kind.item_types]
    return _scalar(kind, name)


def _struct(kind: inspect.StructType, depth: int) -> object:
    fields: dict[str, Any] = {}
    if kind.tag_field is not None:
        fields[kind.tag_field] = kind.tag
    for field in kind.fields:
        if field.required or depth < 1:
            fields[field.encode_name] = _example(field.type, field.name, depth + 1)
    return fields


def _likeliest(kind: inspect.UnionType | inspect.Metadata) -> inspect.Type:
    """Return the first that says something."""
    if isinstance(kind, inspect.Metadata):
        return kind.type
    telling = [kind for kind in kind.types if not isinstance(kind, inspect.NoneType)]
    return telling[0] if telling else kind.types[0]


def _scalar(kind: inspect.Type, name: str) -> object:
    if isinstance(kind, inspect.StrType):
        return _text(kind, name)
    if isinstance(kind, inspect.IntType):
        return _number(kind, name)
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.EnumType):
        return next(iter(kind.cls)).value
    return _PLAIN.get(type(kind))


_PLAIN: Mapping[type[inspect.Type], object] = {
    inspect.BoolType: True,
    inspect.FloatType: 1.5,
    inspect.UUIDType: _ID,
    inspect.BytesType: _BYTES,
    inspect.DateTimeType: "2025-01-01T20:00:00Z",
}


def _text(kind: inspect.StrType, name: str) -> str:
    value = _BY_NAME.get(name)
    text = value if isinstance(value, str) else _ID if name.endswith("s") else "text"
    text = text.ljust(kind.min_length or 0, "-")
    return text if kind.max_length is None else text[: kind.max_length]


def _number(kind: inspect.IntType, name: str) -> int:
    value = _BY_NAME.get(name)
    number = value if isinstance(value, int) else _AT_MS if name.endswith("_at_ms") else 1
    low = kind.ge if kind.ge is not None else None if kind.gt is None else kind.gt + 1
    high = kind.le if kind.le is not None else None if kind.lt is None else kind.lt - 1
    if low is not None:
        number = max(number, int(low))
    return number if high is None else min(number, int(high))
