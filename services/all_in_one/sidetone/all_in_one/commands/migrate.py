"""``sidetone migrate``: the tables of every service, up to this version or back.

Servers migrate up by themselves when they start; this command is for who wants it done before, or
undone. It refuses whole where a file has no way down.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import click

from sidetone.all_in_one.commands.place import Place, note_place, place_options
from sidetone.all_in_one.tables import PACKAGES, migrations_of
from sidetone.chat.infrastructure.cql_migrations import cql_steps, migrate_cql
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.storage import Database
from sidetone.storage.migrations import migrate as migrate_up
from sidetone.storage.migrations import no_way_down, revert, steps

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
async def _opened_cql(url: str) -> AsyncGenerator[CqlSession]:
    session = await CqlSession.open(url)
    try:
        yield session
    finally:
        await session.close()
