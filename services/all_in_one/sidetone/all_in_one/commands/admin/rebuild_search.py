"""``sidetone admin rebuild-search``: the search index of a cluster, made from the messages."""

import asyncio
from pathlib import Path

import click

from sidetone.all_in_one.commands.place import place_of, place_options
from sidetone.chat.infrastructure.search_indexer import ask_rebuild, rebuild_under_way
from sidetone.runtime.surroundings import Surroundings

_LOOK_SECONDS = 1.0


@click.command("rebuild-search", params=place_options())
@click.option("--wait", is_flag=True, help="Return when the new index has taken over.")
def rebuild_search(database: str | None, data: Path | None, *, wait: bool) -> None:
    """Have the search index of a cluster built anew; searches and messages go on meanwhile."""
    place = place_of(database, data)
    if place.database is None:
        raise click.ClickException(
            "the search of a data folder is a part of its database and never apart from it: "
            "give the --database of a cluster"
        )

    async def work(around: Surroundings) -> None:
        began = await ask_rebuild(around.database)
        click.echo(
            "The index is built anew by sidetone service search-indexer."
            if began
            else "The index is being built anew already."
        )
        while wait and (under_way := await rebuild_under_way(around.database)) is not None:
            click.echo(f"{under_way.messages:,} messages are in the new index.")
            await asyncio.sleep(_LOOK_SECONDS)

    place.operate(work)
