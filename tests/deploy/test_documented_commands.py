"""Commands in the documentation are commands that there are, with these options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from sidetone.all_in_one.__main__ import COMMANDS, main
from sidetone.all_in_one.deployables import DEPLOYABLES, ELSEWHERE
from tests.deploy.rendered import ROOT

PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "decisions" not in page.parts
)
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
RECIPE = re.compile(r"^([a-z][\w-]*)([^:\n]*):(?!=)", re.MULTILINE)
VARIABLE = re.compile(r"SIDETONE_[A-Z0-9_]*[A-Z0-9]")
# What stands for something else: SIDETONE_<SERVICE>_…
STANDS_FOR = ("…", "<", "...", "*")
# Of compose, and of tests.
OTHER_VARIABLES = {"SIDETONE_PUBLIC_HOST", "SIDETONE_REQUIRE_ENGINES"}


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command that a page shows in code."""
    code = [
        line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()
    ]
    code += INLINE.findall(BLOCK.sub("", text))
    for line in code:
        for part in re.split(r"&&|;|\|", line.strip().removeprefix("# ").partition(" #")[0]):
            try:
                words = shlex.split(part)
            except ValueError:
                continue
            while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
                words = words[1:]
            if words:
                yield words


def shown(program: str) -> list[tuple[Path, list[str]]]:
    return [
        (page, words[1:])
        for page in PAGES
        for words in commands(page.read_text(encoding="utf-8"))
        if words[0] == program and len(words) > 1
    ]


def recipes() -> dict[str, str]:
    return dict(RECIPE.findall((ROOT / "justfile").read_text()))


def test_the_pages_show_commands() -> None:
    assert len(shown("./just")) > 20
    assert len(shown("sidetone")) > 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_recipes_exist_and_take_what_they_are_given(page: Path) -> None:
    known = recipes()
    for where, words in shown("./just"):
        if where == page:
            assert words[0] in known, f"./just {' '.join(words)}"
            assert words[1:] == [] or known[words[0]].strip(), f"{words[0]} takes nothing"
            if words[0] in COMMANDS:
                require_options(main, words)
            if words[0] == "bench":
                assert (ROOT / "tests" / "load" / f"bench_{words[1]}.py").is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_and_know_their_options(page: Path) -> None:
    for where, words in shown("sidetone"):
        if where == page:
            require_options(main, words)


def require_options(group: click.Command, words: list[str]) -> None:
    """Walk down to the subcommand that *words* name, and look each option up in it."""
    command, rest = group, list(words)
    while isinstance(command, click.Group) and rest:
        known = {option for each in command.params for option in each.opts}
        word = rest.pop(0)
        if word.startswith("--"):
            assert word in known, f"{' '.join(words)}: no option {word}"
            rest = rest[1:]
            continue
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"sidetone {' '.join(words)}: no command {word}"
        command = found
    known = {option for each in command.params for option in [*each.opts, *each.secondary_opts]}
    for word in rest:
        if word.startswith("--"):
            assert word.partition("=")[0] in known | {"--help"}, f"{' '.join(words)}: no {word}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_variables_are_read_by_something(page: Path) -> None:
    known = {variable.name for each in DEPLOYABLES.values() for variable in each.variables()}
    known |= {variable.removesuffix("_FILE") for variable in ELSEWHERE}
    for code in [*BLOCK.findall(text := page.read_text()), *INLINE.findall(text)]:
        for variable in VARIABLE.findall(code):
            after = code[code.index(variable) + len(variable) :]
            if after.lstrip("_").startswith(STANDS_FOR):
                continue
            assert variable.removesuffix("_FILE") in known | OTHER_VARIABLES, variable
