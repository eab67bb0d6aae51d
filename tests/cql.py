"""A store of messages on the real CQL engine of this test run."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sidetone.chat.infrastructure.cql_session import CqlSession
from tests.cassandra_engine import cql_hosts


def cql_url(hosts: str | None = None) -> str:
    """Return the URL of a keyspace of this worker's own.

    Its tables are made once and not emptied: a test has channels of its own, and which of them
    exist is known to its own database.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return f"cql://{hosts or cql_hosts()}/sidetone_{worker}"


@asynccontextmanager
async def open_cql(url: str | None = None) -> AsyncGenerator[CqlSession]:
    """Open a connection of its own."""
    session = await CqlSession.open(url or cql_url())
    try:
        yield session
    finally:
        await session.close()
