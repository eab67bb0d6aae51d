"""``sidetone migrate``: the tables of every service, up to this version or back.

Servers migrate up by themselves when they start; this command is for who wants it done before, or
undone. It refuses whole where a file has no way down.
"""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import click

from sidetone.all_in_one.commands.serve import default_data_folder
from sidetone.all_in_one.data_folder import DataFolder, opened
from sidetone.all_in_one.settings import DatabaseSettings
from sidetone.chat.infrastructure.cql_migrations import cql_steps, migrate_cql
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.storage import Database, StorageError
from sidetone.storage.migrations import migrate as migrate_up
from sidetone.storage.migrations import no_way_down, revert, steps
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.sqlite import SqliteDatabase

Work: TypeAlias = Callable[[Database], Awaitable[None]]


class Place(NamedTuple):
    """Where the database is, as the command line says."""

    database: str | None
    folder: Path | None

    def work(self, work: Work, *, create: bool = False) -> None:
        """Do *work* on the database; one that is not there is made only to be migrated up."""

        async def main() -> None:
            address = self.database
            if address is None and self.folder is None:
                address = load(DatabaseSettings, "SIDETONE", os.environ).database_url
            folder = self.folder or default_data_folder()
            async with _opened(address, folder, create=create) as database:
                await work(database)

        run(main)


# What has tables, and the package that holds its migrations.
PACKAGES = {
    "auth": "sidetone.auth",
    "chat": "sidetone.chat",
    "integrations": "sidetone.integrations",
    "media": "sidetone.media",
    "outbox": "sidetone.runtime",
    "presence": "sidetone.presence",
    "voice": "sidetone.voice",
}


def place_options() -> list[click.Parameter]:
    """Return the options that say where the database is, for groups whose callback takes them."""
    return [
        click.Option(
            ["--database"],
            metavar="URL|FILE",
            help="postgresql://… or an SQLite file; default: SIDETONE_DATABASE_URL, else the one "
            "in the data folder.",
        ),
        click.Option(["--data"], type=click.Path(path_type=Path), help="Folder of all data."),
    ]


@click.pass_context
def note_place(context: click.Context, database: str | None, data: Path | None) -> None:
    """Keep where the database is for the subcommand."""
    context.obj = Place(database, data)


migrate = click.Group(
    "migrate",
    callback=note_place,
    params=place_options(),
    help="Bring a database up to this version, or back to an earlier one.",
)


_MESSAGES = click.option(
    "--messages", metavar="cql://…", help="Also the tables of messages in ScyllaDB or Cassandra."
)


@migrate.command()
@_MESSAGES
@click.pass_obj
def up(place: Place, messages: str | None) -> None:
    """Apply what was not applied yet."""

    async def work(database: Database) -> None:
        for service, package in PACKAGES.items():
            before = await steps(database, service, migrations_of(package))
            await migrate_up(database, service, migrations_of(package))
            for step in before:
                if not step.applied:
                    click.echo(f"{service}: {step.name} is applied.")
        if messages is not None:
            async with _opened_cql(messages) as session:
                await migrate_cql(session, database)
        click.echo("The database is up to this version.")

    place.work(work, create=True)


@migrate.command()
@click.option("--service", type=click.Choice(sorted(PACKAGES)), help="Only this one.")
@click.option("--to", type=click.IntRange(min=0), help="The last number that stays; 0: none.")
@click.pass_obj
def down(
    place: Place,
    service: str | None,
    to: int | None,
) -> None:
    """Undo the last step of each service, or all after a number. What it held is lost."""

    async def work(database: Database) -> None:
        chosen = [service] if service else sorted(PACKAGES)
        targets = {name: await _target(database, name, to) for name in chosen}
        for name, target in targets.items():
            for undone in await revert(database, name, migrations_of(PACKAGES[name]), target):
                click.echo(f"{name}: {undone} is undone.")

    place.work(work)


@migrate.command()
@_MESSAGES
@click.pass_obj
def status(place: Place, messages: str | None) -> None:
    """Show each step: whether it is applied, and whether there is a way back."""

    async def work(database: Database) -> None:
        for service, package in PACKAGES.items():
            for step in await steps(database, service, migrations_of(package)):
                state = "applied" if step.applied else "not applied"
                way = "" if step.reversible else ", no way down"
                click.echo(f"{service}: {step.name} is {state}{way}.")
        if messages is not None:
            async with _opened_cql(messages) as session:
                for step in await cql_steps(session):
                    state = "applied" if step.applied else "not applied"
                    click.echo(f"messages: {step.name} is {state}, no way down.")

    place.work(work)


def migrations_of(package: str) -> Traversable:
    """Return the folder with the migrations of *package*."""
    return files(package) / "migrations"


async def _target(database: Database, service: str, to: int | None) -> int:
    """Return the number that *service* goes back to.

    Raises ``StorageError`` where that cannot be, so that no service is undone before all can be.
    """
    known = await steps(database, service, migrations_of(PACKAGES[service]))
    applied = [number for number, step in enumerate(known, start=1) if step.applied]
    target = max(applied, default=1) - 1 if to is None else to
    for number in reversed(applied):
        if number > target and not known[number - 1].reversible:
            raise no_way_down(service, known[number - 1].name)
    return target


@asynccontextmanager
async def _opened(database: str | None, folder: Path, *, create: bool) -> AsyncGenerator[Database]:
    """Open the database that was named, or that of the data folder, which no server may use."""
    if database is None:
        if not create:
            _require_file(DataFolder(folder).database)
        with opened(folder) as data:
            async with _closed_after(await SqliteDatabase.open(data.database)) as sqlite:
                yield sqlite
    elif "://" in database:
        async with _closed_after(await PostgresDatabase.open(database)) as postgres:
            yield postgres
    else:
        _require_file(Path(database))
        async with _closed_after(await SqliteDatabase.open(Path(database))) as sqlite:
            yield sqlite


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise StorageError(f"there is no database at {path}: check the path")


@asynccontextmanager
async def _closed_after(
    database: SqliteDatabase | PostgresDatabase,
) -> AsyncGenerator[Database]:
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def _opened_cql(url: str) -> AsyncGenerator[CqlSession]:
    session = await CqlSession.open(url)
    try:
        yield session
    finally:
        await session.close()
