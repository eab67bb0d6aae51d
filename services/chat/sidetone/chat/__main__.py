"""Chat as a process of its own, and with ``search-indexer`` the one that fills its index."""

import os
import sys
from contextlib import AsyncExitStack

from sidetone.chat.app import Policy, build, build_indexer
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.chat.settings import IndexerSettings, Settings
from sidetone.runtime.deployment import Served, run_process, served
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings

_MINUTE_MS = 60_000
_FIVE_SECONDS_MS = 5_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_CHAT", os.environ)
    policy = Policy(
        invites_per_address=Limit(settings.invites_per_address_per_minute, _MINUTE_MS),
        messages_per_channel=Limit(
            settings.messages_per_channel_in_five_seconds, _FIVE_SECONDS_MS
        ),
        messages_kept_days=settings.messages_kept_days,
    )

    async def make(around: Surroundings, engines: AsyncExitStack) -> Served:
        cql = await _messages(settings.messages_url, around, engines)
        if not settings.typesense_url:
            return served(settings, around, [await build(around, policy, cql=cql)])
        url, key = settings.typesense_url, settings.typesense_api_key
        search = TypesenseSearch(Typesense.connect(url, key))
        routers = [await build(around, policy, search, cql)]
        if settings.indexes:
            routers.append(await build_indexer(around, Typesense.connect(url, key), cql))
        return served(settings, around, routers)

    await run_process(settings, make)


async def index() -> None:
    """Fill the index until told to stop."""
    settings = load(IndexerSettings, "SIDETONE_SEARCH_INDEXER", os.environ)

    async def make(around: Surroundings, engines: AsyncExitStack) -> Served:
        cql = await _messages(settings.messages_url, around, engines)
        engine = Typesense.connect(settings.typesense_url, settings.typesense_api_key)
        router = await build_indexer(around, engine, cql, settings.typesense_search_key)
        return served(settings, around, [router])

    await run_process(settings, make, program="search-indexer")


async def _messages(url: str, around: Surroundings, engines: AsyncExitStack) -> CqlSession | None:
    """Connect to where messages are, if that is not the database."""
    if not url:
        return None
    cql = await CqlSession.open(url)
    engines.push_async_callback(cql.close)
    # What works beside the requests ends before what it works on.
    engines.push_async_callback(around.tasks.close)
    return cql


if __name__ == "__main__":
    run(index if sys.argv[1:] == ["search-indexer"] else main)
