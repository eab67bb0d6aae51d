"""The migrations of every service go up, down and up again, and end where they began."""

from importlib.resources import files
from pathlib import Path

import pytest

from sidetone.all_in_one.tables import PACKAGES, migrations_of
from sidetone.storage import Database, Row
from sidetone.storage.migrations import migrate, revert, steps
from tests.surroundings import DatabaseKind, open_database

SCHEMAS = {
    "sqlite": """
        SELECT type, name, sql FROM sqlite_master
        WHERE name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations' ORDER BY type, name
    """,
    "postgres": """
        SELECT 'column', table_name, column_name, data_type, is_nullable, column_default,
            identity_generation
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'schema_migrations'
        UNION ALL
        SELECT 'index', tablename, indexname, indexdef, NULL, NULL, NULL FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
        UNION ALL
        SELECT 'constraint', CAST(conrelid AS regclass)::text, conname,
            pg_get_constraintdef(oid), NULL, NULL, NULL
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
            AND CAST(conrelid AS regclass)::text <> 'schema_migrations'
        ORDER BY 1, 2, 3
    """,
}


async def schema(database: Database, kind: DatabaseKind) -> list[Row]:
    return list(await database.fetch(SCHEMAS[kind], {}))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("service", PACKAGES)
async def test_a_service_comes_back_from_nothing_as_it_was(
    kind: DatabaseKind, service: str
) -> None:
    folder = migrations_of(PACKAGES[service])
    async with open_database(kind) as database:
        before: list[list[Row]] = [await schema(database, kind)]
        await migrate(database, service, folder)
        there = await schema(database, kind)
        for number in range(len(await steps(database, service, folder)) - 1, -1, -1):
            await revert(database, service, folder, number)
            before.append(await schema(database, kind))
        assert before[-1] == before[0] == []
        await migrate(database, service, folder)
        assert await schema(database, kind) == there


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_all_services_share_one_database(kind: DatabaseKind) -> None:
    async with open_database(kind) as database:
        for service, package in PACKAGES.items():
            await migrate(database, service, migrations_of(package))
        for service, package in PACKAGES.items():
            await revert(database, service, migrations_of(package), 0)
        assert await schema(database, kind) == []


def test_no_migration_is_forgotten() -> None:
    """Each folder of SQL in the source belongs to a service that ``migrate`` knows."""
    root = Path(__file__).parents[2]
    found = {path.parent for path in root.glob("*/*/sidetone/*/migrations/*.sql")}
    known = {Path(str(files(package) / "migrations")).resolve() for package in PACKAGES.values()}
    assert {folder.resolve() for folder in found} == known
