"""Numbered SQL files of a service, applied once each, in order.

A file holds the way up after a line ``-- up`` and the way down after a line ``-- down``; without
these lines all of it is the way up, and there is no way down. A way up that was applied is
history: it is never edited, what it did wrong is put right by the next number.
"""

import hashlib
import re
from importlib.resources.abc import Traversable
from typing import NamedTuple

from sidetone.protocol.refusals import Conflict
from sidetone.storage import Database, StorageError

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    service TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (service, number)
);
"""
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.(sql|cql)")
_SECTION = re.compile(r"^-- (up|down)[ \t]*$", re.MULTILINE)
_SERVICE = re.compile(r"[a-z_]+")


class Migration(NamedTuple):
    """One file: its number, and what its sections hold."""

    number: int
    name: str
    checksum: str
    up: str
    down: str


async def migrate(database: Database, service: str, folder: Traversable) -> None:
    """Apply the files of *folder* that *database* has not seen. Raises ``StorageError``.

    Each file is one transaction with the line that records it. The line comes first: of several
    processes that start at once one gets the number, the others wait for it and go on.
    """
    if _SERVICE.fullmatch(service) is None:
        raise ValueError(f"not the name of a service: {service}")
    migrations = read_migrations(folder)
    await _create_ledger(database)
    applied = await _applied(database, service)
    require_known(service, migrations, applied)
    for migration in migrations:
        if migration.number in applied:
            continue
        try:
            await database.run_script(_script(service, migration))
        except Conflict as conflict:
            applied = await _applied(database, service)
            require_known(service, migrations, applied)
            if migration.number not in applied:
                reason = " ".join(str(conflict.__cause__).split())
                raise StorageError(
                    f"the migration {migration.name} of {service} clashes with what the database "
                    f"holds: {reason}; remove what is in its way, or restore a backup"
                ) from conflict


class Step(NamedTuple):
    """One migration as a database stands to it."""

    name: str
    applied: bool
    reversible: bool


async def steps(database: Database, service: str, folder: Traversable) -> list[Step]:
    """Return the files of *folder* in order, and what *database* has seen of them.

    Raises ``StorageError`` where the database has seen other files than these.
    """
    migrations = read_migrations(folder)
    await _create_ledger(database)
    applied = await _applied(database, service)
    require_known(service, migrations, applied)
    return [Step(each.name, each.number in applied, bool(each.down)) for each in migrations]


async def revert(database: Database, service: str, folder: Traversable, to: int) -> list[str]:
    """Undo what was applied after number *to*, the last first; return the names of the files.

    Raises ``StorageError`` before anything is undone where a file has no way down.
    """
    migrations = read_migrations(folder)
    await _create_ledger(database)
    applied = await _applied(database, service)
    require_known(service, migrations, applied)
    undone = [each for each in reversed(migrations) if each.number in applied and each.number > to]
    for migration in undone:
        if not migration.down:
            raise no_way_down(service, migration.name)
    for number, _, _, _, down in undone:
        forget = (
            f"DELETE FROM schema_migrations WHERE service = '{service}' AND number = {number};"  # noqa: S608
        )
        await database.run_script(f"{forget}\n{down}")
    return [migration.name for migration in undone]


def no_way_down(service: str, name: str) -> StorageError:
    """Return the error of a migration that cannot be undone."""
    return StorageError(f"the migration {name} of {service} has no way down: restore a backup")


def read_migrations(folder: Traversable, language: str = "sql") -> list[Migration]:
    """Return the migrations in order; other files, such as a README, are left alone."""
    migrations: list[Migration] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(f".{language}"):
            continue
        match = _FILE.fullmatch(file.name)
        number = int(match[1]) if match else 0
        if number != len(migrations) + 1:
            raise StorageError(
                f"the migration {file.name} does not follow: name it "
                f"{len(migrations) + 1:04d}_what_it_does.{language}"
            )
        up, down = _sections(file.name, file.read_text(encoding="utf-8"))
        checksum = hashlib.sha256(up.encode()).hexdigest()
        migrations.append(Migration(number, file.name, checksum, up, down))
    return migrations


def _sections(name: str, script: str) -> tuple[str, str]:
    """Return the way up and the way down, which is empty where there is none."""
    match _SECTION.split(script):
        case [up]:
            return up, ""
        case [head, "up", up]:
            return head + up, ""
        case [head, "up", up, "down", down]:
            return head + up, down
        case _:
            raise StorageError(
                f"the migration {name} cannot be read: write `-- up` and then `-- down`, once each"
            )


async def _create_ledger(database: Database) -> None:
    try:
        await database.run_script(_LEDGER)
    except Conflict:
        # PostgreSQL lets two starters try at once; now the other one has created it.
        await database.run_script(_LEDGER)


async def _applied(database: Database, service: str) -> dict[int, str]:
    """Return the checksum of each migration that was applied, by number."""
    query = "SELECT number, checksum FROM schema_migrations WHERE service = :service"
    rows = await database.fetch(query, {"service": service})
    return {int(str(number)): str(checksum) for number, checksum in rows}


def require_known(service: str, migrations: list[Migration], applied: dict[int, str]) -> None:
    """Raise ``StorageError`` where the database has seen other files than these."""
    for migration in migrations:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise StorageError(
                f"the migration {migration.name} of {service} was changed after it was applied: "
                "restore the file and write a new one"
            )
    if applied and max(applied) > len(migrations):
        raise StorageError(
            f"the database was used by a newer version ({service} migration {max(applied)}, "
            f"this version knows {len(migrations)}): update, or restore a backup"
        )


def _script(service: str, migration: Migration) -> str:
    """Return the file after the line that records it; every value is checked, none is input."""
    number, name, checksum, up, _ = migration
    record = (
        "INSERT INTO schema_migrations (service, number, name, checksum) "  # noqa: S608
        f"VALUES ('{service}', {number}, '{name}', '{checksum}');"
    )
    return f"{record}\n{up}"
