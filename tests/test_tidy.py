"""House rules that no linter knows (after TigerBeetle's tidy.zig)."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GROUPS = ("libs", "services", "voice-sfu", "desktop", "tests", "docs/examples", "infra")
MODULES = sorted(path for group in GROUPS for path in (ROOT / group).rglob("*.py"))
PRODUCTION = [path for path in MODULES if "tests" not in path.parts]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
ARCHITECTURE_LINES_MAX = 250
# Names that say nothing attract everything.
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "service"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_small_and_named(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= FILE_LINES_MAX
    # A command's file has the command's name: `sidetone service NAME`.
    assert path.stem not in VAGUE or path.parent.name == "commands"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PRODUCTION, ids=name)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", [p for p in PRODUCTION if "application" in p.parts], ids=name)
def test_a_use_case_is_called_what_it_does(path: Path) -> None:
    """``send_message.py`` holds ``SendMessage``, so the folder reads as a list of abilities.

    What a user of the client does is mostly one call of the SDK: there a file holds the few
    functions of one ability.
    """
    if path.stem == "__init__" or path.stem.endswith("ports") or "desktop" in path.parts:
        return
    classes = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.ClassDef)}
    assert path.stem.title().replace("_", "") in classes


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
