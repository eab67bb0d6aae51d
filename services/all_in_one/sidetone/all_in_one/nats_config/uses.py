"""What a service says and hears on the bus, read from its source.

Whoever asks a question makes one, and whoever announces an event makes one; whoever answers or
listens names the kind. So the calls in a package are the list of its subjects, and a list kept by
hand beside them could only be wrong.
"""

import ast
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple, get_args

from sidetone.protocol import events, questions
from sidetone.protocol.events import Event
from sidetone.protocol.questions import Question

_EVENTS: Final = {f"{kind.__module__}.{kind.__name__}": kind for kind in get_args(Event)}
_QUESTIONS: Final[dict[str, type[Question[Any]]]] = {
    f"{kind.__module__}.{kind.__name__}": kind
    for kind in vars(questions).values()
    if isinstance(kind, type) and issubclass(kind, Question) and kind is not Question
}
_PROTOCOL: Final = (events.__name__, questions.__name__)
# What takes the tokens of callers, in every service that answers requests.
_HTTP: Final = "sidetone.runtime"


class Uses(NamedTuple):
    """Subjects of the bus, and what is done with the journal."""

    asks: frozenset[str]
    answers: frozenset[str]
    publishes: frozenset[str]
    hears: frozenset[str]
    records: bool
    follows_all: bool
    follows_services: bool
    places: frozenset[str]


def uses_of(package: str, *, http: bool) -> Uses:
    """Return what *package* does on the bus; with *http* it takes the tokens of callers too."""
    found = _Found()
    for module in _modules(files(package)):
        found.read(module)
    if http:
        for module in _modules(files(_HTTP)):
            found.read(module)
    return found.uses()


def _modules(folder: Traversable) -> Iterator[ast.Module]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _modules(entry)
        elif entry.name.endswith(".py"):
            yield _parsed(entry.read_text("utf-8"))


def _parsed(source: str) -> ast.Module:
    """Parse once more where Python miscounts.

    Before 3.11.5 it does when something else is parsed meanwhile, by another thread or by what the
    garbage collector calls (CPython issue 106905).
    """
    try:
        return ast.parse(source)
    except SystemError:
        return ast.parse(source)


class _Found:
    """What the modules that were read say."""

    def __init__(self) -> None:
        self._made: set[Any] = set()
        self._answers: set[str] = set()
        self._hears: set[str] = set()
        self._places: set[str] = set()
        self._calls: set[str] = set()

    def read(self, module: ast.Module) -> None:
        """Note what the calls in *module* make, answer, hear and follow."""
        names = _imported(module)
        for call in ast.walk(module):
            if isinstance(call, ast.Call):
                self._note(call, names)

    def uses(self) -> Uses:
        """Return it in order."""
        return Uses(
            asks=frozenset(k.subject for k in self._made if issubclass(k, Question)),
            answers=frozenset(self._answers),
            publishes=frozenset(k.subject for k in self._made if not issubclass(k, Question)),
            hears=frozenset(self._hears),
            records="records" in self._calls,
            follows_all="all" in self._calls,
            follows_services="services" in self._calls,
            places=frozenset(self._places),
        )

    def _note(self, call: ast.Call, names: dict[str, str]) -> None:
        kinds = [kind for each in call.args if (kind := _kind(each, names)) is not None]
        match _called(call.func):
            case (_, "answer"):
                self._answers.update(kind.subject for kind in kinds)
            case (_, "subscribe"):
                self._hears.update(kind.subject for kind in kinds)
            case (receiver, "follow") if receiver.endswith("journal"):
                self._note_follower(call)
            case ("Outbox", "open"):
                self._calls.add("records")
            case (_, "isinstance"):
                pass
            case _:
                # A kind that is handed over is made by whoever gets it.
                self._made.update(kinds)
                if (made := _kind(call.func, names)) is not None:
                    self._made.add(made)

    def _note_follower(self, call: ast.Call) -> None:
        options = {option.arg: option.value for option in call.keywords}
        place = options.get("place")
        if isinstance(place, ast.Constant):
            self._places.add(str(place.value))
        else:
            self._calls.add("services" if "services_only" in options else "all")


def _called(function: ast.expr) -> tuple[str, str]:
    """Return the name of what *function* is called on, if it has one, and its own."""
    match function:
        case ast.Attribute(ast.Name(receiver) | ast.Attribute(_, receiver), name):
            return receiver, name
        case ast.Attribute(_, name) | ast.Name(name):
            return "", name
        case _:
            return "", ""


def _imported(module: ast.Module) -> dict[str, str]:
    """Return what the names of the protocol's modules and kinds stand for in *module*."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return {name: full for name, full in names.items() if full.startswith(_PROTOCOL)}


def _kind(node: ast.expr, names: dict[str, str]) -> type[Event | Question[Any]] | None:
    """Return the event or question that *node* names, None for anything else."""
    match node:
        case ast.Name(name):
            full = names.get(name, "")
        case ast.Attribute(ast.Name(module), name):
            full = f"{names.get(module, '')}.{name}"
        case _:
            return None
    return _EVENTS.get(full) or _QUESTIONS.get(full)
