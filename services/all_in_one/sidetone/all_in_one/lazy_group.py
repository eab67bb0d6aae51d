"""A group of commands that imports a command when it is called, so that all start fast."""

from collections.abc import Mapping
from importlib import import_module

import click
from typing_extensions import override


class LazyGroup(click.Group):
    """Finds the command ``one-thing`` as ``PACKAGE.one_thing.one_thing``."""

    def __init__(self, name: str, *, package: str, commands: Mapping[str, str], line: str) -> None:
        """Take the line of help of the group and of each of *commands*."""
        super().__init__(name, help=line)
        self._package = package
        self._lines = commands

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._lines)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lines:
            return None
        name = cmd_name.replace("-", "_")
        return getattr(import_module(f"{self._package}.{name}"), name)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._lines.items()))
