"""``sidetone audit``: the logs of what was done in servers, entry by entry."""

import sys
from pathlib import Path

import click

from sidetone.all_in_one.commands.place import Place
from sidetone.all_in_one.commands.serve import default_data_folder
from sidetone.chat.infrastructure.sql_audit import SqlAuditLog
from sidetone.storage import Database


@click.command()
@click.option(
    "--database",
    metavar="URL|FILE",
    help="postgresql://… or an SQLite file; default: the one in the data folder.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Folder of all data.")
def audit(database: str | None, data: Path | None) -> None:
    """Check the chain of every server's log: each entry seals the one before it.

    An entry that was changed, taken out or put in by hand breaks the chain; then this says where
    and ends with status 1.
    """
    broken: list[str] = []

    async def work(opened: Database) -> None:
        log = SqlAuditLog(opened)
        servers = await log.servers()
        for server, name in servers:
            number = await log.broken_at(server)
            if number is not None:
                broken.append(f"{name} ({server}): entry {number} is not what was written")
        click.echo(f"{len(servers) - len(broken)} of {len(servers)} logs are whole.")

    Place(database, data or default_data_folder()).work(work)
    for line in broken:
        click.echo(line, err=True)
    if broken:
        sys.exit(1)
