"""Numbered .cql files, applied once each, in order, as those of SQL are.

CQL has no transactions over its schema: each statement says ``IF NOT EXISTS``, so a file that was
interrupted is applied again. There is no way down: that is a copy back, or a backup.
"""

from importlib.resources import files

import msgspec

from sidetone.chat.infrastructure.cql import Cql
from sidetone.storage import Database, StorageError
from sidetone.storage.migrations import Migration, Step, read_migrations, require_known

_SERVICE = "chat_messages"
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    service text, number int, name text, checksum text, PRIMARY KEY (service, number)
)
"""
_APPLIED = "SELECT number, checksum FROM schema_migrations WHERE service = :service LIMIT 10000"
_RECORD = """
INSERT INTO schema_migrations (service, number, name, checksum)
VALUES (:service, :number, :name, :checksum)
"""


async def migrate_cql(session: Cql, database: Database) -> None:
    """Apply the files that the store of messages has not seen. Raises ``StorageError``.

    The relational *database* lets one process of the cluster do it, and the others wait.
    """
    async with database.alone("schema of messages in CQL"):
        for migration, is_applied in await _known(session):
            if is_applied:
                continue
            for statement in migration.up.split(";"):
                if _says_something(statement):
                    await session.define(statement)
            number, name, checksum = migration.number, migration.name, migration.checksum
            values = {"service": _SERVICE, "number": number, "name": name, "checksum": checksum}
            await session.write([(_RECORD, values)])


async def cql_steps(session: Cql) -> list[Step]:
    """Return the files in order, and what the store has seen of them. Raises ``StorageError``."""
    known = await _known(session)
    return [Step(migration.name, is_applied, reversible=False) for migration, is_applied in known]


async def _known(session: Cql) -> list[tuple[Migration, bool]]:
    migrations = read_migrations(files("sidetone.chat") / "migrations_cql", "cql")
    if any(migration.down for migration in migrations):
        raise StorageError("a migration of CQL has no way down: remove it from the file")
    await session.define(_LEDGER)
    rows = await session.fetch(_APPLIED, {"service": _SERVICE})
    applied = dict(msgspec.convert(rows, list[tuple[int, str]]))
    require_known(_SERVICE, migrations, applied)
    return [(migration, migration.number in applied) for migration in migrations]


def _says_something(statement: str) -> bool:
    lines = (line.strip() for line in statement.splitlines())
    return any(line and not line.startswith("--") for line in lines)
