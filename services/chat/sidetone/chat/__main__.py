"""Chat as a process of its own."""

import os
from contextlib import AsyncExitStack

from sidetone.chat.app import Policy, build
from sidetone.chat.infrastructure.cql_rows import CqlRows
from sidetone.chat.infrastructure.cql_session import CqlSession
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.chat.settings import Settings
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
    )

    async def make(around: Surroundings, engines: AsyncExitStack) -> Served:
        cql = None
        if settings.messages_url:
            cql = await CqlSession.open(settings.messages_url)
            engines.push_async_callback(cql.close)
            # What works beside the requests ends before what it works on.
            engines.push_async_callback(around.tasks.close)
        search = None
        if settings.typesense_url:
            search = TypesenseSearch.connect(
                around.database,
                settings.typesense_url,
                settings.typesense_api_key,
                read=CqlRows(cql).entries if cql is not None else None,
            )
        return served(settings, around, [await build(around, policy, search, cql)])

    await run_process(settings, make)


if __name__ == "__main__":
    run(main)
