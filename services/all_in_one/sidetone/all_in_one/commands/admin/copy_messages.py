"""``sidetone admin copy-messages``: from the database to ScyllaDB or Cassandra, or back."""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import click

from sidetone.all_in_one.commands.place import place_of
from sidetone.chat.infrastructure.cql_migrations import migrate_cql
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.cql_shelf import CqlShelf
from sidetone.chat.infrastructure.message_copies import Copy
from sidetone.chat.infrastructure.sql_shelf import SqlShelf
from sidetone.storage import Database
from sidetone.storage.migrations import migrate

Store = Literal["sql", "cql"]
_STORES = click.Choice(["sql", "cql"])


@click.command("copy-messages")
@click.option("--from", "source", type=_STORES, required=True, help="Where the messages are.")
@click.option("--to", "target", type=_STORES, required=True, help="Where they are to be.")
@click.option("--messages", metavar="cql://…", required=True, help="ScyllaDB or Cassandra.")
@click.option("--database", metavar="URL|FILE", help="Default: the one in the data folder.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of all data.")
def copy_messages(
    source: Store, target: Store, messages: str, database: str | None, data: Path | None
) -> None:
    """Copy all messages, reactions, pins and read marks, and compare both stores.

    A copy that was interrupted goes on where it was. Stop the chat service for the last one:
    what is written meanwhile is not copied. The source keeps what it has.
    """
    if source == target:
        raise click.UsageError("--from and --to are the same: one is sql, the other cql")

    async def work(opened: Database) -> None:
        await migrate(opened, "chat", files("sidetone.chat") / "migrations")
        session = await CqlSession.open(messages)
        try:
            await migrate_cql(session, opened)
            sql, cql = SqlShelf(opened), CqlShelf(opened, session)
            await cql.require_done()
            await (
                Copy(sql, cql, click.echo) if source == "sql" else Copy(cql, sql, click.echo)
            ).all()
        finally:
            await session.close()

    place_of(database, data).work(work)
