"""What servers and libraries refuse with, as it stands in their code: for the catalogues.

A detail that is put together counts with each of its forms: its names are followed to what is
assigned to them, and to what callers in the same member pass. What varies becomes a placeholder.
What is computed is left out, and said in English.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

ROOT: Final = Path(__file__).parents[2]
# Where members meet a refusal.
MEMBERS: Final = (
    "desktop",
    "libs/audio",
    "libs/bus",
    "libs/client",
    "libs/credentials",
    "libs/e2ee",
    "libs/runtime",
    "libs/storage",
    "libs/video",
    "services/auth",
    "services/chat",
    "services/gateway",
    "services/integrations",
    "services/media",
    "services/presence",
    "services/voice",
    "voice-sfu",
)
# What only operators and programs meet, what only the log gets, and examples.
_LEFT_OUT: Final = re.compile(
    r"/(discord_export|operate_\w+|openapi|api_webhooks|positions)\.py$"
    r"|^libs/audio/.*/(codec|resampling|settings|space)\.py$"
    r"|^libs/bus/(?!.*/(answers|nats)\.py$)"
    r"|^libs/e2ee/(?!.*/linking\.py$)"
    r"|^libs/video/.*/decoder\.py$"
)
# Which argument is the detail.
_DETAIL: Final = {
    **dict.fromkeys(
        ("Unauthenticated", "Forbidden", "NotFound", "Conflict", "Invalid", "RateLimited"), 1
    ),
    **dict.fromkeys(("Unavailable", "Rejected", "Refused", "Lost"), 1),
    "Problem": 2,
    "AudioError": 0,
    "VideoError": 0,
}
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
# `None` is what cannot be read.
_Texts: TypeAlias = list[str | None]
_Seen: TypeAlias = frozenset[tuple[_Function | None, str]]


class Refused(NamedTuple):
    """A detail in the code: its file and line, and its text with a name for what varies."""

    file: str
    line: int
    text: str


class _Place(NamedTuple):
    """Where a name is looked up: in a function of a module."""

    module: ast.Module
    function: _Function | None


def refusals(root: Path = ROOT, members: tuple[str, ...] = MEMBERS) -> Iterator[Refused]:
    """Yield each detail that the code of *members* can refuse with."""
    for member in members:
        files = {
            path.relative_to(root).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
            for path in sorted((root / member / "sidetone").rglob("*.py"))
        }
        reader = _Reader(files)
        for file in files:
            if not _LEFT_OUT.search(file):
                yield from reader.details(file)


class _Reader:
    """Reads the texts of one member."""

    def __init__(self, files: dict[str, ast.Module]) -> None:
        self._files = files
        self._calls: dict[str, list[tuple[ast.Call, _Place]]] = defaultdict(list)
        self._called_in: dict[str, list[tuple[ast.Call, _Place]]] = {}
        for file, module in files.items():
            self._called_in[file] = [*_calls(module, _Place(module, None))]
            for call, place in self._called_in[file]:
                # Which class is made by `super()` is not followed.
                if (name := _name(call.func)) != "__init__":
                    self._calls[name].append((call, place))

    def details(self, file: str) -> Iterator[Refused]:
        """Yield what is refused in *file*."""
        for call, place in self._called_in[file]:
            at = _DETAIL.get(_name(call.func))
            detail = None if at is None else _argument(call, at, "detail")
            if detail is not None:
                for text in self._texts(detail, place, frozenset()):
                    if text is not None and " " in text:
                        yield Refused(file, call.lineno, _numbered(text))

    def _texts(self, node: ast.expr, place: _Place, seen: _Seen) -> _Texts:
        """Return all that *node* can be."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                pieces = [self._piece(value, place, seen) for value in values]
                return ["".join(together) for together in product(*pieces)]
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._meant(node, place, seen)
        choices = _choices(node)
        return [text for each in choices for text in self._texts(each, place, seen)] or [None]

    def _meant(self, node: ast.expr, place: _Place, seen: _Seen) -> _Texts:
        """Return what a name stands for; what others may set on an object is not known."""
        match node:
            case ast.Name(id=name) if (place.function, name) not in seen:
                return self._named(name, place, seen | {(place.function, name)})
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if (
                name.startswith("_") and (None, name) not in seen
            ):
                return self._kept(name, place, seen | {(None, name)})
            case ast.Subscript(value=ast.Name() as table):
                return self._texts(table, place, seen)
        return [None]

    def _piece(self, node: ast.expr, place: _Place, seen: _Seen) -> list[str]:
        """Return what a part of an f-string can be."""
        value = node.value if isinstance(node, ast.FormattedValue) else node
        unread = "{" + _simple(value) + "}"
        texts = self._texts(value, place, seen)
        return list(dict.fromkeys(unread if text is None else text for text in texts))

    def _named(self, name: str, place: _Place, seen: _Seen) -> _Texts:
        """Return what is assigned to *name*, or passed for it."""
        for scope in filter(None, (place.function, place.module)):
            assigned = [*_assigned(name, scope)]
            if assigned:
                return [text for each in assigned for text in self._texts(each, place, seen)]
            if isinstance(scope, _Function) and name in _parameters(scope):
                return self._passed(name, scope, seen)
        return [None]

    def _kept(self, name: str, place: _Place, seen: _Seen) -> _Texts:
        """Return what ``self`` keeps as *name*."""
        texts: _Texts = []
        for function in ast.walk(place.module):
            if isinstance(function, _Function):
                inside = _Place(place.module, function)
                for value in _assigned(name, function, to_self=True):
                    texts += self._texts(value, inside, seen)
        return texts or [None]

    def _passed(self, name: str, function: _Function, seen: _Seen) -> _Texts:
        parameters = [each for each in _parameters(function) if each not in {"self", "cls"}]
        passed: _Texts = []
        for call, place in self._calls[function.name]:
            value = _argument(call, parameters.index(name), name)
            if value is not None:
                passed += self._texts(value, place, seen)
        return passed or [None]


def _calls(node: ast.AST, place: _Place) -> Iterator[tuple[ast.Call, _Place]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield child, place
        inside = _Place(place.module, child) if isinstance(child, _Function) else place
        yield from _calls(child, inside)


def _choices(node: ast.expr) -> list[ast.expr]:
    """Return the parts of *node* of which one is taken."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            return [one, other]
        case ast.BoolOp(values=values) | ast.Dict(values=values):
            return values
    return []


def _assigned(
    name: str, scope: _Function | ast.Module, *, to_self: bool = False
) -> Iterator[ast.expr]:
    nodes = ast.walk(scope) if isinstance(scope, _Function) else iter(scope.body)
    kind = ast.Attribute if to_self else ast.Name
    for node in nodes:
        match node:
            case (
                ast.Assign(targets=[target], value=value)
                | ast.AnnAssign(target=target, value=ast.expr() as value)
            ) if isinstance(target, kind) and _name(target) == name:
                yield value


def _parameters(function: _Function) -> list[str]:
    arguments = function.args
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    if at < len(call.args):
        return call.args[at]
    return next((given.value for given in call.keywords if given.arg == name), None)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _simple(node: ast.expr) -> str:
    """Return a name for the value of *node*."""
    match node:
        case ast.Call(args=[first, *_]):
            return _simple(first)
        case ast.Call(func=called):
            return _simple(called)
        case ast.BinOp(left=part) | ast.Subscript(value=part) | ast.BoolOp(values=[part, *_]):
            return _simple(part)
    return _name(node).strip("_").lower() or "value"


def _numbered(text: str) -> str:
    """Return *text* with a name of its own for each placeholder."""
    seen: dict[str, int] = defaultdict(int)

    def named(match: re.Match[str]) -> str:
        seen[match[1]] += 1
        return match[0] if seen[match[1]] == 1 else f"{{{match[1]}_{seen[match[1]]}}}"

    return _PLACEHOLDER.sub(named, text)
