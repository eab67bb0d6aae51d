"""``sidetone admin restore``: a server made out of a backup."""

from datetime import UTC, datetime
from pathlib import Path

import click

from sidetone.all_in_one.backup import folder, postgres
from sidetone.all_in_one.backup.archive import Description, check
from sidetone.all_in_one.commands.admin.secret_file import passphrase_option
from sidetone.all_in_one.commands.place import Place, place_of, place_options
from sidetone.runtime.process import run
from sidetone.runtime.start import StartError


@click.command(params=place_options())
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Read the backup, and write nothing.")
@passphrase_option
def restore(
    archive: Path,
    passphrase: str | None,
    database: str | None,
    data: Path | None,
    *,
    only_check: bool,
) -> None:
    """Restore ARCHIVE into an empty data folder, or into an empty PostgreSQL database.

    The whole backup is read first: one that is damaged leaves nothing behind.
    """

    async def main() -> None:
        description, totals = check(archive, passphrase)
        at = datetime.fromtimestamp(description.made_at_ms / 1000, UTC)
        click.echo(
            f"The backup of {at:%Y-%m-%d %H:%M} UTC, version {description.version}, is whole: "
            f"{totals.size_bytes:,} bytes of data."
        )
        if not only_check:
            _restore(archive, description, passphrase, place_of(database, data))
            click.echo("It is restored. Who logged in or refreshed since then logs in again.")

    run(main)


def _restore(
    archive: Path, description: Description, passphrase: str | None, place: Place
) -> None:
    if description.kind == "postgres":
        if place.database is None:
            raise StartError("this is the backup of a PostgreSQL database: give --database")
        postgres.restore(archive, passphrase, place.database)
    elif place.database is not None:
        raise StartError("this is the backup of a data folder: give --data, not --database")
    else:
        folder.restore(archive, passphrase, place.folder)
