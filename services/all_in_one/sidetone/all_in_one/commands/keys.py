"""``sidetone keys``: the keys that sign access tokens."""

import click

from sidetone.all_in_one.commands.migrate import Place, note_place, place_options
from sidetone.auth.app import rotate_keys
from sidetone.runtime.clock import SystemClock
from sidetone.storage import Database

keys = click.Group(
    "keys",
    callback=note_place,
    params=place_options(),
    help="Change the keys that sign access tokens before their time.",
)


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
