"""Where the database is that a command works on, as its options say."""

import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

import click

from sidetone.all_in_one.commands.serve import default_data_folder
from sidetone.all_in_one.data_folder import DataFolder, opened
from sidetone.all_in_one.settings import DatabaseSettings
from sidetone.all_in_one.tables import require_up_to_date
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.start import StartError
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database, StorageError
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.sqlite import SqliteDatabase

Work: TypeAlias = Callable[[Database], Awaitable[None]]
Operate: TypeAlias = Callable[[Surroundings], Awaitable[None]]


class Place(NamedTuple):
    """Where the database is, as the command line says."""

    database: str | None
    folder: Path

    def work(self, work: Work, *, create: bool = False) -> None:
        """Do *work* on the database while no server uses its folder.

        One that is not there is made only to *create* it.
        """

        async def main() -> None:
            async with _alone(self, create=create) as database:
                await work(database)

        run(main)

    def operate(self, work: Operate) -> None:
        """Do *work* beside a server that runs, or while none does.

        Of the surroundings only the database is shared: what is announced waits in its outbox,
        from which the services take it within a second, or when they start.
        """

        async def main() -> None:
            async with _beside(self) as database:
                await require_up_to_date(database)
                tasks = Tasks()
                around = Surroundings(
                    database,
                    MemoryKeyValue(),
                    MemoryBus(),
                    MemoryJournal(),
                    SystemClock(),
                    tasks,
                )
                try:
                    await work(around)
                finally:
                    await tasks.close()

        run(main)


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


def place_of(database: str | None, data: Path | None) -> Place:
    """Return the place that the options name, or else the environment."""
    if database is None and data is None:
        try:
            database = load(DatabaseSettings, "SIDETONE", os.environ).database_url
        except StartError as error:
            raise click.ClickException(str(error)) from None
    return Place(database, data or default_data_folder())


@click.pass_context
def note_place(context: click.Context, database: str | None, data: Path | None) -> None:
    """Keep where the database is for the subcommand."""
    context.obj = place_of(database, data)


@asynccontextmanager
async def _alone(place: Place, *, create: bool) -> AsyncGenerator[Database]:
    """Open the database that was named, or that of the data folder, which no server may use."""
    if place.database is not None:
        async with _beside(place) as database:
            yield database
        return
    if not create:
        _require_file(DataFolder(place.folder).database)
    with opened(place.folder) as data:
        async with _closed_after(await SqliteDatabase.open(data.database)) as sqlite:
            yield sqlite


@asynccontextmanager
async def _beside(place: Place) -> AsyncGenerator[Database]:
    """Open the database that was named, or that of the data folder."""
    if place.database is not None and "://" in place.database:
        async with _closed_after(await PostgresDatabase.open(place.database)) as postgres:
            yield postgres
        return
    path = DataFolder(place.folder).database if place.database is None else Path(place.database)
    _require_file(path)
    async with _closed_after(await SqliteDatabase.open(path)) as sqlite:
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
