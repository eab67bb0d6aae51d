"""``sidetone keys``: the keys that sign tokens and tickets, and the one that members pin."""

import shutil

import click

import sidetone.auth.app
import sidetone.voice.app
from sidetone.all_in_one.commands.place import Place, note_place, place_options
from sidetone.all_in_one.data_folder import DataFolder, opened
from sidetone.credentials.pins import Address
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run
from sidetone.runtime.start import StartError
from sidetone.runtime.surroundings import Surroundings
from sidetone.runtime.tls import Identity

keys = click.Group(
    "keys",
    callback=note_place,
    params=place_options(),
    help="Change the keys that sign access tokens and voice tickets, or the server's own.",
)


@keys.command()
@click.pass_obj
def rotate(place: Place) -> None:
    """Make the next key for access tokens; it signs after it was published for a day."""

    async def work(around: Surroundings) -> None:
        await sidetone.auth.app.rotate_keys(around.database, around.clock)
        click.echo(
            "The next key is made; it signs from tomorrow on, and the old one still counts."
        )

    place.operate(work)


@keys.command("rotate-tickets")
@click.pass_obj
def rotate_tickets(place: Place) -> None:
    """Make the next key for voice tickets; it signs after it was published for an hour."""

    async def work(around: Surroundings) -> None:
        kid = await sidetone.voice.app.rotate_ticket_keys(around)
        click.echo(f"Key {kid} is made; it signs in an hour, and the old one counts till then.")

    place.operate(work)


@keys.command("replace-identity")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def replace_identity(place: Place, *, yes: bool) -> None:
    """Replace the server's own key, which its members pin; the server must not run.

    Only where the old key was stolen: every address that was given out is void from then on, and
    whoever follows it is told that this is another server. Give everybody the new address.
    """
    if place.database is not None:
        raise click.ClickException("the key is a file in the data folder: give --data")
    if not yes:
        click.confirm("Make every address that was given out void?", abort=True)

    async def main() -> None:
        before, after = _replace(place)
        click.echo(f"The old key was {before}; it is kept in tls-replaced.")
        click.echo(f"The new one is {after}: start the server and give its new address to all.")

    run(main)


def _replace(place: Place) -> tuple[str, str]:
    """Move the old key away, make a new one, and return how each is written in addresses."""
    if not DataFolder(place.folder).tls.is_dir():
        raise StartError(f"there is no server's key in {place.folder}: check --data")
    with opened(place.folder) as folder:
        replaced = folder.path / "tls-replaced"
        if replaced.exists():
            raise StartError(f"{replaced} is there from the last time: move it away first")
        before = Identity.read(folder.tls)
        shutil.move(folder.tls, replaced)
        after = Identity.open(folder.tls, [], SystemClock().now_ms())
    return _pin(before), _pin(after)


def _pin(identity: Identity) -> str:
    return str(Address("", 0, identity.spki_sha256)).rpartition("#")[2]
