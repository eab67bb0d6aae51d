"""``sidetone admin backup``: one file that holds all that a server must not lose."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from sidetone.all_in_one.backup import folder, postgres
from sidetone.all_in_one.backup.archive import Description, check, writing
from sidetone.all_in_one.commands.admin.secret_file import passphrase_option
from sidetone.all_in_one.commands.place import Place, place_of, place_options
from sidetone.all_in_one.data_folder import DataFolder
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run
from sidetone.runtime.start import StartError


@click.command(params=place_options())
@click.argument("archive", type=click.Path(path_type=Path))
@passphrase_option
def backup(archive: Path, passphrase: str | None, database: str | None, data: Path | None) -> None:
    """Write a backup to ARCHIVE: a new file, or a folder where it is named by the time.

    The server may run meanwhile. The backup of a data folder holds the database, the files of
    members and the server's keys; that of a PostgreSQL database (--database) holds the database.
    """

    async def main() -> None:
        now_ms = SystemClock().now_ms()
        path = archive / _name(now_ms) if archive.is_dir() else archive
        _write(place_of(database, data), path, passphrase, now_ms)
        # A backup that was never read is none.
        _, totals = check(path, passphrase)
        click.echo(f"{path} is written and read again: {totals.size_bytes:,} bytes of data.")
        click.echo("It holds the keys of the server: keep it where only you can read it.")

    run(main)


def _write(place: Place, path: Path, passphrase: str | None, now_ms: int) -> None:
    if place.database is not None and "://" not in place.database:
        raise StartError("a database file has no backup of its own: give its folder with --data")
    kind = "folder" if place.database is None else "postgres"
    description = Description(kind, version("sidetone-all-in-one"), now_ms)
    with writing(path, description, passphrase) as writer:
        if place.database is not None:
            postgres.collect(place.database, writer, path.parent)
        else:
            folder.collect(DataFolder(place.folder), writer, path.parent)


def _name(now_ms: int) -> str:
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"sidetone-{at:%Y-%m-%dT%H-%M-%SZ}.backup"
