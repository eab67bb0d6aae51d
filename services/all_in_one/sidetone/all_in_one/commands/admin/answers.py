"""How a list is shown: a line each, or JSON for programs."""

from collections.abc import AsyncIterable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import click
import msgspec

L = TypeVar("L", bound=msgspec.Struct)

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document a line.")


async def show(lines: AsyncIterable[L], line_of: Callable[[L], str], *, as_json: bool) -> None:
    """Print each of *lines* as it comes, so that a long list needs no memory."""
    async for line in lines:
        click.echo(msgspec.json.encode(line).decode() if as_json else line_of(line))


def day(at_ms: int | None) -> str:
    """Return the day of a time, as all lists show it."""
    return "never" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"
