"""Settings come from the environment, once, at the start, into one frozen Struct per process.

Nothing here reads ``os.environ``: a ``__main__`` hands the environment over.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Protocol, TypeAlias, TypeVar, cast, get_origin, runtime_checkable

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import FieldInfo

from sidetone.runtime.start import StartError

S = TypeVar("S", bound=msgspec.Struct)

# What nobody may read over an operator's shoulder.
Secret: TypeAlias = Annotated[str, msgspec.Meta(extra={"secret": True})]

_MASK = "***"


@runtime_checkable
class Checked(Protocol):
    """Settings that can be wrong together although each of them is right."""

    def require_sound(self) -> None:
        """Raise ``StartError`` where they do not go together; ``load`` asks."""
        ...


class Variable:
    """One field of a settings struct, as the environment knows it.

    ``NAME_FILE`` names a file that holds the value, as secrets are mounted. A list takes commas.
    The value itself is never repeated in an error: it may be a password.
    """

    def __init__(self, prefix: str, field: FieldInfo) -> None:
        self.name = f"{prefix}_{field.name}".upper()
        self.field = field

    @property
    def file_name(self) -> str:
        """The variable that names a file with the value."""
        return f"{self.name}_FILE"

    def is_set(self, environment: Mapping[str, str]) -> bool:
        """Tell whether *environment* says anything of it."""
        return self.name in environment or self.file_name in environment

    def read(self, environment: Mapping[str, str]) -> object | UnsetType:
        """Return the value, or ``UNSET`` for the default. Raises ``StartError``."""
        text = self._text(environment)
        if text is not None:
            return self._value(text)
        if self.field.required:
            raise StartError(
                f"{self.name} is not set; set it, or {self.file_name} to a file that holds it"
            )
        return UNSET

    def shown(self, environment: Mapping[str, str]) -> str:
        """Return what is set, with everything masked that could be a secret."""
        if self.file_name in environment:
            return f"the content of {environment[self.file_name]}"
        text = environment[self.name]
        return _MASK if text and self._is_secret() else without_password(text)

    def _is_secret(self) -> bool:
        described = msgspec.inspect.type_info(self.field.type)
        if not isinstance(described, msgspec.inspect.Metadata):
            return False
        extra = cast("dict[str, object]", described.extra or {})  # pyright: ignore[reportUnknownMemberType]  # it says dict
        return bool(extra.get("secret"))

    def _text(self, environment: Mapping[str, str]) -> str | None:
        path = environment.get(self.file_name)
        if path is None:
            return environment.get(self.name)
        if self.name in environment:
            raise StartError(f"{self.name} and {self.file_name} are both set; keep one of them")
        try:
            return Path(path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            raise StartError(
                f"{self.file_name} names {path}, which cannot be read: {error}"
            ) from None

    def _value(self, text: str) -> object:
        is_list = get_origin(self.field.type) is list
        raw = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
        try:
            return msgspec.convert(raw, self.field.type, strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            raise StartError(
                f"{self.name} cannot be used: {error}; correct it or leave it out"
            ) from None


def variables(kind: type[msgspec.Struct], prefix: str) -> Sequence[Variable]:
    """Return the variables that fill *kind*: ``PREFIX_FIELD`` for each of its fields."""
    return [Variable(prefix, field) for field in msgspec.structs.fields(kind)]


def load(kind: type[S], prefix: str, environment: Mapping[str, str]) -> S:
    """Read the fields of *kind*. Raises ``StartError`` for the first that is missing or wrong.

    >>> class Demo(msgspec.Struct, frozen=True):
    ...     port: int = 8000
    ...     names: list[str] = []
    >>> load(Demo, "CHAT", {"CHAT_PORT": "9000", "CHAT_NAMES": "a.example, b.example"})
    Demo(port=9000, names=['a.example', 'b.example'])
    """
    read = {each.field.name: each.read(environment) for each in variables(kind, prefix)}
    settings = kind(**{name: value for name, value in read.items() if value is not UNSET})
    if isinstance(settings, Checked):
        settings.require_sound()
    return settings


def without_password(url: str) -> str:
    """Return *url* with its password masked; what is no URL stays as it is.

    >>> without_password("postgresql://chat:hunter2@db/sidetone")
    'postgresql://chat:***@db/sidetone'
    """
    scheme, found, rest = url.partition("://")
    user_and_password, at, place = rest.rpartition("@")
    user, colon, _ = user_and_password.partition(":")
    return f"{scheme}://{user}:{_MASK}@{place}" if found and at and colon else url


def _path(kind: type, text: object) -> Path:
    if kind is Path and isinstance(text, str):
        return Path(text)
    raise NotImplementedError(f"settings have no type {kind}")
