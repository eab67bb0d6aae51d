"""One example of every type on the wire, made from its fields alone, always the same.

``python -m libs.protocol.tests.examples`` writes the forms down anew in ``golden.json``; the
difference is what a reader of the change looks at.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect

import sidetone.protocol
from sidetone.protocol.requests import Answer, Body

GOLDEN = Path(__file__).parent / "golden.json"
_ID = UUID("0198a7c0-0000-7000-8000-000000000001")


def structs() -> Iterator[type[msgspec.Struct]]:
    """Yield every struct of the protocol that is a type of its own on some wire."""
    for module in pkgutil.iter_modules(sidetone.protocol.__path__, "sidetone.protocol."):
        for kind in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(kind, type)
                and issubclass(kind, msgspec.Struct)
                and kind.__module__ == module.name
                and kind not in {Body, Answer}
                and not getattr(kind, "__parameters__", ())
            ):
                yield kind


def name_of(kind: type[msgspec.Struct]) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def example_of(kind: type[msgspec.Struct]) -> Any:
    """Return an example with every field set, of a union the first member."""
    return _example(inspect.type_info(kind))


def _example(info: Any) -> Any:
    return _MAKERS[type(info)](info)


def _first(union: inspect.UnionType) -> Any:
    return _example(next(k for k in union.types if not isinstance(k, inspect.NoneType)))


_MAKERS: dict[type[inspect.Type], Callable[[Any], Any]] = {
    inspect.BoolType: lambda _: True,
    inspect.IntType: lambda _: 7,
    inspect.FloatType: lambda _: 1.5,
    inspect.StrType: lambda _: "text",
    inspect.BytesType: lambda _: b"\xfb\xff",
    inspect.UUIDType: lambda _: _ID,
    inspect.NoneType: lambda _: None,
    inspect.AnyType: lambda _: "anything",
    inspect.UnionType: _first,
    inspect.ListType: lambda info: [_example(info.item_type)],
    inspect.TupleType: lambda info: tuple(map(_example, info.item_types)),
    inspect.DictType: lambda info: {_example(info.key_type): _example(info.value_type)},
    inspect.LiteralType: lambda info: info.values[0],
    inspect.EnumType: lambda info: next(iter(info.cls)),
    inspect.StructType: lambda info: info.cls(
        **{field.name: _example(field.type) for field in info.fields}
    ),
}


def wire_of(kind: type[msgspec.Struct]) -> Any:
    """Return the example as it looks in JSON."""
    return json.loads(msgspec.json.encode(example_of(kind)))


if __name__ == "__main__":
    forms = {name_of(kind): wire_of(kind) for kind in structs()}
    GOLDEN.write_text(json.dumps(dict(sorted(forms.items())), indent=1) + "\n")
