"""``sidetone admin import-discord``: a server made out of what DiscordChatExporter wrote."""

from pathlib import Path

import click
import msgspec

import sidetone.auth.app
import sidetone.chat.app
import sidetone.media.app
from sidetone.all_in_one.commands.admin.answers import json_option
from sidetone.all_in_one.commands.place import Place, place_of, place_options
from sidetone.all_in_one.data_folder import DataFolder
from sidetone.all_in_one.luggage import FolderLuggage, NoLuggage
from sidetone.chat.application.archive import Luggage, Skipped
from sidetone.chat.application.import_server import Report
from sidetone.chat.infrastructure.discord_export import DiscordExport
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files_folder import FolderFiles


@click.command("import-discord", params=place_options())
@click.argument("export", type=click.Path(path_type=Path, exists=True))
@click.option("--owner", required=True, help="The name or id of the account that gets the server.")
@json_option
def import_discord(
    export: Path, owner: str, database: str | None, data: Path | None, *, as_json: bool
) -> None:
    """Import the folder EXPORT, in which each JSON file is a channel of one Discord server.

    Import again to go on after an interruption, or with newer files: nothing is made twice.
    """

    async def work(around: Surroundings) -> None:
        user = (await sidetone.auth.app.operation(around).find(owner)).id
        skipped: Skipped = {}
        found = DiscordExport.open(export, skipped)
        luggage = _luggage(around, place)
        report = await (await sidetone.chat.app.importing(around, luggage))(found, user, skipped)
        click.echo(msgspec.json.encode(report).decode() if as_json else _told(report))

    place = place_of(database, data)
    place.operate(work)


def _luggage(around: Surroundings, place: Place) -> Luggage:
    """Return the way to the files of a data folder; those of a cluster are elsewhere."""
    if place.database is not None:
        return NoLuggage()
    files = FolderFiles(DataFolder(place.folder).files)
    return FolderLuggage(sidetone.media.app.bringing(around, files))


def _told(report: Report) -> str:
    left_out = [f"  {count:>9,}  {what}" for what, count in sorted(report.skipped.items())]
    done = (
        f"The server {report.server} has {report.channels} channels, {report.threads} threads, "
        f"{report.roles} roles and {report.messages:,} imported messages, "
        f"{report.new_messages:,} of them new."
    )
    return "\n".join(
        [
            done,
            "Exports tell nothing of permissions: until you set them, every member may read all.",
            *(["Left out:", *left_out] if left_out else ["Nothing was left out."]),
        ]
    )
