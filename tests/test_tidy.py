"""House rules that no linter knows (after TigerBeetle's tidy.zig)."""

import ast
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = ("libs", "services", "voice-sfu", "desktop", "tests", "docs/examples", "infra")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
ARCHITECTURE_LINES_MAX = 250
# Names that say nothing attract everything.
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "service"}


class Module(NamedTuple):
    """A file of Python, and what is in it."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def is_product(self) -> bool:
        return "tests" not in self.path.parts


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    found = sorted(path for group in GROUPS for path in (ROOT / group).rglob("*.py"))
    assert len(found) > 1_000
    texts = [path.read_text() for path in found]
    return [Module(path, text, ast.parse(text)) for path, text in zip(found, texts, strict=True)]


def test_modules_are_small(modules: list[Module]) -> None:
    long = [name(each.path) for each in modules if each.text.count("\n") > FILE_LINES_MAX]
    assert long == []


def test_functions_are_small(modules: list[Module]) -> None:
    long = [
        f"{name(each.path)}: {node.name} has {length} lines"
        for each in modules
        for node in ast.walk(each.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_names_of_modules_say_something(modules: list[Module]) -> None:
    # A command's file has the command's name: `sidetone service NAME`.
    vague = [
        name(each.path)
        for each in modules
        if each.path.stem in VAGUE and each.path.parent.name != "commands"
    ]
    assert vague == []


def test_modules_say_what_they_are_for(modules: list[Module]) -> None:
    silent = [
        name(each.path) for each in modules if each.is_product and not ast.get_docstring(each.tree)
    ]
    assert silent == []


def test_a_use_case_is_called_what_it_does(modules: list[Module]) -> None:
    """``send_message.py`` holds ``SendMessage``, so the folder reads as a list of abilities.

    What a user of the client does is mostly one call of the SDK: there a file holds the few
    functions of one ability.
    """
    nameless = [
        name(path)
        for path, _, tree in (each for each in modules if each.is_product)
        if "application" in path.parts and "desktop" not in path.parts
        if path.stem != "__init__" and not path.stem.endswith("ports")
        if path.stem.title().replace("_", "")
        not in {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    ]
    assert nameless == []


def test_the_namespace_package_has_no_init() -> None:
    assert [name(path) for path in ROOT.rglob("sidetone/__init__.py")] == []


def test_the_code_map_names_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    tomls = [*ROOT.glob("libs/*/*.toml"), *ROOT.glob("services/*/*.toml")]
    members = [toml.parent.name for toml in tomls]
    assert [member for member in members if f"/{member}`" not in text] == []
    assert text.count("\n") <= ARCHITECTURE_LINES_MAX


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = sorted(int(p.name[:4]) for p in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_readme_names_both_commands() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "./just demo" in readme
    assert "./just test" in readme


def test_no_committed_text_names_a_home_folder() -> None:
    listed = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    texts = [
        ROOT / line for line in listed if not line.endswith((".wav", ".lock", ".png", ".woff2"))
    ]
    homes = re.compile(r"/home/\w+/|/Users/\w+/|/root/")
    found = [name(p) for p in texts if p.is_file() and homes.search(p.read_text())]
    assert found == [name(Path(__file__))]
