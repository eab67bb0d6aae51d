"""Settings come from the environment, once, at the start, into one frozen Struct per process.

Nothing here reads ``os.environ``: a ``__main__`` hands the environment over.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, get_origin

import msgspec
from msgspec.structs import FieldInfo

from sidetone.runtime.start import StartError

S = TypeVar("S", bound=msgspec.Struct)


def load(kind: type[S], prefix: str, environment: Mapping[str, str]) -> S:
    """Read the fields of *kind* from ``PREFIX_FIELD`` variables.

    ``PREFIX_FIELD_FILE`` names a file that holds the value, as secrets are mounted. A list takes
    commas. The values themselves are never repeated in an error: one may be a password.
    Raises ``StartError`` for the first variable that is missing or wrong.

    >>> class Demo(msgspec.Struct, frozen=True):
    ...     port: int = 8000
    ...     names: list[str] = []
    >>> load(Demo, "CHAT", {"CHAT_PORT": "9000", "CHAT_NAMES": "a.example, b.example"})
    Demo(port=9000, names=['a.example', 'b.example'])
    """
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        name = f"{prefix}_{field.name}".upper()
        text = _text(name, environment)
        if text is not None:
            values[field.name] = _value(name, text, field)
        elif field.required:
            raise StartError(f"{name} is not set; set it, or {name}_FILE to a file that holds it")
    return kind(**values)


def _text(name: str, environment: Mapping[str, str]) -> str | None:
    path = environment.get(f"{name}_FILE")
    if path is None:
        return environment.get(name)
    if name in environment:
        raise StartError(f"{name} and {name}_FILE are both set; keep one of them")
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise StartError(f"{name}_FILE names {path}, which cannot be read: {error}") from None


def _value(name: str, text: str, field: FieldInfo) -> object:
    is_list = get_origin(field.type) is list
    raw = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
    try:
        return msgspec.convert(raw, field.type, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise StartError(f"{name} cannot be used: {error}; correct it or leave it out") from None


def _path(kind: type, text: object) -> Path:
    if kind is Path and isinstance(text, str):
        return Path(text)
    raise NotImplementedError(f"settings have no type {kind}")
