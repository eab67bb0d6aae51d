"""Which services have tables, and whether a database has those of this version."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from sidetone.storage import Database, StorageError
from sidetone.storage.migrations import steps

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


def migrations_of(package: str) -> Traversable:
    """Return the folder with the migrations of *package*."""
    return files(package) / "migrations"


async def require_up_to_date(database: Database) -> None:
    """Refuse a database that lacks a step: to migrate it under a running server would harm it.

    A service that never ran here may lack all of its steps. Raises ``StorageError``.
    """
    for service, package in PACKAGES.items():
        known = await steps(database, service, migrations_of(package))
        if service == "outbox" and not known[0].applied:
            raise StorageError("no server ever ran on this database: check where it is")
        if len({step.applied for step in known}) > 1:
            raise StorageError(
                f"the tables of {service} are of an older version: start the server of this "
                "version once, or run sidetone migrate up while none runs"
            )
