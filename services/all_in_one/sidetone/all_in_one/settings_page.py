"""The page that names every variable, with what it takes and its default.

It is written from the settings structs, so that it cannot say anything else than what is read.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import NODEFAULT
from msgspec import inspect as types

from sidetone.all_in_one.deployables import DEPLOYABLES, ELSEWHERE, Deployable
from sidetone.runtime.settings import Variable

_HEAD = """\
# Settings

Every program reads its settings from the environment when it starts, and says in one line what it
cannot use. `NAME_FILE` names a file that holds the value of `NAME`, as secrets are mounted; lists
take commas. `sidetone config check` prints what is set, wrong, missing or unused on a machine.

This page is the output of `sidetone config list`.
"""
_TABLE = "| variable | takes | default |\n|---|---|---|\n"
_WORDS: Mapping[type[types.Type], str] = {
    types.BoolType: "`true` or `false`",
    types.ListType: "list",
    types.StrType: "text",
}


def page(names: Iterable[str]) -> str:
    """Return the page of the programs *names*, in Markdown."""
    sections = [_section(DEPLOYABLES[name]) for name in names]
    rows = [f"| `{name}` | {text} |\n" for name, text in ELSEWHERE.items()]
    others = "## Elsewhere\n\n| variable | what for |\n|---|---|\n" + "".join(rows)
    return "\n".join([_HEAD, *sections, others])


def _section(deployable: Deployable) -> str:
    told = "\n\n".join(_told(kind) for kind, _ in deployable.parts)
    rows = "".join(_row(variable) for variable in deployable.variables())
    return f"## {deployable.command}\n\n{told}\n\n{_TABLE}{rows}"


def _told(kind: type[msgspec.Struct]) -> str:
    """Return what the struct and those it extends say of themselves."""
    kinds = kind.__mro__[: kind.__mro__.index(msgspec.Struct)]
    texts = [inspect.cleandoc(each.__doc__ or "") for each in kinds]
    return "\n\n".join(text.replace("``", "`") for text in texts if text)


def _row(variable: Variable) -> str:
    takes = " or ".join(_takes(types.type_info(variable.field.type)))
    return f"| `{variable.name}` | {takes} | {_default(variable)} |\n"


def _takes(kind: types.Type) -> Iterator[str]:
    match kind:
        case types.Metadata():
            yield from _takes(kind.type)
        case types.UnionType():
            for each in kind.types:
                yield from _takes(each)
        case types.NoneType():
            return
        case _:
            yield _word(kind)


def _word(kind: types.Type) -> str:
    match kind:
        case types.IntType():
            return "whole number" + _bounds(kind.ge, kind.le)
        case types.FloatType():
            return "number" + _bounds(kind.ge, kind.le)
        case types.LiteralType():
            return " or ".join(f"`{value}`" for value in kind.values)
        case types.StrType() if kind.pattern:
            return f"text like `{kind.pattern}`".replace("|", "\\|")
        case types.CustomType() if kind.cls is Path:
            return "path"
        case _:
            return _WORDS[type(kind)]


def _bounds(least: float | None, most: float | None) -> str:
    match least, most:
        case None, None:
            return ""
        case None, _:
            return f", at most {most}"
        case _, None:
            return f", at least {least}"
        case _:
            return f", {least} to {most}"


def _default(variable: Variable) -> str:
    if variable.field.required:
        return "**must be set**"
    default = variable.field.default
    return "" if default is NODEFAULT or default in {None, ""} else f"`{default}`"
