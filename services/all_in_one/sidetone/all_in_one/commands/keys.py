"""``sidetone keys``: the keys that sign access tokens."""

from pathlib import Path

import click

from sidetone.all_in_one.commands.migrate import Place
from sidetone.all_in_one.commands.serve import default_data_folder
from sidetone.auth.app import rotate_keys
from sidetone.runtime.clock import SystemClock
from sidetone.storage import Database


@click.group()
@click.option(
    "--database",
    metavar="URL|FILE",
    help="postgresql://… or an SQLite file; default: the one in the data folder.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of all data.")
@click.pass_context
def keys(context: click.Context, database: str | None, data: Path | None) -> None:
    """Change the keys that sign access tokens before their time."""
    context.obj = Place(database, data or default_data_folder())


@keys.command()
@click.pass_obj
def rotate(place: Place) -> None:
    """Make the next key now; it signs after it was published for a day."""

    async def work(database: Database) -> None:
        await rotate_keys(database, SystemClock())
        click.echo(
            "The next key is made; it signs from tomorrow on, and the old one still counts."
        )

    place.work(work)
